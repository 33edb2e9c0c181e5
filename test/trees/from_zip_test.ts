import { assertEquals, assertRejects } from "@std/assert";
import { S_IF } from "../../src/base/file_flags.ts";
import { UserError } from "../../src/base/user_error.ts";
import type { ByteSource } from "../../src/trees/mod.ts";
import { fromZip } from "../../src/trees/zip/mod.ts";
import { Random } from "../_random.ts";
import { zip } from "./_archives.ts";
import { namesOf, readFile, readText, refusal, using } from "./_simulated.ts";

const MIB = 1 << 20;

Deno.test("a ZIP archive shows its files, directories, links and modes", async () => {
  const archive = zip([
    { name: "d/", mode: S_IF.DIR | 0o750 },
    { name: "d/stored", data: "as it is" },
    { name: "d/e/deflated", data: "x".repeat(5000), deflated: true },
    { name: "link", data: "d/stored", mode: S_IF.LNK | 0o777 },
    { name: "run", data: "", mode: S_IF.REG | 0o755 },
  ]);
  await using(await fromZip(archive), async (client) => {
    assertEquals(await namesOf(client, ""), ["d", "link", "run"]);
    assertEquals(await namesOf(client, "d"), ["e", "stored"]);
    assertEquals(await readText(client, "link"), "as it is");
    assertEquals(await readText(client, "d/e/deflated"), "x".repeat(5000));
    assertEquals(await client.readlink("link"), "d/stored");
    const { mode, links } = await client.stat("d");
    assertEquals([mode, links], [S_IF.DIR | 0o750, 3]);
    assertEquals((await client.stat("d/e")).mode, S_IF.DIR | 0o755);
    assertEquals((await client.stat("run")).mode, S_IF.REG | 0o755);
    assertEquals(await refusal(() => client.unlink("run")), "EROFS");
  });
});

Deno.test("a path of a ZIP archive does not lead out, and the last one counts", async () => {
  const archive = zip([
    { name: "../../up", data: "up" },
    { name: "/root", data: "root" },
    { name: "./a//b", data: "old" },
    { name: "a/b", data: "new" },
    { name: "\udcff", data: "no UTF-8" },
  ]);
  await using(await fromZip(archive), async (client) => {
    assertEquals(await namesOf(client, ""), ["a", "root", "up", "\udcff"]);
    assertEquals(await readText(client, "a/b"), "new");
    assertEquals((await client.stat("a/b")).links, 1);
  });
});

Deno.test("large files of a ZIP archive are read at any offset", async () => {
  const data = new Random(1).bytes(5 * MIB + 123).map((byte) => byte & 15);
  const archive = zip([
    { name: "deflated", data, deflated: true },
    { name: "stored", data },
  ]);
  await using(await fromZip(new Blob([archive.slice()])), async (client) => {
    for (const name of ["deflated", "stored"]) {
      const file = await client.open(name);
      for (const at of [5 * MIB, 0, 3 * MIB + 1, 5 * MIB + 100, 10]) {
        const bytes = new Uint8Array(1000);
        const read = await file.pread(bytes, at);
        assertEquals(bytes.subarray(0, read), data.subarray(at, at + 1000));
      }
      await file.close();
      assertEquals(await readFile(client, name), data);
    }
  });
});

Deno.test("only what is read of a ZIP archive is requested", async () => {
  const data = new Random(1).bytes(8 * MIB);
  const archive = zip([{ name: "a", data }, { name: "b", data }]);
  let requested = 0;
  const source: ByteSource = {
    size: archive.length,
    async read(into, offset) {
      await Promise.resolve();
      requested += into.length;
      into.set(archive.subarray(offset, offset + into.length));
      return into.length;
    },
  };
  await using(await fromZip(source), async (client) => {
    const file = await client.open("b");
    await file.pread(new Uint8Array(4096), 7 * MIB);
    await file.close();
  });
  assertEquals(requested < MIB, true, `${requested} bytes requested`);
});

Deno.test("a wrong checksum of a ZIP archive fails reads", async () => {
  const large = new Random(1).bytes(5 * MIB);
  const archive = zip([
    { name: "small", data: "text", crc: 1 },
    { name: "deflated", data: "text", deflated: true, crc: 1 },
    { name: "large", data: large, deflated: true, crc: 1 },
    { name: "good", data: "good" },
  ]);
  await using(await fromZip(archive), async (client) => {
    for (const name of ["small", "deflated", "large"]) {
      assertEquals(await refusal(() => readFile(client, name)), "EIO", name);
    }
    assertEquals(await readText(client, "good"), "good");
    const file = await client.open("large");
    const bytes = new Uint8Array(1000);
    await file.pread(bytes, 1000);
    await file.close();
    assertEquals(bytes, large.subarray(1000, 2000));
  });
});

Deno.test("what a ZIP archive hides or this library cannot read is refused", async () => {
  const archive = zip([
    { name: "lzma", data: "text", method: 14 },
    { name: "encrypted", data: "a text of 12+", flags: 0x801 },
  ]);
  await using(await fromZip(archive), async (client) => {
    assertEquals(await refusal(() => readFile(client, "lzma")), "EOPNOTSUPP");
    assertEquals(await refusal(() => readFile(client, "encrypted")), "EACCES");
  });
});

Deno.test("what is no ZIP archive is refused", async () => {
  const archive = zip([{ name: "a", data: "text" }]);
  const damaged = [
    new Uint8Array(1000),
    archive.subarray(0, archive.length - 30),
    zip([{ name: "a\0b" }]),
    zip([{ name: "x".repeat(256) }]),
  ];
  for (const bytes of damaged) {
    await assertRejects(() => fromZip(bytes), UserError, "archive");
  }
});
