import { assertEquals, assertRejects } from "@std/assert";
import { S_IF } from "../../src/base/file_flags.ts";
import { UserError } from "../../src/base/user_error.ts";
import { fromTar } from "../../src/trees/tar/mod.ts";
import { Random } from "../_random.ts";
import { paxRecord, tar } from "./_archives.ts";
import { namesOf, readFile, readText, refusal, using } from "./_simulated.ts";

Deno.test("a tar archive shows every type of file", async () => {
  const archive = tar([
    { name: "d/", type: "5", mode: 0o1777 },
    { name: "d/file", data: "some text", mode: 0o4755 },
    { name: "d/hard", type: "1", target: "d/file" },
    { name: "link", type: "2", target: "d/file" },
    { name: "null", type: "3", device: [1, 3] },
    { name: "disk", type: "4", device: [259, 300] },
    { name: "fifo", type: "6" },
    { name: "\udcff", data: "no UTF-8" },
  ]);
  await using(await fromTar(archive), async (client) => {
    assertEquals(await namesOf(client, "d"), ["file", "hard"]);
    assertEquals(await readText(client, "link"), "some text");
    assertEquals((await namesOf(client, "")).at(-1), "\udcff");
    const { mode, links, uid, gid, mtime } = await client.stat("d/hard");
    assertEquals([mode, links], [S_IF.REG | 0o4755, 2]);
    assertEquals([uid, gid, mtime], [1000, 100, 1_600_000_000n * 10n ** 9n]);
    assertEquals((await client.stat("d")).mode, S_IF.DIR | 0o1777);
    assertEquals((await client.stat("null")).rdev, 0x103);
    assertEquals((await client.stat("disk")).rdev, 0x11032c);
    assertEquals((await client.stat("fifo")).mode, S_IF.FIFO | 0o644);
  });
});

Deno.test("extended headers of a tar archive count", async () => {
  const long = `${"long/".repeat(60)}name\nof two lines`;
  const records = [
    paxRecord("path", long),
    paxRecord("mtime", "-1.5"),
    paxRecord("uid", "3000000"),
  ];
  const archive = tar([
    { name: "x", type: "x", data: records.join("") },
    { name: "short", data: "pax" },
    { name: "././@LongLink", type: "L", data: `${"gnu/".repeat(50)}a\0` },
    { name: "cut", data: "gnu" },
    { name: "././@LongLink", type: "K", data: "far/away\0" },
    { name: "link", type: "2", target: "cut" },
    { name: "last", data: "plain" },
  ]);
  await using(await fromTar(archive), async (client) => {
    assertEquals(await namesOf(client, ""), ["gnu", "last", "link", "long"]);
    assertEquals(await readText(client, long), "pax");
    assertEquals(await readText(client, `${"gnu/".repeat(50)}a`), "gnu");
    assertEquals(await client.readlink("link"), "far/away");
    const { mtime, uid } = await client.stat(long);
    assertEquals([mtime, uid], [-1_500_000_000n, 3_000_000]);
    assertEquals((await client.stat("last")).uid, 1000);
  });
});

Deno.test("a file of a tar archive is read at any offset", async () => {
  const data = new Random(1).bytes(300_000);
  const archive = tar([{ name: "a", data: "before" }, { name: "b", data }]);
  await using(await fromTar(archive), async (client) => {
    assertEquals(await readFile(client, "b"), data);
    const file = await client.open("b");
    const bytes = new Uint8Array(1000);
    assertEquals(await file.pread(bytes, 299_500), 500);
    await file.close();
    assertEquals(bytes.subarray(0, 500), data.subarray(299_500));
  });
});

Deno.test("what is not in a tar archive as a whole cannot be read", async () => {
  const sparse = [paxRecord("GNU.sparse.realsize", "5000")].join("");
  const archive = tar([
    { name: "hard", type: "1", target: "elsewhere" },
    { name: "x", type: "x", data: sparse },
    { name: "sparse", data: "map" },
  ]);
  await using(await fromTar(archive), async (client) => {
    assertEquals((await client.stat("sparse")).size, 5000);
    assertEquals(await refusal(() => readFile(client, "sparse")), "EOPNOTSUPP");
    assertEquals(await namesOf(client, ""), ["hard", "sparse"]);
  });
});

Deno.test("what is no tar archive is refused", async () => {
  const archive = tar([{ name: "a", data: new Uint8Array(2000) }]);
  const damaged = [
    new Random(1).bytes(2048),
    archive.subarray(0, 1500),
    // A header that is cut off, also the one after a whole entry.
    archive.subarray(0, 100),
    archive.subarray(0, 512 + 2048 + 100),
    Uint8Array.from(archive, (byte, at) => at === 100 ? 1 : byte),
  ];
  for (const bytes of damaged) {
    await assertRejects(() => fromTar(bytes), UserError, "tar archive");
  }
});
