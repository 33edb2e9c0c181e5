/**
 * Scripts of owners and modes, and of whom they keep out.
 *
 * @module
 */
import { OPEN, type Script, script, type Step } from "../step.ts";

const MIB = 1024 * 1024;
const KEEP_SIZE = 1;
const PUNCH_HOLE = 2;
const STAT: Step = { call: "stat" };
const FSTAT: Step = { call: "fstat", file: "a" };
const CLOSE: Step = { call: "close", file: "a" };
const READ_ONLY = { backend: "pattern", writable: false } as const;

function open(flags: number, as: string = "a"): Step {
  return { call: "open", as, flags };
}

function pread(offset: number, size: number): Step {
  return { call: "pread", file: "a", offset, size };
}

function pwrite(offset: number, size: number, fill: number = 1): Step {
  return { call: "pwrite", file: "a", offset, size, fill };
}

function allocate(mode: number, offset: number, size: number): Step {
  return { call: "fallocate", file: "a", mode, offset, size };
}

/** Scripts of owners and modes, and of whom they keep out. */
export const PERMISSION_SCRIPTS: readonly Script[] = [
  script("chmod", [
    { call: "chmod", mode: 0o640 },
    STAT,
    { call: "chmod", mode: 0o4755 },
    open(OPEN.RDWR),
    { call: "fchmod", file: "a", mode: 0o600 },
    CLOSE,
    STAT,
  ], { allowOther: true }),
  script("chmod-for-others-refused", [
    { call: "chmod", mode: 0o666 },
    { call: "chmod", mode: 0o400 },
    STAT,
  ]),
  script("chown", [
    { call: "chown", uid: 12, gid: 34 },
    STAT,
    { call: "chown", uid: -1, gid: 5 },
    { call: "chown", uid: 7, gid: -1 },
    { call: "chown", uid: -1, gid: -1 },
    STAT,
  ], { allowOther: true }),
  script("chown-takes-setuid", [
    { call: "chmod", mode: 0o6755 },
    { call: "chown", uid: 12, gid: 34 },
    STAT,
  ], { allowOther: true }),
  script("chown-refused", [{ call: "chown", uid: 12, gid: 34 }, STAT]),
  script("write-takes-setuid", [
    { call: "chown", uid: 1000, gid: 1000 },
    { call: "chmod", mode: 0o6755 },
    { call: "become", uid: 1000, gid: 1000 },
    open(OPEN.RDWR),
    pwrite(0, 10),
    CLOSE,
  ], { allowOther: true }),
  script("fallocate-takes-setuid", [
    { call: "chown", uid: 1000, gid: 1000 },
    { call: "chmod", mode: 0o6755 },
    { call: "become", uid: 1000, gid: 1000 },
    open(OPEN.RDWR),
    allocate(PUNCH_HOLE | KEEP_SIZE, 0, 4096),
    allocate(PUNCH_HOLE | KEEP_SIZE, 0, 4096),
    STAT,
    CLOSE,
  ], { allowOther: true }),
  script("truncating-takes-setuid", [
    { call: "chown", uid: 1000, gid: 1000 },
    { call: "chmod", mode: 0o6755 },
    { call: "become", uid: 1000, gid: 1000 },
    { call: "truncate", size: 5000 },
    STAT,
    { call: "chmod", mode: 0o4755 },
    open(OPEN.RDWR),
    { call: "ftruncate", file: "a", size: 100 },
    FSTAT,
    CLOSE,
    { call: "chmod", mode: 0o4755 },
    open(OPEN.WRONLY | OPEN.TRUNC),
    CLOSE,
  ], { allowOther: true, growable: true }),
  script("opening-takes-setuid", [
    { call: "chown", uid: 1000, gid: 1000 },
    { call: "chmod", mode: 0o4755 },
    { call: "become", uid: 1000, gid: 1000 },
    open(OPEN.WRONLY | OPEN.TRUNC),
    CLOSE,
    STAT,
  ], { allowOther: true }),
  script("the-owner-may-change-it", [
    { call: "chown", uid: 1000, gid: 1000 },
    { call: "become", uid: 1000, gid: 1000 },
    { call: "chmod", mode: 0o2640 },
    { call: "chown", uid: 1000, gid: 1000 },
    { call: "chown", uid: 0, gid: -1 },
    { call: "chown", uid: -1, gid: 7 },
    { call: "utimens", atime: "1", mtime: "2" },
    { call: "utimens", atime: "now", mtime: "now" },
    STAT,
  ], { allowOther: true }),
  script("others-may-not-change-it", [
    { call: "chmod", mode: 0o622 },
    { call: "become", uid: 1000, gid: 1000 },
    { call: "chmod", mode: 0o666 },
    { call: "chown", uid: 1000, gid: -1 },
    { call: "utimens", atime: "1", mtime: "2" },
    { call: "utimens", atime: "now", mtime: "omit" },
    { call: "utimens", atime: "now", mtime: "now" },
    { call: "access", mode: 2 },
    { call: "access", mode: 4 },
    { call: "truncate", size: 4 * MIB },
    { call: "setxattr", name: "user.a", value: "1" },
    { call: "getxattr", name: "user.a" },
    open(OPEN.RDONLY),
    open(OPEN.WRONLY),
    { call: "fchmod", file: "a", mode: 0o666 },
    CLOSE,
  ], { allowOther: true }),
  script("access", [
    { call: "access", mode: 6 },
    { call: "access", mode: 1 },
    { call: "access", mode: 0 },
  ]),
  script("a-read-only-mount-is-asked-nothing", [
    open(OPEN.RDWR),
    open(OPEN.WRONLY),
    open(OPEN.RDONLY | OPEN.TRUNC),
    { call: "truncate", size: 0 },
    { call: "chmod", mode: 0o600 },
    { call: "chown", uid: 1, gid: 1 },
    { call: "utimens", atime: "now", mtime: "now" },
    { call: "setxattr", name: "user.a", value: "1" },
    { call: "access", mode: 2 },
    { call: "access", mode: 4 },
    open(OPEN.RDONLY),
    pwrite(0, 10),
    { call: "fchmod", file: "a", mode: 0o600 },
    { call: "fsync", file: "a" },
    pread(0, 10),
    CLOSE,
  ], READ_ONLY),
  script("another-user-is-kept-out", [
    { call: "become", uid: 1000, gid: 1000 },
    STAT,
    open(OPEN.RDONLY),
    { call: "statfs" },
    { call: "truncate", size: 0 },
    { call: "chmod", mode: 0o600 },
    { call: "getxattr", name: "user.a" },
  ]),
  script("another-user-is-held-to-the-mode", [
    { call: "become", uid: 1000, gid: 1000 },
    STAT,
    open(OPEN.RDONLY),
    { call: "truncate", size: 0 },
    { call: "chmod", mode: 0o666 },
    { call: "utimens", atime: "now", mtime: "now" },
    { call: "become", uid: 0, gid: 0 },
    { call: "chmod", mode: 0o644 },
    { call: "become", uid: 1000, gid: 1000 },
    open(OPEN.RDWR),
    open(OPEN.RDONLY),
    pread(0, 10),
    CLOSE,
    { call: "become", uid: 0, gid: 0 },
    { call: "chmod", mode: 0o606 },
    { call: "become", uid: 1000, gid: 1000 },
    open(OPEN.RDWR),
    pwrite(0, 10),
    CLOSE,
  ], { allowOther: true }),
];
