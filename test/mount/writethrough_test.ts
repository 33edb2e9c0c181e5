import { assertEquals } from "@std/assert";
import { kernelTest } from "../requirements.ts";
import { ExportProcess, imageIn, inDirectory, must } from "./_harness.ts";

const MIB = 1 << 20;

kernelTest(
  "an export that writes through keeps what is written",
  () =>
    inDirectory(async (directory) => {
      const { image, mountpoint } = await imageIn(directory, MIB);
      await using process = await ExportProcess.start([
        "-w",
        "--growable",
        "--writethrough",
        image,
        mountpoint,
      ]);
      const output = [`of=${mountpoint}`, "bs=64k", "conv=notrunc"];
      await must("dd", "if=/dev/urandom", ...output, "count=8", "seek=12");
      await must("fallocate", "-z", "-l", "4096", mountpoint);
      await must("cmp", image, mountpoint);
      assertEquals((await Deno.stat(image)).size, 20 * 65536);
      assertEquals((await process.stop()).code, 0);
    }),
);
