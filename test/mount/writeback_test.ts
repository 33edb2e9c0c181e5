/** Exports whose writes the kernel caches: `--cache=writeback`. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  ExportProcess,
  imageIn,
  MIB,
  mountTest,
  must,
  pause,
  runMain,
  sizeOf,
} from "./_harness.ts";
import { loopDevice } from "./_loop.ts";
import { PythonClient } from "./_python_client.ts";
import { uringTest } from "./_uring.ts";
import { LOST_FROM, makeFailingDevice } from "../torture/_failing_device.ts";

const SIZE = 4 * MIB;
/** How often a trial is made that a sync of another program can spoil. */
const TRIES = 5;

function cached(image: string, mountpoint: string, ...more: string[]) {
  const options = ["-wq2", "--cache=writeback", ...more];
  return ExportProcess.start([...options, image, mountpoint]);
}

/** Handles of every kind see at once what another one has written. */
const COHERENCE = `
a, b = os.open(path, os.O_RDWR), os.open(path, os.O_RDONLY)
w = os.open(path, os.O_WRONLY)
d = os.open(path, os.O_RDWR | os.O_DIRECT)
mapped = mmap.mmap(a, 65536)
block = mmap.mmap(-1, 4096)
def all_see(offset, byte):
    os.preadv(d, [block], offset - offset % 4096)
    return [os.pread(a, 1, offset), os.pread(b, 1, offset),
            mapped[offset:offset + 1], block[offset % 4096:offset % 4096 + 1]] == [byte] * 4
os.pwrite(a, b"A", 5000); print(all_see(5000, b"A"))
os.pwrite(w, b"W", 9001); print(all_see(9001, b"W"))
mapped[20000] = ord("M"); print(all_see(20000, b"M"))
block[:] = b"D" * 4096
os.pwritev(d, [block], 4096); print(all_see(5000, b"D"))
os.pwrite(a, b"E", 4097)
os.pwritev(d, [block], 8192); print(all_see(9001, b"D"), all_see(4097, b"E"))
rest = os.pread(a, 4096, 16384)
print(rest[:3616] == before[16384:20000] and rest[3617:] == before[20001:20480])
print(os.lseek(b, 0, os.SEEK_DATA), os.lseek(b, 0, os.SEEK_HOLE) == os.fstat(a).st_size)
`;

async function coherence(directory: string, transport: string) {
  const { image, mountpoint } = await imageIn(directory, SIZE);
  await using process = await cached(image, mountpoint, transport);
  const { cache } = process.ready;
  assertEquals(cache, { kind: "writeback", reason: null });
  assertEquals(await sizeOf(mountpoint), SIZE);
  await using client = await PythonClient.start(mountpoint);
  const told = await client.run(COHERENCE);
  assertEquals(told, [
    "True",
    "True",
    "True",
    "True",
    "True True",
    "True",
    "0 True",
  ]);
  await client.end();
  const { code, stderr } = await process.stop();
  assertEquals(code, 0, stderr);
  const found = await Deno.readFile(image);
  assertEquals([found[4097], found[5000], found[20000]], [69, 68, 77]);
}

mountTest(
  "with a write-back cache each handle sees what another has written",
  (directory) => coherence(directory, "--transport=device"),
  ["python3"],
);

uringTest(
  "with a write-back cache each handle sees what another has written, over io_uring",
  (directory) => coherence(directory, "--transport=uring"),
  ["python3"],
);

mountTest(
  "a write-back cache sends writes at fsync and close, and programs may set the times",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, SIZE);
    await using _ = await cached(image, mountpoint);
    await using client = await PythonClient.start(mountpoint);
    let stale = false;
    for (let i = 0; i < TRIES && !stale; i++) {
      await client.run(
        `a = os.open(path, os.O_RDWR); os.pwrite(a, bytes([${i}]) * 4096, 0)`,
      );
      stale = (await Deno.readFile(image))[7] !== i;
      await client.run(i % 2 === 0 ? "os.fsync(a)" : "os.close(a)");
      assertEquals((await Deno.readFile(image))[7], i);
    }
    assert(stale, "each write reached the image before fsync");
    await client.run("os.utime(path, ns=(10**18, 10**18 + 5))");
    const times = async () =>
      (await must("stat", "-c", "%.9Y", image, mountpoint)).split("\n");
    const set = "1000000000.000000005";
    assertEquals(await times(), [set, set]);
    await client.run(
      "a = os.open(path, os.O_RDWR); os.pwrite(a, b'x', 0); os.close(a)",
    );
    // The kernel keeps no time of writes for the root of a mount.
    const [below, above] = await times();
    assert(Number(below) > 1_500_000_000);
    assertEquals(above, set);
  },
  ["python3"],
);

