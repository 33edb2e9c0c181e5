import { assert, assertEquals } from "@std/assert";
import { FALLOC_FL, FUSE_WRITE, O, SEEK } from "../../src/protocol/mod.ts";
import { XATTR } from "../../src/base/file_flags.ts";
import { assertRefused, text } from "./_client.ts";
import { PAGE, ROOT, SECOND, setUp, times } from "./_tree_fs.ts";

Deno.test("SETATTR sets mode, owner and times", () => {
  const { client, clock } = setUp();
  const { nodeid } = client.mknod(ROOT, "file");
  clock.now += SECOND;
  const owned = client.setattr(nodeid, ["MODE", "UID", "GID"], {
    mode: 0o4711,
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

Deno.test("SETATTR changes the size of files only", () => {
  const { client, clock } = setUp();
  const { nodeid } = client.mknod(ROOT, "file");
  const link = client.symlink(ROOT, "link", "x").nodeid;
  const resize = (nodeid: bigint, size: bigint) => () =>
    client.setattr(nodeid, ["SIZE"], { size });
  client.write(nodeid, 0, "abcdef");
  clock.now += SECOND;
  assertEquals(resize(nodeid, 3n)().size, 3n);
  assertEquals(times(client, nodeid), [1000n, 1001n, 1001n]);
  assertEquals(resize(nodeid, 5n)().size, 5n);
  assertEquals(text(client.read(nodeid)), "abc\0\0");
  assertRefused("EISDIR", resize(ROOT, 0n));
  assertRefused("EINVAL", resize(link, 0n));
  assertRefused("EFBIG", resize(nodeid, 2n ** 62n));
});

Deno.test("each change sets the right times", () => {
  const { client, clock } = setUp();
  const tick = () => clock.now += SECOND;
  const dir = client.mkdir(ROOT, "dir").nodeid;
  const file = client.mknod(dir, "file").nodeid;
  client.write(file, 0, "x");
  tick();
  client.read(file);
  assertEquals(times(client, file), [1001n, 1000n, 1000n]);
  tick();
  client.write(file, 0, "y");
  assertEquals(times(client, file), [1001n, 1002n, 1002n]);
  tick();
  client.link(file, dir, "link");
  assertEquals(times(client, file), [1001n, 1002n, 1003n]);
  assertEquals(times(client, dir), [1000n, 1003n, 1003n]);
  tick();
  client.list(dir);
  assertEquals(times(client, dir), [1004n, 1003n, 1003n]);
  tick();
  client.rename(dir, "link", ROOT, "link");
  assertEquals(times(client, file)[2], 1005n);
  assertEquals(times(client, dir), [1004n, 1005n, 1005n]);
  assertEquals(times(client, ROOT).slice(1), [1005n, 1005n]);
  tick();
  client.unlink(ROOT, "link");
  assertEquals(times(client, file)[2], 1006n);
  assertEquals(times(client, ROOT).slice(1), [1006n, 1006n]);
  tick();
  client.setxattr(file, "user.x", "1");
  assertEquals(times(client, file), [1001n, 1002n, 1007n]);
});

Deno.test("WRITE fills holes with zeroes and uses pages for data only", () => {
  const { client } = setUp();
  const { nodeid } = client.mknod(ROOT, "file");
  assertEquals(client.write(nodeid, 3 * PAGE - 2, "wxyz"), 4);
  const { size, blocks, blksize } = client.getattr(nodeid);
  assertEquals([size, blocks, blksize], [BigInt(3 * PAGE + 2), 16n, PAGE]);
  const bytes = client.read(nodeid);
  assertEquals(bytes.length, 3 * PAGE + 2);
  assertEquals(text(bytes.slice(-4)), "wxyz");
  assert(bytes.slice(0, -4).every((byte) => byte === 0));
  assertEquals(client.read(nodeid, 3 * PAGE + 2).length, 0);
  assertEquals(client.read(nodeid, 9 * PAGE).length, 0);
  assertRefused("EFBIG", () => client.write(nodeid, 2n ** 60n, "x"));
  assertRefused("EISDIR", () => client.write(ROOT, 0, "x"));
  assertRefused("EISDIR", () => client.read(ROOT));
});

Deno.test("WRITE clears setuid and setgid if the kernel requests it", () => {
  const { client } = setUp();
  const { nodeid } = client.mknod(ROOT, "file", 0o106775);
  client.write(nodeid, 0, "x");
  assertEquals(client.getattr(nodeid).mode, 0o106775);
  client.write(nodeid, 0, "x", FUSE_WRITE.KILL_SUIDGID);
  assertEquals(client.getattr(nodeid).mode, 0o100775);
});

Deno.test("OPEN truncates if it is requested", () => {
  const { client } = setUp();
  const { nodeid } = client.mknod(ROOT, "file");
  client.write(nodeid, 0, "x");
  client.open(nodeid);
  assertEquals(client.getattr(nodeid).size, 1n);
  client.open(nodeid, O.WRONLY | O.TRUNC);
  assertEquals(client.getattr(nodeid).size, 0n);
  assertRefused("EISDIR", () => client.open(ROOT));
});

Deno.test("space is limited, and is freed", () => {
  const { client, fs } = setUp({ capacity: 10 * PAGE });
  const { nodeid } = client.mknod(ROOT, "file");
  client.write(nodeid, 0, new Uint8Array(8 * PAGE));
  const more = new Uint8Array(3 * PAGE);
  assertRefused("ENOSPC", () => client.write(nodeid, 8 * PAGE, more));
  assertRefused("ENOSPC", () => client.fallocate(nodeid, 0, 0, 2 ** 50));
  assertEquals(client.getattr(nodeid).size, BigInt(8 * PAGE));
  const { blocks, bfree, bavail, bsize, namelen } = client.statfs();
  assertEquals([blocks, bfree, bavail], [10n, 2n, 2n]);
  assertEquals([bsize, namelen], [PAGE, 255]);
  client.setattr(nodeid, ["SIZE"], { size: 1n });
  assertEquals(fs.free, 9 * PAGE);
});

Deno.test("FALLOCATE reserves, zeroes and punches", () => {
  const { KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE, COLLAPSE_RANGE } = FALLOC_FL;
  const { client } = setUp();
  const { nodeid } = client.mknod(ROOT, "file");
  const pages = () => Number(client.getattr(nodeid).blocks) / 8;
  const size = () => Number(client.getattr(nodeid).size);
  client.fallocate(nodeid, KEEP_SIZE, 0, PAGE + 1);
  assertEquals([pages(), size()], [2, 0]);
  client.fallocate(nodeid, 0, 0, 3 * PAGE);
  assertEquals([pages(), size()], [3, 3 * PAGE]);
  client.write(nodeid, 0, new Uint8Array(3 * PAGE).fill(1));
  client.fallocate(nodeid, PUNCH_HOLE | KEEP_SIZE, PAGE - 1, PAGE + 2);
  assertEquals([pages(), size()], [2, 3 * PAGE]);
  const zeroes = client.read(nodeid).filter((byte) => byte === 0);
  assertEquals(zeroes.length, PAGE + 2);
  client.fallocate(nodeid, ZERO_RANGE | KEEP_SIZE, 0, 4 * PAGE);
  assertEquals([pages(), size()], [4, 3 * PAGE]);
  client.fallocate(nodeid, ZERO_RANGE, 3 * PAGE, 2 * PAGE);
  assertEquals(size(), 5 * PAGE);
  assert(client.read(nodeid).every((byte) => byte === 0));
  client.fallocate(nodeid, PUNCH_HOLE | KEEP_SIZE, 0, 2 ** 50);
  assertEquals([pages(), size()], [0, 5 * PAGE]);
  for (const mode of [PUNCH_HOLE, COLLAPSE_RANGE]) {
    const refused = () => client.fallocate(nodeid, mode, 0, 1);
    assertRefused("EOPNOTSUPP", refused);
  }
  assertRefused("EFBIG", () => client.fallocate(nodeid, 0, 2 ** 60, 1));
  assertRefused("EISDIR", () => client.fallocate(ROOT, 0, 0, 1));
});

Deno.test("LSEEK finds data and holes, even in a huge file", () => {
  const { client } = setUp();
  const { nodeid } = client.mknod(ROOT, "file");
  client.write(nodeid, 2 * PAGE, "x");
  client.write(nodeid, 2 ** 45, "x");
  const data = (offset: number) => client.lseek(nodeid, offset, SEEK.DATA);
  const hole = (offset: number) => client.lseek(nodeid, offset, SEEK.HOLE);
  assertEquals([data(0), data(2 * PAGE + 5)], [2 * PAGE, 2 * PAGE + 5]);
  assertEquals([data(3 * PAGE), data(2 ** 45)], [2 ** 45, 2 ** 45]);
  assertEquals([hole(0), hole(7), hole(2 * PAGE)], [0, 7, 3 * PAGE]);
  assertEquals(hole(2 ** 45), 2 ** 45 + 1);
  assertRefused("ENXIO", () => data(2 ** 45 + 1));
  assertRefused("ENXIO", () => hole(2 ** 45 + 1));
  client.setattr(nodeid, ["SIZE"], { size: 2n ** 46n });
  assertRefused("ENXIO", () => data(2 ** 45 + PAGE));
  assertRefused("EINVAL", () => client.lseek(nodeid, 0, SEEK.CUR));
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
  assertEquals(whole.slice(0, 2).map(({ ino }) => ino), [dir, ROOT]);
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
  assertEquals(client.readdir(ROOT, fh, 0n)[2]?.name, "f1");
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

Deno.test("operations that memory does not need succeed or give ENOSYS", () => {
  const { client } = setUp();
  const { nodeid } = client.mknod(ROOT, "file");
  for (const name of ["FLUSH", "RELEASE", "FSYNC", "FSYNCDIR"] as const) {
    assertEquals(client.call(name, nodeid).length, 0);
  }
  const access = () => client.call("ACCESS", nodeid);
  assertRefused("ENOSYS", access);
});
