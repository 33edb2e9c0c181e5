import { assert, assertEquals } from "@std/assert";
import { XATTR } from "../../src/protocol/mod.ts";
import { assertRefused, text } from "./_client.ts";
import { PAGE, ROOT, SECOND, setUp, times } from "./_memory.ts";

Deno.test("SETATTR sets mode, owner and times", () => {
  const { client, clock } = setUp();
  const { nodeid } = client.mknod(ROOT, "file");
  clock.now += SECOND;
  const owned = client.setattr(nodeid, ["MODE", "UID", "GID"], {
    mode: 0o104711,
    uid: 5,
    gid: 6,
  });
  assertEquals([owned.mode, owned.uid, owned.gid], [0o104711, 5, 6]);
  assertEquals(times(client, nodeid), [1000n, 1000n, 1001n]);
  // Before 1970, seconds are negative and nanoseconds are not.
  const touched = client.setattr(nodeid, ["ATIME", "MTIME"], {
    atime: BigInt.asUintN(64, -2n),
    atimensec: 999_999_999,
    mtime: 5n,
    mtimensec: 1,
  });
  assertEquals(BigInt.asIntN(64, touched.atime), -2n);
  assertEquals([touched.atimensec, touched.mtimensec], [999_999_999, 1]);
  client.setattr(nodeid, ["ATIME", "ATIME_NOW", "MTIME", "MTIME_NOW"]);
  assertEquals(times(client, nodeid), [1001n, 1001n, 1001n]);
  client.setattr(nodeid, ["CTIME"], { ctime: 3n });
  assertEquals(times(client, nodeid), [1001n, 1001n, 3n]);
});

Deno.test("SETATTR changes the size of files", () => {
  const { client, clock } = setUp();
  const { nodeid } = client.mknod(ROOT, "file");
  const resize = (nodeid: bigint, size: bigint) => () =>
    client.setattr(nodeid, ["SIZE"], { size });
  client.write(nodeid, 0, "abcdef");
  clock.now += SECOND;
  assertEquals(resize(nodeid, 3n)().size, 3n);
  assertEquals(times(client, nodeid), [1000n, 1001n, 1001n]);
  assertEquals(resize(nodeid, 5n)().size, 5n);
  assertEquals(text(client.read(nodeid)), "abc\0\0");
  assertRefused("EFBIG", resize(nodeid, 2n ** 62n));
});

Deno.test("each change sets the right times", () => {
  const { client, clock } = setUp();
  const tick = () => clock.now += SECOND;
  const dir = client.mkdir(ROOT, "dir").nodeid;
  const file = client.mknod(dir, "file").nodeid;
  client.write(file, 0, "x");
  tick();
  client.write(file, 0, "y");
  assertEquals(times(client, file), [1000n, 1001n, 1001n]);
  tick();
  client.link(file, dir, "link");
  assertEquals(times(client, file), [1000n, 1001n, 1002n]);
  assertEquals(times(client, dir), [1000n, 1002n, 1002n]);
  tick();
  client.rename(dir, "link", ROOT, "link");
  assertEquals(times(client, file)[2], 1003n);
  assertEquals(times(client, dir), [1000n, 1003n, 1003n]);
  assertEquals(times(client, ROOT).slice(1), [1003n, 1003n]);
  tick();
  client.unlink(ROOT, "link");
  assertEquals(times(client, file)[2], 1004n);
  assertEquals(times(client, ROOT).slice(1), [1004n, 1004n]);
});

Deno.test("WRITE fills holes with zeroes and reads them", () => {
  const { client } = setUp();
  const { nodeid } = client.mknod(ROOT, "file");
  assertEquals(client.write(nodeid, 3 * PAGE - 2, "wxyz"), 4);
  const { size, blocks, blksize } = client.getattr(nodeid);
  assertEquals([size, blocks, blksize], [BigInt(3 * PAGE + 2), 25n, PAGE]);
  const bytes = client.read(nodeid);
  assertEquals(bytes.length, 3 * PAGE + 2);
  assertEquals(text(bytes.slice(-4)), "wxyz");
  assert(bytes.slice(0, -4).every((byte) => byte === 0));
  assertEquals(client.read(nodeid, 3 * PAGE + 2).length, 0);
  assertEquals(client.read(nodeid, 9 * PAGE).length, 0);
  assertRefused("EFBIG", () => client.write(nodeid, 2n ** 60n, "x"));
});

