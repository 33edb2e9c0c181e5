import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  allocatedOf,
  checklist,
  ExportProcess,
  imageIn,
  MIB,
  mountTest,
  must,
  qemuIo,
  randomFile,
  run,
  shell,
  sizeOf,
} from "./_harness.ts";

const GROWTH = 65536;

mountTest(
  "a writable export of fixed size that does as QEMU does",
  async (directory, t) => {
    const { image, mountpoint } = await imageIn(directory, 2 * MIB);
    const copy = `${directory}/copy`;
    await must("cp", image, copy);
    const args = ["-w", "--truncate=as-qemu", image, mountpoint];
    await using process = await ExportProcess.start(args);

    await t.step(checklist(10, "qemu-io writes as to the image"), async () => {
      for (const path of [mountpoint, copy]) {
        const said = await qemuIo(path, "write -P 42 1M 64k");
        assertMatch(said, /wrote 65536\/65536/);
      }
      assertMatch(await qemuIo(mountpoint, "read -P 42 1M 64k"), /read 65536/);
      await must("cmp", image, copy);
    });
    await t.step(checklist(26, "> and cp do not truncate it"), async () => {
      assertEquals((await shell(': > "$1"', mountpoint)).code, 0);
      await must("cmp", image, copy);
      const small = `${directory}/small`;
      await randomFile(small, 10_000);
      await must("cp", small, mountpoint);
      await must("dd", `if=${small}`, `of=${copy}`, "conv=notrunc");
      await must("cmp", image, copy);
    });
    await t.step("a file that is too large is cut off at the end", async () => {
      const large = `${directory}/large`;
      await randomFile(large, 3 * MIB);
      assert((await run("cp", large, mountpoint)).code !== 0);
      await must("cmp", "-n", `${2 * MIB}`, image, large);
      assertEquals(await sizeOf(mountpoint), 2 * MIB);
    });
    await t.step(checklist(11, "it is full at its end"), async () => {
      const args = ["bs=1", "count=64k", `seek=${2 * MIB}`, "conv=notrunc"];
      const to = `of=${mountpoint}`;
      const { code, stderr } = await run("dd", "if=/dev/zero", to, ...args);
      assertEquals(code, 1);
      assertMatch(stderr, /error writing .*: No space left on device/);
      assertMatch(stderr, /1\+0 records in\n0\+0 records out/);
      assertEquals(await sizeOf(mountpoint), 2 * MIB);
      assertEquals(await sizeOf(image), 2 * MIB);
    });
    await t.step(checklist(12, "fallocate grows it"), async () => {
      const before = await allocatedOf(image);
      await must(
        "fallocate",
        "-o",
        `${2 * MIB}`,
        "-l",
        `${GROWTH}`,
        mountpoint,
      );
      assertEquals(await sizeOf(mountpoint), 2 * MIB + GROWTH);
      assertEquals(await sizeOf(image), 2 * MIB + GROWTH);
      assert(await allocatedOf(image) >= before + GROWTH);
    });
    await t.step(checklist(14, "truncate shrinks both sides"), async () => {
      await must("truncate", "-s", `${2 * MIB}`, mountpoint);
      assertEquals(await sizeOf(mountpoint), 2 * MIB);
      assertEquals(await sizeOf(image), 2 * MIB);
    });
    assertEquals((await process.stop()).code, 0);
  },
  ["qemu-io", "cmp", "fallocate"],
);

