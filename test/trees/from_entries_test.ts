import { assertEquals, assertThrows } from "@std/assert";
import { Errno } from "../../src/base/errno.ts";
import { S_IF } from "../../src/base/file_flags.ts";
import { UserError } from "../../src/base/user_error.ts";
import { fromEntries } from "../../src/trees/mod.ts";
import { namesOf, readText, refusal, using } from "./_simulated.ts";

Deno.test("a literal tree shows texts, bytes, Blobs and directories", async () => {
  const fs = fromEntries({
    text: "some text",
    bytes: new Uint8Array([104, 105]),
    blob: new Blob(["of a blob"]),
    directory: { empty: {}, file: "below" },
  });
  await using(fs, async (client) => {
    assertEquals(await namesOf(client, ""), [
      "blob",
      "bytes",
      "directory",
      "text",
    ]);
    assertEquals(await readText(client, "text"), "some text");
    assertEquals(await readText(client, "bytes"), "hi");
    assertEquals(await readText(client, "blob"), "of a blob");
    assertEquals(await readText(client, "directory/file"), "below");
    assertEquals(await namesOf(client, "directory/empty"), []);
    const { mode, links } = await client.stat("directory");
    assertEquals([mode, links], [S_IF.DIR | 0o755, 3]);
    assertEquals((await client.stat("text")).size, 9);
    assertEquals(await refusal(() => client.unlink("text")), "EROFS");
    assertEquals(await refusal(() => client.stat("none")), "ENOENT");
  });
});

Deno.test("a function makes what is read until the file is closed", async () => {
  let count = 0;
  const fs = fromEntries({
    now: () => `${++count}`.repeat(200_000),
    later: () => Promise.resolve(new Uint8Array([120])),
  });
  await using(fs, async (client) => {
    const file = await client.open("now");
    const made = count;
    const bytes = new Uint8Array(10);
    assertEquals(await file.pread(bytes, 150_000), 10);
    assertEquals(bytes, new Uint8Array(10).fill(`${made}`.charCodeAt(0)));
    assertEquals((await file.fstat()).size, 200_000);
    assertEquals(count, made);
    const other = await client.open("now");
    assertEquals(count, made + 1);
    await other.close();
    await file.close();
    assertEquals(await readText(client, "later"), "x");
  });
});

Deno.test("what a function makes may be longer than stat(2) has said", async () => {
  let text = "short";
  await using(fromEntries({ grows: () => text }), async (client) => {
    assertEquals((await client.stat("grows")).size, 5);
    text = "longer than before";
    assertEquals(await readText(client, "grows"), text);
  });
});

Deno.test("the error of a function is that of the call", async () => {
  const fs = fromEntries({
    fails: () => Promise.reject(new Errno("ENODEV")),
  });
  await using(fs, async (client) => {
    assertEquals(await refusal(() => client.open("fails")), "ENODEV");
  });
});

Deno.test("a literal tree refuses names and values that cannot be shown", () => {
  const names = ["", ".", "..", "a/b", "a\0b", "x".repeat(256)];
  for (const name of names) {
    const tree = { below: { [name]: "" } };
    assertThrows(() => fromEntries(tree), UserError, "as an entry");
  }
  const tree = { below: { number: 5 as unknown as string } };
  assertThrows(() => fromEntries(tree), UserError, "Cannot use 5 as /below/");
});
