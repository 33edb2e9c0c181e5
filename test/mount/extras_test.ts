/**
 * Item 26: what QEMU's tests leave out.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  ExportProcess,
  imageIn,
  item,
  MIB,
  must,
  shell,
  sizeOf,
} from "./_checklist.ts";

item(26, "O_TRUNC does not wipe an image of fixed size", async (directory) => {
  const { image, mountpoint } = await imageIn(directory, MIB);
  const copy = `${directory}/copy`;
  await must("cp", image, copy);
  await using process = await ExportProcess.start(["-w", image, mountpoint]);
  assertEquals((await shell(': > "$1"', mountpoint)).code, 0);
  assertEquals(await sizeOf(mountpoint), MIB);
  assertEquals((await process.stop()).code, 0);
  await must("cmp", image, copy);
}, ["cmp"]);

item(26, "mmap works, private and shared", async (directory) => {
  const { image, mountpoint } = await imageIn(directory, MIB);
  await using process = await ExportProcess.start(["-wq4", image, mountpoint]);
  const io = async (...commands: string[]) =>
    await must("xfs_io", ...commands.flatMap((one) => ["-c", one]), mountpoint);
  await io("mmap -rw 0 65536", "mwrite -S 0x5a 4096 8192", "msync -s");
  const bytes = await Deno.readFile(image);
  assert(bytes.subarray(4096, 12288).every((byte) => byte === 0x5a));
  const seen = await io("mmap -r 0 65536", "mread -v 4096 8");
  assertMatch(seen, /5a 5a 5a 5a 5a 5a 5a 5a/);
  const fio = ["--ioengine=mmap", "--rw=randrw", "--verify=crc32c", "--bs=4k"];
  const name = ["--name=mmap", "--verify_state_save=0", "--size=1M"];
  await must("fio", ...name, `--filename=${mountpoint}`, ...fio);
  assertEquals((await process.stop()).code, 0);
}, ["xfs_io", "fio"]);

item(26, "df and sync are answered", async (directory) => {
  const { image, mountpoint } = await imageIn(directory, MIB);
  const args = ["-w", "--trace", image, mountpoint];
  await using process = await ExportProcess.start(args);
  const size = await must("df", "-B1", "--output=size", mountpoint);
  assertMatch(size, new RegExp(`\\b${MIB}$`));
  await must("sync", mountpoint);
  assertEquals((await process.stop()).code, 0);
  const names = new Set(process.events.map(({ name }) => name));
  for (const name of ["STATFS", "FSYNC"]) assert(names.has(name), name);
});

item(
  26,
  "a loop device over an export reaches a partition",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 8 * MIB);
    await using process = await ExportProcess.start([
      "-wq4",
      image,
      mountpoint,
    ]);
    const part = [`--offset=${2 * MIB}`, `--sizelimit=${MIB}`, mountpoint];
    const loop = await must("losetup", "--find", "--show", ...part);
    try {
      const second = ["-i", `0:${2 * MIB}`, "-n", `${MIB}`, loop, image];
      await must("cmp", ...second);
      await must("dd", "if=/dev/urandom", `of=${loop}`, "bs=64k", "count=16");
      await must("sync", loop);
      await must("cmp", ...second);
    } finally {
      await must("losetup", "--detach", loop);
    }
    assertEquals((await process.stop()).code, 0);
  },
  ["losetup", "cmp"],
);
