/**
 * The errors that clients get when the medium of the image fails.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  type Ended,
  ExportProcess,
  imageIn,
  MIB,
  must,
  run,
} from "../mount/_harness.ts";
import { emptyFile, makeMedium, shutDown, torture } from "./_harness.ts";

/** Writes blocks of 64 KiB to a file, as a client. */
async function write(
  path: string,
  at: number,
  count: number = 1,
): Promise<Ended> {
  const where = [`seek=${at / 65536}`, `count=${count}`, "bs=64k"];
  const how = "conv=notrunc,fsync";
  return await run("dd", "if=/dev/urandom", `of=${path}`, ...where, how);
}

/** Requires that a client failed with an error. */
function assertFailed({ code, stderr }: Ended, message: RegExp): void {
  assertEquals(code, 1, stderr);
  assertMatch(stderr, message);
}

torture(
  "a full disk gives ENOSPC, until there is space again",
  async (directory) => {
    const disk = `${directory}/disk`;
    await Deno.mkdir(disk);
    await must("mount", "-t", "tmpfs", "-o", "size=4M", "mqfuse_torture", disk);
    const image = await emptyFile(`${disk}/disk.img`);
    await Deno.truncate(image, 16 * MIB);
    const mountpoint = await emptyFile(`${directory}/mnt.img`);
    await using process = await ExportProcess.start([
      "-wq4",
      "--truncate=as-qemu",
      image,
      mountpoint,
    ]);
    assertFailed(await write(mountpoint, 0, 128), /No space left on device/);
    assertFailed(await write(mountpoint, 12 * MIB), /No space left on device/);
    const grown = ["-o", `${16 * MIB}`, "-l", `${8 * MIB}`, mountpoint];
    assertFailed(await run("fallocate", ...grown), /No space left on device/);
    assertEquals(await must("stat", "-c", "%s", mountpoint), `${16 * MIB}`);
    await must("mount", "-o", "remount,size=32M", disk);
    assertEquals((await write(mountpoint, 12 * MIB)).code, 0);
    await must("cmp", image, mountpoint);
    assertEquals((await process.stop()).code, 0);
  },
  { programs: ["mount", "fallocate", "cmp"] },
);

torture("a medium that shuts down gives EIO", async (directory) => {
  const { path } = await makeMedium(directory, ["mkfs.xfs", "-q"]);
  const { image } = await imageIn(path, 4 * MIB);
  await must("sync", "-f", image);
  const mountpoint = await emptyFile(`${directory}/mnt.img`);
  await using process = await ExportProcess.start(["-wq4", image, mountpoint]);
  assertEquals((await write(mountpoint, MIB)).code, 0);
  await shutDown(path);
  for (let i = 0; i < 8; i++) {
    assertFailed(await write(mountpoint, i * 65536), /Input\/output error/);
    const read = await run("dd", `if=${mountpoint}`, "of=/dev/null", "bs=64k");
    assertFailed(read, /Input\/output error/);
  }
  assert((await run("truncate", "-s", "1M", mountpoint)).code !== 0);
  const { code, stderr } = await process.stop();
  assertMatch(stderr, /Cannot flush .* at the end: .* \(EIO\)/);
  assertEquals(code, 1, stderr);
  const errors = process.totals.reduce((sum, { errors }) => sum + errors, 0);
  assert(errors >= 17);
}, { programs: ["mkfs.xfs", "xfs_io"], limitS: 120 });

torture(
  "a file system that an error makes read-only gives EROFS",
  async (directory) => {
    const options = "loop,errors=remount-ro";
    const make = ["mkfs.ext4", "-q", "-F"];
    const { path } = await makeMedium(directory, make, options);
    const { image } = await imageIn(path, 4 * MIB);
    await must("sync", "-f", image);
    const mountpoint = await emptyFile(`${directory}/mnt.img`);
    await using process = await ExportProcess.start([
      "-wq4",
      image,
      mountpoint,
    ]);
    assertEquals((await write(mountpoint, MIB)).code, 0);
    const device = await must("findmnt", "-no", "SOURCE", path);
    const name = device.replace("/dev/", "");
    await Deno.writeTextFile(`/sys/fs/ext4/${name}/trigger_fs_error`, "1");
    for (let i = 0; i < 8; i++) {
      assertFailed(await write(mountpoint, i * 65536), /Read-only file system/);
    }
    // The image cannot be flushed any more either; reading it does not try to.
    await must("sh", "-c", 'cat "$1" | cmp - "$2"', "sh", mountpoint, image);
    const { code, stderr } = await process.stop();
    assertMatch(stderr, /Cannot flush .* at the end: .* \(EROFS\)/);
    assertEquals(code, 1, stderr);
  },
  { programs: ["mkfs.ext4", "findmnt", "cmp"] },
);

torture(
  "an image that another program truncates gives EIO where it is cut off",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 4 * MIB);
    await using process = await ExportProcess.start([
      "-wq4",
      image,
      mountpoint,
    ]);
    await must("truncate", "-s", "1M", image);
    assertEquals(await must("stat", "-c", "%s", mountpoint), `${4 * MIB}`);
    await must("cmp", "-n", `${MIB}`, image, mountpoint);
    for (const at of [1, 2, 3]) {
      const from = ["bs=64k", `skip=${at * 16}`, "count=1"];
      const read = await run("dd", `if=${mountpoint}`, "of=/dev/null", ...from);
      assertFailed(read, /Input\/output error/);
    }
    const copy = await run("cp", "--sparse=always", mountpoint, `${image}.2`);
    assertFailed(copy, /Input\/output error/);
    assertEquals((await write(mountpoint, 2 * MIB)).code, 0);
    assertEquals((await Deno.stat(image)).size, 2 * MIB + 65536);
    await must("cmp", "-n", `${2 * MIB + 65536}`, image, mountpoint);
    assertEquals((await process.stop()).code, 0);
  },
  { programs: ["cmp"] },
);