Deno.test("listings are complete with buffers of any size", () => {
  const { client } = setUp();
  const dir = client.mkdir(ROOT, "dir").nodeid;
  client.mkdir(dir, "sub");
  client.symlink(dir, "link", "x");
  for (let i = 0; i < 200; i++) client.mknod(dir, "f".repeat(i % 99 + 1) + i);
  const whole = client.list(dir, 65536);
  assertEquals(whole.length, 204);
  assertEquals(whole.slice(0, 4).map(({ type }) => type), [4, 4, 4, 10]);
  assertEquals(whole[0]?.ino, dir);
  for (const plus of [true, false]) {
    for (const size of [320, 1000, 4096]) {
      const names = client.list(dir, size, plus).map(({ name }) => name);
      assertEquals(names, whole.map(({ name }) => name));
    }
  }
  for (const { name, entry } of whole.slice(2)) {
    assertEquals(entry?.nodeid, client.lookup(dir, name).nodeid);
  }
  assertRefused("EBADF", () => client.readdir(dir, 99n, 0n));
});

Deno.test("a listing continues while entries are added and removed", () => {
  const { client } = setUp();
  for (let i = 0; i < 40; i++) client.mknod(ROOT, `f${i}`);
  const fh = client.opendir(ROOT);
  const first = client.readdir(ROOT, fh, 0n, 1024);
  assertEquals(first.map(({ name }) => name).slice(2, 4), ["f0", "f1"]);
  // An entry that was listed, the next one, and one much later.
  for (const name of ["f0", `f${first.length - 2}`, "f30"]) {
    client.unlink(ROOT, name);
  }
  client.mknod(ROOT, "late");
  client.mknod(ROOT, "x");
  client.rename(ROOT, "x", ROOT, "f1");
  const rest: string[] = [];
  for (let at = first.at(-1)!.off;;) {
    const some = client.readdir(ROOT, fh, at, 1024);
    if (some.length === 0) break;
    rest.push(...some.map(({ name }) => name));
    at = some.at(-1)!.off;
  }
  const expected = Array.from({ length: 40 }, (_, i) => `f${i}`)
    .slice(first.length - 1).filter((name) => name !== "f30");
  assertEquals(rest, [...expected, "late"]);
  // seekdir(3) and rewinddir(3), with another listing in between.
  const again = client.readdir(ROOT, fh, first[3]!.off, 1024);
  assertEquals(again[0]?.name, first[4]!.name);
  assertEquals(client.readdir(ROOT, fh, 0n)[2]?.name, "f2");
  client.releasedir(ROOT, fh);
});

Deno.test("extended attributes", () => {
  const { client } = setUp();
  const { nodeid } = client.mknod(ROOT, "file");
  assertEquals(client.listxattr(nodeid), "");
  assertRefused("ENODATA", () => client.getxattr(nodeid, "user.a"));
  assertRefused("ENODATA", () => client.removexattr(nodeid, "user.a"));
  const replace = () => client.setxattr(nodeid, "user.a", "", XATTR.REPLACE);
  assertRefused("ENODATA", replace);
  client.setxattr(nodeid, "user.a", "12345", XATTR.CREATE);
  const create = () => client.setxattr(nodeid, "user.a", "", XATTR.CREATE);
  assertRefused("EEXIST", create);
  client.setxattr(nodeid, "user.b", "");
  assertEquals(client.getxattr(nodeid, "user.b"), "");
  assertEquals(client.getxattr(nodeid, "user.a", 5), "12345");
  assertEquals(client.getxattr(nodeid, "user.a", 0), "5");
  assertRefused("ERANGE", () => client.getxattr(nodeid, "user.a", 4));
  assertEquals(client.listxattr(nodeid), "user.a\0user.b\0");
  assertEquals(client.listxattr(nodeid, 0), "14");
  assertRefused("ERANGE", () => client.listxattr(nodeid, 13));
  client.setxattr(nodeid, "user.a", "6", XATTR.REPLACE);
  assertEquals(client.getxattr(nodeid, "user.a"), "6");
  client.removexattr(nodeid, "user.a");
  assertEquals(client.listxattr(nodeid), "user.b\0");
  const acl = "system.posix_acl_access";
  assertRefused("EOPNOTSUPP", () => client.setxattr(nodeid, acl, ""));
  assertRefused("EOPNOTSUPP", () => client.getxattr(nodeid, acl));
  const large = "v".repeat(65537);
  assertRefused("E2BIG", () => client.setxattr(nodeid, "user.a", large));
});
