import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { O } from "../../src/protocol/mod.ts";
import { RENAME } from "../../src/base/file_flags.ts";
import { assertRefused, text } from "./_client.ts";
import { PAGE, ROOT, setUp } from "./_tree_fs.ts";

const LONGEST = "n".repeat(255);

Deno.test("the root is an empty directory", () => {
  const { client, fs } = setUp();
  const { mode, nlink, ino, size } = client.getattr(ROOT);
  assertEquals([mode, nlink, ino, size], [0o40755, 2, 1n, 0n]);
  assertEquals(client.list(ROOT).map(({ name }) => name), [".", ".."]);
  assertEquals(fs.inodes, 1);
});

Deno.test("LOOKUP finds names, . and .., and gives ENOENT for others", () => {
  const { client } = setUp();
  const dir = client.mkdir(ROOT, "dir");
  const file = client.mknod(dir.nodeid, "file");
  assertEquals(client.lookup(dir.nodeid, "file").nodeid, file.nodeid);
  assertEquals(client.lookup(dir.nodeid, "..").nodeid, ROOT);
  assertEquals(client.lookup(ROOT, "..").nodeid, ROOT);
  assertEquals(client.lookup(file.nodeid, ".").nodeid, file.nodeid);
  assertEquals(dir.generation, file.generation);
  assertRefused("ENOENT", () => client.lookup(ROOT, "none"));
  assertRefused("ENOTDIR", () => client.lookup(file.nodeid, "x"));
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

Deno.test("MKNOD makes FIFOs and devices that cannot be opened here", () => {
  const { client } = setUp();
  const fifo = client.mknod(ROOT, "fifo", 0o010600);
  const device = client.mknod(ROOT, "device", 0o060600, 0x801);
  assertEquals([device.attr.rdev, device.attr.mode], [0x801, 0o060600]);
  assertRefused("EINVAL", () => client.open(fifo.nodeid));
  assertRefused("EINVAL", () => client.read(fifo.nodeid));
  assertEquals(client.mknod(ROOT, "plain", 0o600).attr.mode, 0o100600);
});

Deno.test("every request that creates an inode refuses an existing name", () => {
  const { client } = setUp();
  const { nodeid } = client.mknod(ROOT, "file");
  for (
    const make of [
      () => client.mknod(ROOT, "file"),
      () => client.mkdir(ROOT, "file"),
      () => client.symlink(ROOT, "file", "x"),
      () => client.link(nodeid, ROOT, "file"),
      () => client.create(ROOT, "file", O.EXCL),
    ]
  ) assertRefused("EEXIST", make);
  for (
    const make of [
      () => client.mknod(nodeid, "x"),
      () => client.mkdir(nodeid, "x"),
      () => client.symlink(nodeid, "x", "x"),
      () => client.link(nodeid, nodeid, "x"),
      () => client.create(nodeid, "x"),
      () => client.unlink(nodeid, "x"),
      () => client.rmdir(nodeid, "x"),
      () => client.rename(nodeid, "x", ROOT, "x"),
      () => client.rename(ROOT, "file", nodeid, "x"),
      () => client.opendir(nodeid),
    ]
  ) assertRefused("ENOTDIR", make);
  for (
    const make of [
      () => client.mknod(ROOT, `${LONGEST}n`),
      () => client.mkdir(ROOT, `${LONGEST}n`),
      () => client.symlink(ROOT, `${LONGEST}n`, "x"),
      () => client.link(nodeid, ROOT, `${LONGEST}n`),
      () => client.create(ROOT, `${LONGEST}n`),
      () => client.rename(ROOT, "file", ROOT, `${LONGEST}n`),
      () => client.setxattr(nodeid, `user.${LONGEST}`, "x"),
    ]
  ) assertRefused("ENAMETOOLONG", make);
});

Deno.test("CREATE opens an existing file", () => {
  const { client } = setUp();
  const file = client.create(ROOT, "file");
  client.mkdir(ROOT, "dir");
  client.write(file.nodeid, 0, "abc");
  assertEquals(client.create(ROOT, "file").nodeid, file.nodeid);
  assertEquals(text(client.read(file.nodeid)), "abc");
  assertEquals(client.create(ROOT, "file", O.TRUNC).attr.size, 0n);
  assertRefused("EISDIR", () => client.create(ROOT, "dir"));
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
  assertEquals(client.lookup(sub, "..").nodeid, b);
  client.rmdir(b, "moved");
  assertEquals(nlinks(), [4, 2, 2, 0]);
  assertRefused("ENOENT", () => client.mknod(sub, "in what is removed"));
  const file = client.mknod(a, "one").nodeid;
  assertEquals(client.link(file, b, "two").attr.nlink, 2);
  client.unlink(a, "one");
  assertEquals(client.getattr(file).nlink, 1);
  assertRefused("EPERM", () => client.link(a, b, "a"));
});

Deno.test("UNLINK refuses directories, RMDIR anything else", () => {
  const { client } = setUp();
  const dir = client.mkdir(ROOT, "dir").nodeid;
  client.mknod(dir, "file");
  assertRefused("EISDIR", () => client.unlink(ROOT, "dir"));
  assertRefused("ENOTEMPTY", () => client.rmdir(ROOT, "dir"));
  assertRefused("ENOTDIR", () => client.rmdir(dir, "file"));
  assertRefused("ENOENT", () => client.unlink(ROOT, "none"));
  assertRefused("ENOENT", () => client.rmdir(ROOT, "none"));
});

Deno.test("an open file exists without a name until it is forgotten", () => {
  const { client, fs } = setUp();
  const before = fs.free;
  const { nodeid } = client.create(ROOT, "file");
  client.write(nodeid, 0, "still here");
  client.unlink(ROOT, "file");
  assertEquals(client.getattr(nodeid).nlink, 0);
  client.write(nodeid, 10, "!");
  assertEquals(text(client.read(nodeid)), "still here!");
  assertEquals([fs.inodes, fs.free], [2, before - PAGE]);
  client.forget(nodeid);
  assertEquals([fs.inodes, fs.free], [1, before]);
  assertRefused("ESTALE", () => client.getattr(nodeid));
});

Deno.test("an inode exists until every lookup of it is forgotten", () => {
  const { client, fs } = setUp();
  const { nodeid } = client.mknod(ROOT, "file");
  for (let i = 0; i < 3; i++) client.lookup(ROOT, "file");
  client.list(ROOT);
  assertEquals(client.lookups.get(nodeid), 5n);
  client.list(ROOT, 4096, false);
  client.unlink(ROOT, "file");
  client.lookups.set(nodeid, 4n);
  client.forget(nodeid);
  assertEquals(fs.inodes, 2);
  client.lookups.set(nodeid, 1n);
  client.forget();
  assertEquals(fs.inodes, 1);
});

Deno.test("forgetting keeps inodes with a name, and the root", () => {
  const { client, fs } = setUp();
  const { nodeid } = client.mknod(ROOT, "file");
  client.lookup(ROOT, ".");
  client.forget();
  assertEquals(fs.inodes, 2);
  assertEquals(client.lookup(ROOT, "file").nodeid, nodeid);
});

Deno.test("TMPFILE makes a file without a name, LINK gives it one", () => {
  const { client, fs } = setUp();
  const { nodeid, attr } = client.create(ROOT, "", 0, "TMPFILE");
  assertEquals(attr.nlink, 0);
  client.write(nodeid, 0, "x");
  assertEquals(client.link(nodeid, ROOT, "named").attr.nlink, 1);
  const other = client.create(ROOT, "", 0, "TMPFILE");
  client.forget(other.nodeid);
  assertEquals(fs.inodes, 2);
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
  assertRefused("EINVAL", () => client.readlink(ROOT));
  assertRefused("EINVAL", () => client.open(nodeid));
});

Deno.test("RENAME replaces an inode of the same kind", () => {
  const { client, fs } = setUp();
  const dir = client.mkdir(ROOT, "dir").nodeid;
  const sub = client.mkdir(dir, "sub").nodeid;
  const empty = client.mkdir(ROOT, "empty").nodeid;
  const file = client.mknod(ROOT, "file").nodeid;
  const other = client.mknod(dir, "other").nodeid;
  const none = () => client.rename(ROOT, "none", ROOT, "x");
  assertRefused("ENOENT", none);
  assertRefused("EISDIR", () => client.rename(ROOT, "file", ROOT, "dir"));
  assertRefused("ENOTDIR", () => client.rename(ROOT, "dir", ROOT, "file"));
  assertRefused("ENOTEMPTY", () => client.rename(ROOT, "empty", ROOT, "dir"));
  assertRefused("EINVAL", () => client.rename(ROOT, "dir", sub, "x"));
  assertRefused("EINVAL", () => client.rename(ROOT, "dir", dir, "x"));
  client.rename(ROOT, "file", dir, "other");
  assertEquals(client.lookup(dir, "other").nodeid, file);
  assertEquals(client.getattr(other).nlink, 0);
  client.rename(ROOT, "dir", ROOT, "empty");
  assertEquals(client.lookup(ROOT, "empty").nodeid, dir);
  assertEquals(client.getattr(empty).nlink, 0);
  assertEquals(client.getattr(ROOT).nlink, 3);
  client.rename(ROOT, "empty", ROOT, "empty");
  client.forget();
  assertEquals(fs.inodes, 4);
});

Deno.test("RENAME between two names of one file does nothing", () => {
  const { client } = setUp();
  const file = client.mknod(ROOT, "a").nodeid;
  client.link(file, ROOT, "b");
  client.rename(ROOT, "a", ROOT, "b");
  assertEquals(client.getattr(file).nlink, 2);
  assertEquals(client.lookup(ROOT, "a").nodeid, file);
});

Deno.test("RENAME2 can refuse to replace, or exchange the two", () => {
  const { client } = setUp();
  const dir = client.mkdir(ROOT, "dir").nodeid;
  const file = client.mknod(dir, "file").nodeid;
  const rename = (from: string, to: string, flags: number) => () =>
    client.rename(ROOT, from, ROOT, to, flags);
  client.mknod(ROOT, "x");
  assertRefused("EEXIST", rename("x", "dir", RENAME.NOREPLACE));
  rename("x", "y", RENAME.NOREPLACE)();
  assertRefused("ENOENT", rename("y", "none", RENAME.EXCHANGE));
  assertRefused("EINVAL", rename("y", "z", 4));
  assertRefused("EINVAL", rename("y", "z", 3));
  const exchange = [ROOT, "dir", dir, "file", RENAME.EXCHANGE] as const;
  assertRefused("EINVAL", () => client.rename(...exchange));
  const back = [dir, "file", ROOT, "dir", RENAME.EXCHANGE] as const;
  assertRefused("EINVAL", () => client.rename(...back));
  const sub = client.mkdir(dir, "sub").nodeid;
  client.rename(dir, "sub", ROOT, "y", RENAME.EXCHANGE);
  assertEquals(client.lookup(ROOT, "y").nodeid, sub);
  assertEquals(client.lookup(sub, "..").nodeid, ROOT);
  assertEquals(client.getattr(dir).nlink, 2);
  assertEquals(client.getattr(ROOT).nlink, 4);
  assertEquals(client.lookup(dir, "file").nodeid, file);
});