mountTest("a growable export", async (directory, t) => {
  const { image, mountpoint } = await imageIn(directory, 0);
  const file = `${directory}/file`;
  await randomFile(file, 3 * MIB + 123);
  const args = ["-wq4", "--growable", image, mountpoint];
  await using process = await ExportProcess.start(args);
  assertEquals([process.ready.size, process.ready.growable], [0, true]);

  await t.step("it grows by cp and >>", async () => {
    await must("cp", file, mountpoint);
    await must("cmp", file, mountpoint);
    assertEquals((await shell('echo more >> "$1"', mountpoint)).code, 0);
    assertEquals(await sizeOf(image), 3 * MIB + 128);
  });
  await t.step("> truncates it", async () => {
    assertEquals((await shell('echo short > "$1"', mountpoint)).code, 0);
    assertEquals(await Deno.readTextFile(image), "short\n");
  });
  await t.step(checklist(13, "it grows by small writes"), async () => {
    await must("truncate", "-s", `${MIB}`, mountpoint);
    assertEquals(await sizeOf(mountpoint), MIB);
    const how = ["bs=8", "count=8k", "oflag=seek_bytes", `seek=${MIB}`];
    const to = [`of=${mountpoint}`, "conv=notrunc"];
    const { code, stderr } = await run("dd", "if=/dev/zero", ...how, ...to);
    assertEquals(code, 0, stderr);
    assertMatch(stderr, /8192\+0 records out/);
    assertEquals(await sizeOf(mountpoint), MIB + GROWTH);
    assertEquals(await sizeOf(image), MIB + GROWTH);
  });
  await t.step(checklist(14, "truncate shrinks both sides"), async () => {
    const end = ["-o", `${MIB + GROWTH}`, "-l", `${GROWTH}`];
    await must("fallocate", ...end, mountpoint);
    assertEquals(await sizeOf(image), MIB + 2 * GROWTH);
    await must("truncate", "-s", `${MIB}`, mountpoint);
    assertEquals(await sizeOf(mountpoint), MIB);
    assertEquals(await sizeOf(image), MIB);
  });
  assertEquals((await process.stop()).code, 0);
}, ["cmp", "fallocate"]);

mountTest("several programs grow a memory disk at once", async (directory) => {
  const { mountpoint } = await imageIn(directory, 0);
  const file = `${directory}/file`;
  await randomFile(file, 8 * MIB);
  const args = ["-wq4", "--growable", "memory:4k", mountpoint];
  await using process = await ExportProcess.start(args);
  await Promise.all([0, 1, 2, 3].map((part) => {
    const range = ["count=128", `skip=${part * 128}`, `seek=${part * 128}`];
    const files = [`if=${file}`, `of=${mountpoint}`];
    return must("dd", ...files, "bs=16k", ...range, "conv=notrunc");
  }));
  await must("cmp", file, mountpoint);
  assertEquals((await process.stop()).code, 0);
}, ["cmp"]);

for (const start of [0, MIB]) {
  const name = `qemu-img resizes ${start} bytes, and reserves space if told`;
  mountTest(checklist(22, name), async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 0);
    const args = ["-w", "--growable", image, mountpoint];
    await using process = await ExportProcess.start(args);
    for (const kind of ["off", "falloc", "full"]) {
      const fill = 'head -c "$2" /dev/zero > "$1"';
      await must("sh", "-c", fill, "sh", mountpoint, String(start));
      const before = await allocatedOf(image);
      const resize = ["resize", "-q", "-f", "raw", `--preallocation=${kind}`];
      await must("qemu-img", ...resize, mountpoint, "+256K");
      assertEquals(await sizeOf(mountpoint), start + 256 * 1024);
      assertEquals(await sizeOf(image), start + 256 * 1024);
      const grown = await allocatedOf(mountpoint) - before;
      assertEquals(await allocatedOf(image), before + grown);
      // QEMU writes the first block of an empty image to probe its alignment.
      if (kind === "off") assert(grown <= 4096);
      else assert(grown >= 256 * 1024, `${kind} took ${grown} bytes`);
      await must("qemu-img", ...resize, mountpoint, "4M");
      assertEquals(await sizeOf(image), 4 * MIB);
    }
    assertEquals((await process.stop()).code, 0);
  }, ["qemu-img"]);
}

mountTest("--writethrough keeps what is written", async (directory) => {
  const { image, mountpoint } = await imageIn(directory, MIB);
  const rules = ["-w", "--growable", "--writethrough"];
  await using process = await ExportProcess.start([
    ...rules,
    image,
    mountpoint,
  ]);
  const output = [`of=${mountpoint}`, "bs=64k", "conv=notrunc"];
  await must("dd", "if=/dev/urandom", ...output, "count=8", "seek=12");
  await must("fallocate", "-z", "-l", "4096", mountpoint);
  await must("cmp", image, mountpoint);
  assertEquals(await sizeOf(image), 20 * 65536);
  assertEquals((await process.stop()).code, 0);
}, ["cmp", "fallocate"]);
