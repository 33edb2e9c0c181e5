import { assert, assertEquals, assertMatch } from "@std/assert";
import { kernelTest } from "../requirements.ts";
import {
  ExportProcess,
  imageIn,
  inDirectory,
  run,
  runMain,
} from "./_harness.ts";

const REFUSED = /^mqfuse: Cannot lock .*stop it, or use --no-lock/;

kernelTest(
  "two exports of one image share reading, but not writing",
  () =>
    inDirectory(async (directory) => {
      const { image, mountpoint } = await imageIn(directory, 1 << 20);
      const other = `${directory}/other.img`;
      await Deno.writeTextFile(other, "");
      {
        await using _ = await ExportProcess.start([image, mountpoint]);
        await using second = await ExportProcess.start([image, other]);
        assertEquals((await second.stop()).code, 0);
        const writer = await runMain(["export", "-w", image, other]);
        assertEquals(writer.code, 1);
        assertMatch(writer.stderr, REFUSED);
      }
      await using _ = await ExportProcess.start(["-w", image, mountpoint]);
      for (const mode of [[], ["-w"]]) {
        const second = await runMain(["export", ...mode, image, other]);
        assertEquals(second.code, 1);
        assertMatch(second.stderr, REFUSED);
      }
      const args = ["--no-lock", image, other];
      await using unlocked = await ExportProcess.start(args);
      assertEquals((await unlocked.stop()).code, 0);
    }),
);

kernelTest(
  "a QEMU that writes and an export refuse each other",
  () =>
    inDirectory(async (directory) => {
      const { image, mountpoint } = await imageIn(directory, 1 << 20);
      const write = [
        "qemu-io",
        "-f",
        "raw",
        "-c",
        "write 0 4k",
        image,
      ] as const;
      {
        await using _ = await ExportProcess.start(["-w", image, mountpoint]);
        const qemu = await run(...write);
        assert(qemu.code !== 0 || /lock/.test(qemu.stderr), qemu.stderr);
        assertMatch(qemu.stderr, /lock/);
      }
      assertEquals((await run(...write)).code, 0);
    }),
  ["qemu-io"],
);
