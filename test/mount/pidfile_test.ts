import { assertEquals, assertMatch } from "@std/assert";
import { kernelTest } from "../requirements.ts";
import {
  exists,
  ExportProcess,
  imageIn,
  inDirectory,
  isMounted,
  runMain,
} from "./_harness.ts";

kernelTest(
  "a pidfile lives as long as the export",
  () =>
    inDirectory(async (directory) => {
      const { image, mountpoint } = await imageIn(directory, 1 << 20);
      const pidfile = `${directory}/pid`;
      const args = ["-P", pidfile, image, mountpoint];
      {
        await using process = await ExportProcess.start(args);
        assertEquals(await Deno.readTextFile(pidfile), `${process.pid}\n`);
        const other = `${directory}/other.img`;
        await Deno.writeTextFile(other, "");
        const second = await runMain(["export", "-P", pidfile, image, other]);
        assertEquals(second.code, 1);
        assertEquals(
          second.stderr,
          `mqfuse: Cannot use ${pidfile} as the pidfile: it names process ${process.pid}, which is running; end that process or choose another file\n`,
        );
        assertEquals((await process.stop()).code, 0);
        assertEquals(await exists(pidfile), false);
      }
      // Process numbers end before this one.
      await Deno.writeTextFile(pidfile, "99999999\n");
      await using process = await ExportProcess.start(args);
      assertEquals(await Deno.readTextFile(pidfile), `${process.pid}\n`);
      await Deno.remove(pidfile);
      await Deno.writeTextFile(pidfile, "somebody else's");
      assertEquals((await process.stop()).code, 0);
      assertEquals(await Deno.readTextFile(pidfile), "somebody else's");
    }),
);

kernelTest(
  "a pidfile that cannot be written leaves nothing mounted",
  () =>
    inDirectory(async (directory) => {
      const { image, mountpoint } = await imageIn(directory, 1 << 20);
      const text = "important";
      await Deno.writeTextFile(`${directory}/text`, text);
      const cases = [
        [`${directory}/none/pid`, /No such file or directory/],
        [directory, /is not a plain file/],
        [`${directory}/text`, /holds no process id/],
      ] as const;
      for (const [pidfile, expected] of cases) {
        const args = ["export", `--pidfile=${pidfile}`, image, mountpoint];
        const { code, stderr } = await runMain(args);
        assertEquals(code, 1);
        assertMatch(stderr, expected);
        assertEquals(isMounted(mountpoint), false);
      }
      assertEquals(await Deno.readTextFile(`${directory}/text`), text);
    }),
);