/** Writes beyond the end, which the kernel cannot refuse at once. */
const BEYOND = `
a, b = (os.open(path, os.O_RDWR) for _ in range(2))
print(result(os.pwrite, a, b"x" * 8192, size - 4096))
print(result(os.fsync, a), result(os.fsync, a), result(os.fsync, b), result(os.fsync, b))
print(os.fstat(a).st_size - size)
print(result(os.pwrite, a, b"x" * 4096, size + 4096), result(os.close, a))
os.ftruncate(b, size)
print(os.fstat(b).st_size - size, os.pread(b, 1, size - 4096), result(os.fsync, b))
`;

mountTest(
  "a failed write-back is told at fsync to each handle, and at close",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, SIZE);
    await using process = await cached(image, mountpoint);
    await using client = await PythonClient.start(mountpoint);
    assertEquals(await client.run(BEYOND), [
      "0",
      "ENOSPC 0 ENOSPC 0",
      "4096",
      "0 ENOSPC",
      "0 b'x' ENOSPC",
    ]);
    await client.end();
    assertEquals((await process.stop()).code, 0);
    assertEquals(await sizeOf(image), SIZE);
  },
  ["python3"],
);

mountTest(
  "with a write-back cache a lost write is told to each program once",
  async (directory) => {
    await using below = await makeFailingDevice(directory, "b");
    const mountpoint = `${directory}/mnt.img`;
    await Deno.writeTextFile(mountpoint, "");
    await using _ = await cached(below.path, mountpoint);
    await using client = await PythonClient.start(mountpoint);
    const lose = `
a, b = (os.open(path, os.O_RDWR) for _ in range(2))
for number, fd in ((1, a), (2, b)): os.pwrite(fd, b"x" * 65536, ${LOST_FROM} + number * 65536)
print(*(result(os.fsync, fd) for fd in (a, b, a, b)))
`;
    assertEquals(await client.run(lose), ["EIO EIO 0 0"]);
  },
  ["python3", "losetup", "mount"],
);

mountTest(
  "a kill of the server loses what was not synchronized, and says so",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, SIZE);
    const before = await Deno.readFile(image);
    {
      await using process = await cached(image, mountpoint);
      await using client = await PythonClient.start(mountpoint);
      await client.run(`
a = os.open(path, os.O_RDWR)
os.pwrite(a, bytes([before[0] ^ 1]) * 4096, 0)
os.fsync(a)
os.pwrite(a, bytes([before[8192] ^ 1]) * 4096, 8192)
`);
      process.signal("SIGKILL");
      await process.ended;
      const [told] = await client.run("print(result(os.fsync, a))");
      assertMatch(told!, /^(ENOTCONN|ECONNABORTED|EIO)$/);
    }
    await using _ = await cached(image, mountpoint);
    await using client = await PythonClient.start(mountpoint);
    const kept = await client.run("print(before[0], before[8192])");
    // A sync by another program may have saved the second write.
    const [first, second] = kept[0]!.split(" ").map(Number);
    assertEquals(first, before[0]! ^ 1);
    assert([before[8192]!, before[8192]! ^ 1].includes(second!));
  },
  ["python3"],
);

mountTest(
  "a write-back cache refuses to resize and to become read-only",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, SIZE);
    const socket = `${directory}/sock`;
    await using process = await cached(
      image,
      mountpoint,
      `--control=${socket}`,
    );
    const resized = await runMain(["ctl", socket, "resize", "8M"]);
    assertEquals(resized.code, 1);
    assertMatch(
      resized.stderr,
      /the kernel keeps a size of its own; export it/,
    );
    const readonly = await runMain(["ctl", socket, "readonly"]);
    assertEquals(readonly.code, 1);
    assertMatch(readonly.stderr, /the kernel may hold writes back/);
    const query = await runMain(["ctl", socket, "query"]);
    assertMatch(query.stdout, /\(4 MiB, read-write, write-back cache\)/);
    assertEquals(await sizeOf(mountpoint), SIZE);
    assertEquals((await process.stop()).code, 0);
  },
);

mountTest(
  "a file system on a loop device over a write-back cache is whole afterwards",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 64 * MIB);
    const mounted = `${directory}/fs`;
    await Deno.mkdir(mounted);
    await using process = await cached(image, mountpoint);
    {
      await using loop = await loopDevice(mountpoint);
      await must("mkfs.ext4", "-q", "-F", loop.path);
      await must("mount", loop.path, mounted);
      try {
        await must("cp", "-r", "/etc", mounted);
        await must("sync", "-f", mounted);
      } finally {
        await must("umount", mounted);
      }
      // A loop device closes its file a moment after the last use.
      await pause(100);
    }
    assertEquals((await process.stop()).code, 0);
    await must("e2fsck", "-fn", image);
  },
  ["losetup", "mkfs.ext4", "mount", "e2fsck"],
);
