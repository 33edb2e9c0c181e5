/** VMDK images and archives as plain files, beside what QEMU reads. */
import { assertEquals, assertMatch } from "@std/assert";
import { ovfText } from "../backends/ova/_build_ova.ts";
import {
  assertSame,
  ExportProcess,
  imageIn,
  MIB,
  mountTest,
  must,
  runMain,
  shell,
} from "./_harness.ts";

const KINDS = [
  "monolithicSparse",
  "monolithicFlat",
  "twoGbMaxExtentSparse",
  "streamOptimized",
];

mountTest(
  "VMDK images and disks in archives read the same through four queues",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 12 * MIB);
    const sources: string[] = [];
    for (const kind of KINDS) {
      const disk = `${directory}/${kind}.vmdk`;
      const to = ["-f", "raw", "-O", "vmdk", "-o", `subformat=${kind}`];
      await must("qemu-img", "convert", ...to, image, disk);
      sources.push(`vmdk:${disk}`);
    }
    const ovf = ovfText(["streamOptimized.vmdk"]);
    await Deno.writeTextFile(`${directory}/v.ovf`, ovf);
    const archive = `${directory}/v.ova`;
    const members = ["v.ovf", "streamOptimized.vmdk"];
    await must("tar", "-C", directory, "-cf", archive, ...members);
    sources.push(`ova:${archive}`);
    for (const source of sources) {
      const args = ["-q4", source, mountpoint];
      await using process = await ExportProcess.start(args);
      await assertSame(mountpoint, image);
      // Around the page cache, in pieces that cross grains.
      const read = `dd if="$1" bs=768k iflag=direct status=none | cmp - "$2"`;
      const { code, stderr } = await shell(read, mountpoint, image);
      assertEquals([code, stderr], [0, ""], source);
      const compare = ["compare", "-U", "-f", "raw", "-F", "raw"];
      await must("qemu-img", ...compare, mountpoint, image);
      assertEquals((await process.stop()).code, 0);
    }
  },
  ["qemu-img", "cmp", "tar"],
);

mountTest(
  "a VMDK descriptor does not lead to files of the host",
  async (directory) => {
    const { mountpoint } = await imageIn(directory, MIB);
    const disk = `${directory}/disk.vmdk`;
    await must("mkfifo", `${directory}/fifo`);
    for (
      const [name, why] of [
        ["/etc/hostname", /outside of the image's directory/],
        ["fifo", /fifo: .*give a regular file or a block device/],
        ["json:{}", /it is not a path/],
      ] as const
    ) {
      const text = `# Disk DescriptorFile
version=1
CID=1
parentCID=ffffffff
createType="monolithicFlat"
RW 1 FLAT "${name}" 0
`;
      await Deno.writeTextFile(disk, text);
      const args = ["export", `vmdk:${disk}`, mountpoint];
      const { code, stderr } = await runMain(args);
      assertEquals(code, 1, stderr);
      assertMatch(stderr, why);
    }
  },
  ["qemu-img"],
);
