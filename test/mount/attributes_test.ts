import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  checklist,
  ExportProcess,
  imageIn,
  MIB,
  mountTest,
  must,
  randomFile,
  sideBySide,
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
  // No share of inodes in use, of which a monitor could warn.
  const inodes = await must("df", "--output=itotal,ipcent", mountpoint);
  assertMatch(inodes, /\n *0 +-$/);
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

/** Touches "$1" and "$2" in turn; counts how often the later one is older. */
const TOUCH_IN_TURN = `
  wrong=0
  for i in $(seq 20); do
    touch "$1"; touch "$2"; [ "$2" -ot "$1" ] && wrong=$((wrong + 1))
    touch "$1"; [ "$1" -ot "$2" ] && wrong=$((wrong + 1))
    [ -z "$3" ] || { printf x >>"$2"; [ "$2" -ot "$1" ] && wrong=$((wrong + 1)); }
  done
  echo $wrong`;

mountTest("what is touched later is not older", async (directory, t) => {
  const { image } = await imageIn(directory, MIB);
  await sideBySide(
    t,
    [image, "memory:1M", "null:1M"].map((
      source,
      index,
    ) => [source, async () => {
      const mountpoint = `${directory}/mnt${index}`;
      await Deno.writeTextFile(mountpoint, "");
      const args = ["-w", "--growable", "-q", "2", source, mountpoint];
      await using process = await ExportProcess.start(args);
      const file = `${directory}/file${index}`;
      const writes = source.startsWith("null") ? "" : "and write";
      const arguments_ = ["-c", TOUCH_IN_TURN, "sh", file, mountpoint, writes];
      assertEquals(await must("bash", ...arguments_), "0");
      assertEquals((await process.stop()).code, 0);
    }]),
  );
}, ["bash"]);

/** Times, and what stat(1) calls them on tmpfs. */
const FAR_TIMES = {
  "2500-01-02 03:04:05.123456789 UTC": "16725323045.123456789",
  "1900-01-02 03:04:05.987654321 UTC": "-2208891354.012345679",
  "1969-12-31 23:59:59.999999999 UTC": "-0.000000001",
  "2106-02-07 06:28:16.000000001 UTC": "4294967296.000000001",
};

mountTest("times far away are kept as they were set", async (directory, t) => {
  const { image } = await imageIn(directory, MIB);
  await sideBySide(
    t,
    [image, "memory:1M", "null:1M"].map((
      source,
      index,
    ) => [source, async () => {
      const mountpoint = `${directory}/mnt${index}`;
      await Deno.writeTextFile(mountpoint, "");
      await using process = await ExportProcess.start([
        "-w",
        source,
        mountpoint,
      ]);
      for (const [date, kept] of Object.entries(FAR_TIMES)) {
        await must("touch", "-d", date, mountpoint);
        // The file system of an image has limits of its own.
        const expected = source === image ? await mtimeOf(image) : kept;
        assertEquals(await mtimeOf(mountpoint), expected);
        const change = Number(await must("stat", "-c", "%Z", mountpoint));
        assert(Math.abs(change - Date.now() / 1000) < 3600, String(change));
      }
      await must(
        "touch",
        "-d",
        "2025-05-05 05:05:05.000000005 UTC",
        mountpoint,
      );
      assertEquals(await mtimeOf(mountpoint), "1746421505.000000005");
      assertEquals((await process.stop()).code, 0);
    }]),
  );
});
