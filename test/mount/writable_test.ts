import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  allocatedOf,
  ExportProcess,
  imageIn,
  item,
  MIB,
  must,
  qemuIo,
  run,
  sizeOf,
} from "./_checklist.ts";

const WRITE = "write -P 42 1M 64k";
const GROWTH = 65536;

item(10, "qemu-io writes as to the image itself", async (directory) => {
  const { image, mountpoint } = await imageIn(directory, 4 * MIB);
  const copy = `${directory}/copy`;
  await must("cp", image, copy);
  await using process = await ExportProcess.start(["-w", image, mountpoint]);
  for (const path of [mountpoint, copy]) {
    assertMatch(await qemuIo(path, WRITE), /wrote 65536\/65536/);
  }
  assertMatch(await qemuIo(mountpoint, "read -P 42 1M 64k"), /read 65536/);
  assertEquals((await process.stop()).code, 0);
  await must("cmp", image, copy);
}, ["qemu-io", "cmp"]);

item(11, "an export of fixed size is full at its end", async (directory) => {
  const { image, mountpoint } = await imageIn(directory, MIB);
  await using process = await ExportProcess.start(["-w", image, mountpoint]);
  const { code, stderr } = await run(
    "dd",
    "if=/dev/zero",
    `of=${mountpoint}`,
    "bs=1",
    "count=64k",
    `seek=${MIB}`,
    "conv=notrunc",
  );
  assertEquals(code, 1);
  assertMatch(stderr, /error writing .*: No space left on device/);
  assertMatch(stderr, /1\+0 records in\n0\+0 records out/);
  assertEquals(await sizeOf(mountpoint), MIB);
  assertEquals((await process.stop()).code, 0);
  assertEquals((await Deno.stat(image)).size, MIB);
});

item(12, "fallocate grows an export of fixed size", async (directory) => {
  const { image, mountpoint } = await imageIn(directory, MIB);
  const before = await allocatedOf(image);
  await using process = await ExportProcess.start(["-w", image, mountpoint]);
  await must("fallocate", "-o", `${MIB}`, "-l", `${GROWTH}`, mountpoint);
  assertEquals(await sizeOf(mountpoint), MIB + GROWTH);
  assertEquals(await sizeOf(image), MIB + GROWTH);
  assert(await allocatedOf(image) >= before + GROWTH);
  assertEquals((await process.stop()).code, 0);
}, ["fallocate"]);

item(13, "a growable export grows by writing", async (directory) => {
  const { image, mountpoint } = await imageIn(directory, MIB);
  const args = ["-w", "--growable", image, mountpoint];
  await using process = await ExportProcess.start(args);
  const { code, stderr } = await run(
    "dd",
    "if=/dev/zero",
    `of=${mountpoint}`,
    "bs=8",
    "count=8k",
    "oflag=seek_bytes",
    `seek=${MIB}`,
    "conv=notrunc",
  );
  assertEquals(code, 0, stderr);
  assertMatch(stderr, /8192\+0 records out/);
  assertEquals(await sizeOf(mountpoint), MIB + GROWTH);
  assertEquals(await sizeOf(image), MIB + GROWTH);
  assertEquals((await process.stop()).code, 0);
});

item(14, "truncate shrinks both sides again", async (directory) => {
  const { image, mountpoint } = await imageIn(directory, MIB);
  for (const growable of [[], ["--growable"]]) {
    const args = ["-w", ...growable, image, mountpoint];
    await using process = await ExportProcess.start(args);
    await must("fallocate", "-o", `${MIB}`, "-l", `${GROWTH}`, mountpoint);
    assertEquals(await sizeOf(image), MIB + GROWTH);
    await must("truncate", "-s", `${MIB}`, mountpoint);
    assertEquals(await sizeOf(mountpoint), MIB);
    assertEquals(await sizeOf(image), MIB);
    assertEquals((await process.stop()).code, 0);
  }
}, ["fallocate"]);

item(22, "qemu-img resizes, and reserves space if told", async (directory) => {
  const { image, mountpoint } = await imageIn(directory, MIB);
  for (const start of [0, MIB]) {
    for (const kind of ["off", "falloc", "full"]) {
      await Deno.remove(image);
      await Deno.writeFile(image, new Uint8Array(start));
      const before = await allocatedOf(image);
      const args = ["-w", "--growable", image, mountpoint];
      await using process = await ExportProcess.start(args);
      const resize = ["resize", "-q", "-f", "raw", `--preallocation=${kind}`];
      await must("qemu-img", ...resize, mountpoint, "+256K");
      assertEquals(await sizeOf(mountpoint), start + 256 * 1024);
      assertEquals(await sizeOf(image), start + 256 * 1024);
      const grown = await allocatedOf(mountpoint) - before;
      assertEquals(await allocatedOf(image), before + grown);
      // QEMU allocates the first block of an empty image, for a probe of its.
      if (kind === "off") assert(grown <= 4096);
      else assert(grown >= 256 * 1024, `${kind} took ${grown} bytes`);
      await must("qemu-img", ...resize, mountpoint, "4M");
      assertEquals(await sizeOf(image), 4 * MIB);
      assertEquals((await process.stop()).code, 0);
    }
  }
}, ["qemu-img"]);
