/** VHD and VHDX images as plain files, beside what QEMU reads. */
import { assertEquals } from "@std/assert";
import {
  assertSame,
  ExportProcess,
  imageIn,
  MIB,
  mountTest,
  must,
  shell,
} from "./_harness.ts";

mountTest(
  "VHD and VHDX images read the same through four queues",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 20 * MIB);
    const kinds = [
      ["vpc", "vhd", "subformat=dynamic,force_size=on"],
      ["vpc", "vhd", "subformat=fixed,force_size=on"],
      ["vhdx", "vhdx", "subformat=dynamic,block_size=1M"],
    ] as const;
    for (const [format, prefix, options] of kinds) {
      const disk = `${directory}/disk.${prefix}`;
      const to = ["-f", "raw", "-O", format, "-o", options];
      await must("qemu-img", "convert", ...to, image, disk);
      const args = ["-q4", `${prefix}:${disk}`, mountpoint];
      await using process = await ExportProcess.start(args);
      await assertSame(mountpoint, image);
      // Around the page cache, in pieces that cross blocks.
      const read = `dd if="$1" bs=768k iflag=direct status=none | cmp - "$2"`;
      const { code, stderr } = await shell(read, mountpoint, image);
      assertEquals([code, stderr], [0, ""]);
      assertEquals((await process.stop()).code, 0);
    }
  },
  ["qemu-img", "cmp"],
);
