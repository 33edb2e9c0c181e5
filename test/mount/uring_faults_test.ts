import { assertEquals, assertMatch } from "@std/assert";
import { TRIGGER } from "./_faulty_backend.ts";
import { startModule } from "./_faulty_process.ts";
import {
  eventually,
  imageIn,
  inDirectory,
  isMounted,
  must,
  run,
  within,
} from "./_harness.ts";
import { hasSetting, UringServer, uringTest } from "./_uring.ts";

const MIB = 1 << 20;

if (hasSetting()) {
  uringTest(
    "a Worker that dies over io_uring ends the mount, and nobody hangs",
    () =>
      inDirectory(async (directory) => {
        const { mountpoint } = await imageIn(directory, MIB);
        await using process = await startModule("dies", mountpoint, 2, "uring");
        const at = [`skip=${TRIGGER / 4096}`, "count=1", "bs=4k"];
        const client = run("dd", `if=${mountpoint}`, "of=/dev/null", ...at);
        assertEquals((await within(client, "the client")).code, 1);
        const { code } = await within(process.ended, "ending");
        assertEquals(code, 1);
        const told = process.events.map(({ message }) => message).join("\n");
        assertMatch(told, /over io_uring no other can stand in/);
        assertMatch(told, /Uncaught, with a request in hand/);
        await eventually(() => !isMounted(mountpoint), "the mount goes");
      }),
    ["dd"],
  );

  uringTest(
    "an export over io_uring writes through",
    () =>
      inDirectory(async (directory) => {
        const { image, mountpoint } = await imageIn(directory, MIB);
        await using server = await UringServer.start({
          source: image,
          mountpoint,
          queues: 2,
          writable: true,
          growable: true,
          writethrough: true,
        });
        assertEquals(server.first.transport?.kind, "uring");
        const output = [`of=${mountpoint}`, "bs=64k", "conv=notrunc"];
        await must("dd", "if=/dev/urandom", ...output, "count=8", "seek=12");
        await must("fallocate", "-z", "-l", "4096", mountpoint);
        await must("cmp", image, mountpoint);
        assertEquals((await Deno.stat(image)).size, 20 * 65536);
        assertEquals((await server.stop()).problems, []);
      }),
    ["dd", "cmp", "fallocate"],
  );
}
