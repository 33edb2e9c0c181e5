/** qcow2 images as plain files: chains, snapshots, and many queues. */
import { assert, assertEquals, assertMatch } from "@std/assert";
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
import { uringTest } from "./_uring.ts";

const PROGRAMS = ["qemu-img", "qemu-io", "cmp"];

/** A chain of three images, and what it shows as a raw file. */
async function chainIn(directory: string) {
  const { image, mountpoint } = await imageIn(directory, 16 * MIB);
  const create = ["create", "-q", "-f", "qcow2"];
  const small = ["-o", "cluster_size=512"];
  const [low, top] = [`${directory}/low.qcow2`, `${directory}/top.qcow2`];
  const wanted = `${directory}/wanted.raw`;
  await must("qemu-img", ...create, ...small, "-b", image, "-F", "raw", low);
  const io = ["-f", "qcow2", "-c", "write -P 7 1M 3M", "-c", "write -z 6M 2M"];
  await must("qemu-io", ...io, low);
  const backing = ["-b", low, "-F", "qcow2"];
  await must("qemu-img", ...create, ...backing, top, "20M");
  const more = ["-c", "write -P 9 2M 4M", "-c", "write -c -P 5 9M 64k"];
  await must("qemu-io", "-f", "qcow2", ...more, top);
  await must("qemu-img", "convert", "-O", "raw", top, wanted);
  return { top, low, mountpoint, wanted };
}

/**
 * Several clients read an image at the same time through four queues, whose
 * tables do not fit into the cache.
 */
async function readsThroughQueues(directory: string, transport: string) {
  const { top, mountpoint, wanted } = await chainIn(directory);
  const args = ["-q4", "--cache-size=0", `--transport=${transport}`];
  const source = `qcow2:${top}`;
  await using process = await ExportProcess.start([
    ...args,
    source,
    mountpoint,
  ]);
  const clients = [1, 2, 3, 4].map(async (client) => {
    const skip = `${client * MIB}`;
    await must("cmp", "--ignore-initial", skip, mountpoint, wanted);
    // Around the page cache, in another order.
    const read = `dd if="$1" bs=64k iflag=direct status=none | cmp - "$2"`;
    const { code, stderr } = await shell(read, mountpoint, wanted);
    assertEquals([code, stderr], [0, ""]);
  });
  await Promise.all(clients);
  await assertSame(mountpoint, wanted);
  assertEquals((await process.stop()).code, 0);
}

mountTest(
  "a chain of qcow2 images reads the same through four queues",
  (directory) => readsThroughQueues(directory, "device"),
  PROGRAMS,
);

uringTest(
  "a chain of qcow2 images reads the same through four queues over io_uring",
  (directory) => readsThroughQueues(directory, "uring"),
);

mountTest("a snapshot of a qcow2 image is exported", async (directory) => {
  const { low, mountpoint } = await chainIn(directory);
  const before = `${directory}/before.raw`;
  await must("qemu-img", "convert", "-O", "raw", low, before);
  await must("qemu-img", "snapshot", "-c", "first", low);
  await must("qemu-io", "-f", "qcow2", "-c", "write -P 1 0 8M", low);
  const args = ["--snapshot=first", `qcow2:${low}`, mountpoint];
  {
    await using process = await ExportProcess.start(args);
    await assertSame(mountpoint, before);
    assertEquals((await process.stop()).code, 0);
  }
  const { code, stderr } = await runMain(["export", "-w", ...args]);
  assertEquals(code, 1);
  assertMatch(stderr, /Cannot export snapshot "first" for writing/);
}, PROGRAMS);

mountTest("a qcow2 image shows its holes", async (directory) => {
  const { mountpoint } = await imageIn(directory, MIB);
  const sparse = `${directory}/sparse.qcow2`;
  await must("qemu-img", "create", "-q", "-f", "qcow2", sparse, "1G");
  await must("qemu-io", "-f", "qcow2", "-c", "write -P 3 512M 128k", sparse);
  await using process = await ExportProcess.start([
    `qcow2:${sparse}`,
    mountpoint,
  ]);
  const map = await must("qemu-img", "map", "-f", "raw", "-U", mountpoint);
  const rows = map.trim().split("\n").slice(1);
  assertEquals(rows.length, 1, map);
  assertMatch(rows[0]!, /^0x20000000 +0x20000 /);
  assertEquals((await process.stop()).code, 0);
}, PROGRAMS);

mountTest(
  "a qcow2 image that is exported raw has a notice",
  async (directory) => {
    const { mountpoint } = await imageIn(directory, MIB);
    const image = `${directory}/a.qcow2`;
    await must("qemu-img", "create", "-q", "-f", "qcow2", image, "1M");
    await using process = await ExportProcess.start([image, mountpoint]);
    const { code, stderr } = await process.stop();
    assertEquals(code, 0);
    assert(
      stderr.includes(`to export the disk in it, export qcow2:${image}`),
      stderr,
    );
  },
  PROGRAMS,
);

mountTest(
  "a hostile backing file does not hang the start",
  async (directory) => {
    const { mountpoint } = await imageIn(directory, MIB);
    const image = `${directory}/a.qcow2`;
    await must("mkfifo", `${directory}/fifo`);
    const create = ["create", "-q", "-u", "-f", "qcow2", "-F", "raw", "-b"];
    for (
      const [name, why] of [
        ["fifo", /fifo: .*give a regular file or a block device/],
        ["/dev/zero", /outside of the image's directory/],
        ["/etc/hostname", /outside of the image's directory/],
        ["nbd://localhost/", /it is not a path/],
        ["json:{}", /it is not a path/],
      ] as const
    ) {
      await must("qemu-img", ...create, name, image, "1M");
      const args = ["export", `qcow2:${image}`, mountpoint];
      const { code, stderr } = await runMain(args);
      assertEquals(code, 1, stderr);
      assertMatch(stderr, why);
      assertEquals(stderr.trim().split("\n").length, 1);
    }
  },
  PROGRAMS,
);
