import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  checklist,
  ExportProcess,
  imageIn,
  MIB,
  mountTest,
  must,
  randomFile,
} from "./_harness.ts";

/** The time of the last change, with nanoseconds. */
async function mtimeOf(path: string): Promise<string> {
  return await must("stat", "-c", "%.9Y", path);
}

mountTest("mtime changes with writes, not with reads", async (directory) => {
  const { image, mountpoint } = await imageIn(directory, MIB);
  await must("touch", "-d", "2001-02-03 04:05:06.123456789", image);
  const old = await mtimeOf(image);
  await using process = await ExportProcess.start(["-w", image, mountpoint]);
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
}, ["cmp"]);

mountTest("df shows the size and use of the image", async (directory) => {
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
});

mountTest(
  checklist(26, "df and sync send STATFS and FSYNC"),
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, MIB);
    const args = ["-w", "--trace", image, mountpoint];
    await using process = await ExportProcess.start(args);
    const size = await must("df", "-B1", "--output=size", mountpoint);
    assertMatch(size, new RegExp(`\\b${MIB}$`));
    await must("head", "-c", "1", mountpoint);
    await must("sync", mountpoint);
    assertEquals((await process.stop()).code, 0);
    const messages = process.events.filter(({ event }) => event === "message");
    const names = new Set(messages.map(({ name }) => name));
    for (const name of ["INIT", "OPEN", "READ", "STATFS", "FSYNC"]) {
      assert(names.has(name), name);
    }
  },
);
