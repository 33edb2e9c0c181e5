import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { O } from "../../src/protocol/mod.ts";
import { assertRefused, text } from "./_client.ts";
import { ROOT, setUp } from "./_memory.ts";

const LONGEST = "n".repeat(255);

Deno.test("the root is an empty directory", () => {
  const { client, handler } = setUp();
  const { mode, nlink, ino, size } = client.getattr(ROOT);
  assertEquals([mode, nlink, ino, size], [0o41777, 2, 1n, 0n]);
  assertEquals(client.list(ROOT).map(({ name }) => name), [".", ".."]);
  assertEquals(handler.nodes, 1);
});

Deno.test("LOOKUP finds names, and gives ENOENT for others", () => {
  const { client } = setUp();
  const dir = client.mkdir(ROOT, "dir");
  const file = client.mknod(dir.nodeid, "file");
  assertEquals(client.lookup(dir.nodeid, "file").nodeid, file.nodeid);
  assertEquals(dir.generation, file.generation);
  assertRefused("ENOENT", () => client.lookup(ROOT, "none"));
  assertRefused("ENAMETOOLONG", () => client.lookup(ROOT, `${LONGEST}n`));
  assertRefused("ESTALE", () => client.lookup(99n, "x"));
  assertEquals(client.mknod(ROOT, LONGEST).attr.nlink, 1);
});

Deno.test("names may have any bytes", () => {
  const { client } = setUp();
  const name = "\xff\xfe \n\\";
  const { nodeid } = client.mknod(ROOT, name);
  client.mknod(ROOT, "\xff\xfd \n\\");
  assertEquals(client.lookup(ROOT, name).nodeid, nodeid);
  assert(client.list(ROOT).some((entry) => entry.name === name));
});

Deno.test("a new inode belongs to its creator, or to the group of its directory", () => {
  const { client } = setUp();
  Object.assign(client, { uid: 7, gid: 8 });
  const dir = client.mkdir(ROOT, "dir", 0o775);
  assertEquals([dir.attr.uid, dir.attr.gid], [7, 8]);
  client.setattr(dir.nodeid, ["MODE", "GID"], { mode: 0o42775, gid: 9 });
  const file = client.mknod(dir.nodeid, "file", 0o640);
  assertEquals([file.attr.gid, file.attr.mode], [9, 0o100640]);
  const sub = client.mkdir(dir.nodeid, "sub", 0o755);
  assertEquals([sub.attr.gid, sub.attr.mode], [9, 0o42755]);
});

Deno.test("CREATE opens an existing file", () => {
  const { client } = setUp();
  const file = client.create(ROOT, "file");
  client.mkdir(ROOT, "dir");
  assertRefused("EEXIST", () => client.create(ROOT, "file", O.EXCL));
  client.write(file.nodeid, 0, "abc");
  assertEquals(client.create(ROOT, "file").nodeid, file.nodeid);
  assertEquals(text(client.read(file.nodeid)), "abc");
  assertEquals(client.create(ROOT, "file", O.TRUNC).attr.size, 0n);
  assertRefused("ESTALE", () => client.create(ROOT, "dir"));
});

Deno.test("link counts follow names and subdirectories", () => {
  const { client } = setUp();
  const a = client.mkdir(ROOT, "a").nodeid;
  const b = client.mkdir(ROOT, "b").nodeid;
  const sub = client.mkdir(a, "sub").nodeid;
  const nlinks = () => [ROOT, a, b, sub].map((n) => client.getattr(n).nlink);
  assertEquals(nlinks(), [4, 3, 2, 2]);
  client.rename(a, "sub", b, "moved");
  assertEquals(nlinks(), [4, 2, 3, 2]);
  client.rmdir(b, "moved");
  assertEquals(nlinks(), [4, 2, 2, 0]);
  const file = client.mknod(a, "one").nodeid;
  assertEquals(client.link(file, b, "two").attr.nlink, 2);
  client.unlink(a, "one");
  assertEquals(client.getattr(file).nlink, 1);
});

Deno.test("an open file exists without a name until it is forgotten", () => {
  const { client, handler } = setUp();
  const { nodeid } = client.create(ROOT, "file");
  client.write(nodeid, 0, "still here");
  client.unlink(ROOT, "file");
  assertEquals(client.getattr(nodeid).nlink, 0);
  client.write(nodeid, 10, "!");
  assertEquals(text(client.read(nodeid)), "still here!");
  assertEquals(handler.nodes, 2);
  client.forget(nodeid);
  assertEquals(handler.nodes, 1);
  assertRefused("ESTALE", () => client.getattr(nodeid));
});

Deno.test("a node is known until every lookup of it is forgotten", () => {
  const { client, handler } = setUp();
  const { nodeid } = client.mknod(ROOT, "file");
  for (let i = 0; i < 3; i++) client.lookup(ROOT, "file");
  client.list(ROOT);
  assertEquals(client.lookups.get(nodeid), 5n);
  client.list(ROOT, 4096, false);
  client.unlink(ROOT, "file");
  client.lookups.set(nodeid, 4n);
  client.forget(nodeid);
  assertEquals(handler.nodes, 2);
  client.lookups.set(nodeid, 1n);
  client.forget();
  assertEquals(handler.nodes, 1);
});

Deno.test("a forgotten node has the same id when it is looked up again", () => {
  const { client, handler } = setUp();
  const { nodeid } = client.mknod(ROOT, "file");
  client.forget();
  assertEquals(handler.nodes, 1);
  assertEquals(client.lookup(ROOT, "file").nodeid, nodeid);
});

Deno.test("nodeids are never used again", () => {
  const { client } = setUp();
  const first = client.mknod(ROOT, "file").nodeid;
  client.unlink(ROOT, "file");
  client.forget();
  assertNotEquals(client.mknod(ROOT, "file").nodeid, first);
});

Deno.test("SYMLINK keeps any target, READLINK returns it", () => {
  const { client } = setUp();
  const target = `../${"\xff".repeat(4000)}`;
  const { nodeid, attr } = client.symlink(ROOT, "link", target);
  assertEquals([attr.mode, attr.size], [0o120777, BigInt(target.length)]);
  assertEquals(client.readlink(nodeid), target);
});
