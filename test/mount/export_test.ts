import { assert, assertEquals } from "@std/assert";
import {
  exists,
  ExportProcess,
  imageIn,
  isMounted,
  MIB,
  mountTest,
  must,
  randomFile,
  run,
  shell,
  sizeOf,
} from "./_harness.ts";

mountTest(
  "export reports that it is ready, and what each queue did",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory);
    await using process = await ExportProcess.start(["-q4", image, mountpoint]);
    const { minor, pid, splicing, ...ready } = process.ready;
    assertEquals(ready, {
      event: "ready",
      mountpoint,
      source: image,
      size: 8 * MIB,
      writable: false,
      growable: false,
      loopSafe: false,
      queues: 4,
      singleQueueReason: null,
      mountMethod: "mount",
      allowOther: true,
      transport: {
        kind: "device",
        reason: null,
        batching: true,
        whyNoBatches: null,
      },
      passthrough: { kind: "off", reason: null },
      cache: { kind: "none", reason: null },
    });
    // From which size READs are spliced depends on the image's file system.
    assertEquals((splicing as { reason: unknown }).reason, null);
    assert(typeof minor === "number" && minor >= 31);
    assert(await exists(`/proc/${pid}`));
    const mounts = await Deno.readTextFile("/proc/mounts");
    assert(mounts.includes(`${image} ${mountpoint} fuse.mqfuse ro,`));
    const { code, stderr } = await process.stop();
    assertEquals(code, 0, stderr);
    assertEquals(process.events.map(({ event }) => event), [
      "ready",
      "notice",
      "closed",
    ]);
    assertEquals(process.totals.map(({ index }) => index), [0, 1, 2, 3]);
    const line = `Exporting ${image} (8 MiB, read-only) at ${mountpoint}: ` +
      `4 queues over /dev/fuse, in batches, FUSE 7.${minor}, allow-other on; stop with Ctrl-C, 'kill ${pid}' or ` +
      `'umount ${mountpoint}'`;
    assertEquals(stderr.split("\n")[0], line);
    assertEquals(await Deno.readTextFile(mountpoint), "underneath");
    assertEquals(isMounted(mountpoint), false);
  },
);

mountTest(
  "--offset and --size export a part of an image",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 4 * MIB);
    const part = ["--offset=1M", "--size", "512k"];
    await using process = await ExportProcess.start([
      "-w",
      ...part,
      image,
      mountpoint,
    ]);
    assertEquals(process.ready.size, MIB / 2);
    await must("cmp", "-n", "524288", "-i", "1048576:0", image, mountpoint);
    const line = 'printf changed | dd of="$1" conv=notrunc bs=7 seek=1';
    assertEquals((await shell(line, mountpoint)).code, 0);
    const size = [`of=${mountpoint}`, "bs=600k", "count=1", "conv=notrunc"];
    const tooMuch = await run("dd", "if=/dev/zero", ...size);
    assert(tooMuch.code !== 0);
    assertEquals((await process.stop()).code, 0);
    const bytes = await Deno.readFile(image);
    assertEquals(bytes.length, 4 * MIB);
    const end = MIB + MIB / 2;
    const isZero = (byte: number) => byte === 0;
    assert(bytes.subarray(MIB, end).every(isZero));
    assert(!bytes.subarray(end, end + 4096).every(isZero));
    assert(!bytes.subarray(MIB - 4096, MIB).every(isZero));
  },
  ["cmp"],
);

/** An empty file to mount on. */
async function emptyFile(path: string): Promise<string> {
  await Deno.writeTextFile(path, "");
  return path;
}

mountTest(
  "memory: is a disk of zeroes that keeps writes",
  async (directory) => {
    const mountpoint = await emptyFile(`${directory}/mnt.img`);
    const args = ["-w", "--truncate=zero", "memory:4M", mountpoint];
    await using process = await ExportProcess.start(args);
    assertEquals(process.ready.source, "memory:4M");
    await must("cmp", "-n", "4194304", mountpoint, "/dev/zero");
    const file = `${directory}/file`;
    await randomFile(file, 4 * MIB);
    await must("cp", file, mountpoint);
    await must("cmp", file, mountpoint);
    assertEquals((await process.stop()).code, 0);
  },
  ["cmp"],
);

mountTest("null: reads as zeroes", async (directory) => {
  const mountpoint = await emptyFile(`${directory}/mnt.img`);
  await using process = await ExportProcess.start(["null:1T", mountpoint]);
  assertEquals(await sizeOf(mountpoint), 2 ** 40);
  await must("cmp", "-n", "1048576", mountpoint, "/dev/zero");
  assertEquals((await process.stop()).code, 0);
}, ["cmp"]);

mountTest("pattern: holds the position of each word", async (directory) => {
  const mountpoint = await emptyFile(`${directory}/mnt.img`);
  await using process = await ExportProcess.start(["pattern:1M", mountpoint]);
  const line = 'od -An -tx1 -j 65536 -N 8 "$1" | tr -d " \\n"';
  const { stdout } = await shell(line, mountpoint);
  assertEquals(stdout, "0000000000010000");
  assertEquals((await process.stop()).code, 0);
});

mountTest("--offset and --size take a part of any disk", async (directory) => {
  const mountpoint = await emptyFile(`${directory}/mnt.img`);
  const part = ["--offset=64k", "--size=128k", "pattern:1M", mountpoint];
  await using process = await ExportProcess.start(part);
  assertEquals(process.ready.size, 131072);
  const line = 'od -An -tx1 -j 65536 "$1" | tr -d " \\n" | head -c 16';
  const { stdout } = await shell(line, mountpoint);
  assertEquals(stdout, "0000000000020000");
  assertEquals((await process.stop()).code, 0);
});
