import { assert, assertEquals } from "@std/assert";
import { kernelTest } from "../requirements.ts";
import {
  ExportProcess,
  imageIn,
  inDirectory,
  must,
  randomFile,
  run,
  shell,
} from "./_harness.ts";

const MIB = 1 << 20;

/** A time of a file as `stat` prints it, with nanoseconds. */
async function mtimeOf(path: string): Promise<string> {
  return await must("stat", "-c", "%.9Y", path);
}

kernelTest(
  "an image of fixed size is not wiped by cp or >",
  () =>
    inDirectory(async (directory) => {
      const { image, mountpoint } = await imageIn(directory, 2 * MIB);
      const before = await Deno.readFile(image);
      const small = `${directory}/small`;
      await randomFile(small, 10_000);
      const large = `${directory}/large`;
      await randomFile(large, 3 * MIB);
      await using process = await ExportProcess.start([
        "-w",
        image,
        mountpoint,
      ]);
      assertEquals((await shell(': > "$1"', mountpoint)).code, 0);
      assertEquals(await Deno.readFile(image), before);
      await must("cp", small, mountpoint);
      before.set(await Deno.readFile(small));
      assertEquals(await Deno.readFile(image), before);
      const tooLarge = await run("cp", large, mountpoint);
      assert(tooLarge.code !== 0);
      assertEquals(await must("stat", "-c", "%s", mountpoint), String(2 * MIB));
      const start = (await Deno.readFile(large)).subarray(0, 2 * MIB);
      assertEquals(await Deno.readFile(image), start);
      assertEquals((await process.stop()).code, 0);
    }),
);

kernelTest(
  "the image's mtime changes with writes, not with looking",
  () =>
    inDirectory(async (directory) => {
      const { image, mountpoint } = await imageIn(directory, MIB);
      await must("touch", "-d", "2001-02-03 04:05:06.123456789", image);
      const old = await mtimeOf(image);
      await using process = await ExportProcess.start([
        "-w",
        image,
        mountpoint,
      ]);
      assertEquals(await mtimeOf(mountpoint), old);
      await must("cmp", image, mountpoint);
      await must("cp", "-p", mountpoint, `${directory}/copy`);
      assertEquals(await mtimeOf(mountpoint), old);
      assertEquals(await mtimeOf(image), old);
      assertEquals(await mtimeOf(`${directory}/copy`), old);
      const block = ["if=/dev/zero", `of=${mountpoint}`, "bs=4k", "count=1"];
      await must("dd", ...block, "conv=notrunc,fsync");
      const written = await mtimeOf(image);
      assert(written !== old);
      await must("touch", "-d", "2002-02-02 02:02:02.5", mountpoint);
      assertEquals(await mtimeOf(image), await mtimeOf(mountpoint));
      assert((await mtimeOf(image)).endsWith(".500000000"));
      await must("touch", mountpoint);
      assert(await mtimeOf(image) > written);
      assertEquals((await process.stop()).code, 0);
    }),
  ["cmp"],
);

kernelTest(
  "an image that can only be read is not changed",
  () =>
    inDirectory(async (directory) => {
      const { image, mountpoint } = await imageIn(directory, MIB);
      const before = await Deno.readFile(image);
      const old = await mtimeOf(image);
      await using process = await ExportProcess.start([image, mountpoint]);
      assertEquals(await must("stat", "-c", "%a %s", mountpoint), `400 ${MIB}`);
      for (
        const line of [
          ': > "$1"',
          'touch "$1"',
          'truncate -s 0 "$1"',
          'dd if=/dev/zero of="$1" bs=4k count=1 conv=notrunc',
          'chmod u+w "$1"',
          'rm "$1"',
        ]
      ) {
        assert((await shell(line, mountpoint)).code !== 0, line);
      }
      assertEquals((await process.stop()).code, 0);
      assertEquals(await Deno.readFile(image), before);
      assertEquals(await mtimeOf(image), old);
    }),
);

kernelTest(
  "a growable image grows by writing, and is cut by >",
  () =>
    inDirectory(async (directory) => {
      const { image, mountpoint } = await imageIn(directory, MIB);
      await Deno.writeTextFile(image, "");
      const file = `${directory}/file`;
      await randomFile(file, 3 * MIB + 123);
      await using process = await ExportProcess.start([
        "-w",
        "--growable",
        "-q4",
        image,
        mountpoint,
      ]);
      assertEquals([process.ready.size, process.ready.growable], [0, true]);
      await must("cp", file, mountpoint);
      await must("cmp", file, mountpoint);
      assertEquals((await shell('echo more >> "$1"', mountpoint)).code, 0);
      assertEquals((await Deno.stat(image)).size, 3 * MIB + 128);
      await must("truncate", "-s", "1M", mountpoint);
      assertEquals(await must("stat", "-c", "%s", mountpoint), String(MIB));
      assertEquals((await shell('echo short > "$1"', mountpoint)).code, 0);
      assertEquals(await Deno.readTextFile(image), "short\n");
      assertEquals((await process.stop()).code, 0);
    }),
  ["cmp"],
);

kernelTest(
  "several programs let an image grow at once",
  () =>
    inDirectory(async (directory) => {
      const { mountpoint } = await imageIn(directory, MIB);
      const file = `${directory}/file`;
      await randomFile(file, 8 * MIB);
      await using process = await ExportProcess.start([
        "-w",
        "--growable",
        "-q4",
        "memory:4k",
        mountpoint,
      ]);
      await Promise.all([0, 1, 2, 3].map((part) =>
        must(
          "dd",
          `if=${file}`,
          `of=${mountpoint}`,
          "bs=16k",
          "count=128",
          `skip=${part * 128}`,
          `seek=${part * 128}`,
          "conv=notrunc",
        )
      ));
      await must("cmp", file, mountpoint);
      assertEquals((await process.stop()).code, 0);
    }),
  ["cmp"],
);

kernelTest(
  "df tells the size and use of the image",
  () =>
    inDirectory(async (directory) => {
      const image = `${directory}/sparse.img`;
      const mountpoint = `${directory}/mnt.img`;
      await Deno.writeTextFile(mountpoint, "");
      await randomFile(image, MIB);
      await Deno.truncate(image, 16 * MIB);
      await using process = await ExportProcess.start([image, mountpoint]);
      const columns = "--output=size,used,avail,fstype,source";
      const table = await must("df", "-B1", columns, mountpoint);
      const [size, used, free, type, source] = table.split("\n")[1]!
        .split(/\s+/).filter((cell) => cell !== "");
      assertEquals(Number(size), 16 * MIB);
      assertEquals(Number(used) + Number(free), 16 * MIB);
      assert(Number(used) >= MIB && Number(used) < 2 * MIB, used);
      assertEquals([type, source], ["fuse.mqfuse", image]);
      assertEquals((await process.stop()).code, 0);
    }),
);
