/**
 * Scripts of attributes, and of what a server does not know.
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

/** Scripts of attributes, and of what a server does not know. */
export const ATTRIBUTE_SCRIPTS: readonly Script[] = [
  script("stat-is-cached", [
    STAT,
    STAT,
    open(OPEN.RDWR),
    FSTAT,
    pread(0, 10),
    FSTAT,
    FSTAT,
    pwrite(0, 10),
    STAT,
    STAT,
    CLOSE,
    STAT,
  ]),
  script("stat-after-reading-a-read-only-mount", [
    open(OPEN.RDONLY),
    FSTAT,
    pread(0, 10),
    FSTAT,
    CLOSE,
  ], READ_ONLY),
  script("stat-expires", [STAT, { call: "sleep", ms: 1100 }, STAT]),
  script("statx-asks-for-birth", [
    { call: "statx" },
    { call: "statx" },
    STAT,
    open(OPEN.RDWR),
    pwrite(0, 10),
    { call: "statx" },
    CLOSE,
  ]),
  script("open-after-changes", [
    open(OPEN.RDWR),
    pwrite(0, 10),
    open(OPEN.RDONLY, "b"),
    { call: "fsync", file: "b" },
    pread(0, 10),
    open(OPEN.RDONLY, "c"),
    allocate(PUNCH_HOLE | KEEP_SIZE, 0, 4096),
    open(OPEN.RDONLY, "d"),
    CLOSE,
  ]),
  script("statfs", [
    { call: "statfs" },
    open(OPEN.RDONLY),
    { call: "fstatfs", file: "a" },
    CLOSE,
  ]),
  script("times", [
    {
      call: "utimens",
      atime: "1000000000123456789",
      mtime: "999999999000000001",
    },
    STAT,
    { call: "utimens", atime: "omit", mtime: "1" },
    STAT,
    { call: "utimens", atime: "5000000000", mtime: "omit" },
    { call: "utimens", atime: "omit", mtime: "omit" },
    STAT,
    { call: "utimens", atime: "now", mtime: "now" },
    { call: "utimens", atime: "now", mtime: "omit" },
    { call: "utimens", atime: "1", mtime: "now" },
    STAT,
  ]),
  script("extended-attributes-are-unknown", [
    { call: "getxattr", name: "user.a" },
    { call: "getxattr", name: "user.a" },
    { call: "setxattr", name: "user.a", value: "1" },
    { call: "setxattr", name: "user.a", value: "1" },
    { call: "listxattr" },
    { call: "listxattr" },
    { call: "truncate", size: 4 * MIB },
  ]),
  script("the-probe-for-capabilities-is-sent-once", [
    open(OPEN.RDWR),
    allocate(PUNCH_HOLE | KEEP_SIZE, 0, 4096),
    { call: "ftruncate", file: "a", size: 4 * MIB },
    { call: "chown", uid: 0, gid: 0 },
    { call: "getxattr", name: "user.a" },
    CLOSE,
  ], { allowOther: true }),
];
