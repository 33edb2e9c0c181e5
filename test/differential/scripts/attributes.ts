/**
 * Scripts of attributes, and of what a server does not know.
 *
 * @module
 */
import { OPEN, type Script, script } from "../step.ts";
import {
  allocate,
  CLOSE,
  FSTAT,
  KEEP_SIZE,
  MIB,
  open,
  PATTERN,
  pread,
  PUNCH_HOLE,
  pwrite,
  STAT,
} from "./_steps.ts";

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
  ], PATTERN),
  script("stat-expires", [STAT, ["sleep", 1100], STAT]),
  script("statx-asks-for-birth", [
    ["statx", ""],
    ["statx", ""],
    STAT,
    open(OPEN.RDWR),
    pwrite(0, 10),
    ["statx", ""],
    CLOSE,
  ]),
  script("open-after-changes", [
    open(OPEN.RDWR),
    pwrite(0, 10),
    open(OPEN.RDONLY, "b"),
    ["fsync", "b"],
    pread(0, 10),
    open(OPEN.RDONLY, "c"),
    allocate(PUNCH_HOLE | KEEP_SIZE, 0, 4096),
    open(OPEN.RDONLY, "d"),
    CLOSE,
  ]),
  script("statfs", [
    ["statfs", ""],
    open(OPEN.RDONLY),
    ["fstatfs", "a"],
    CLOSE,
  ]),
  script("times", [
    ["utimens", "", "1000000000123456789", "999999999000000001"],
    STAT,
    ["utimens", "", "omit", "1"],
    STAT,
    ["utimens", "", "5000000000", "omit"],
    ["utimens", "", "omit", "omit"],
    STAT,
    ["utimens", "", "now", "now"],
    ["utimens", "", "now", "omit"],
    ["utimens", "", "1", "now"],
    STAT,
  ]),
  script("extended-attributes-are-unknown", [
    ["getxattr", "", "user.a", 0],
    ["getxattr", "", "user.a", 0],
    ["setxattr", "", "user.a", "1", 0],
    ["setxattr", "", "user.a", "1", 0],
    ["listxattr", "", 0],
    ["listxattr", "", 0],
    ["truncate", "", 4 * MIB],
  ]),
  script("the-probe-for-capabilities-is-sent-once", [
    open(OPEN.RDWR),
    allocate(PUNCH_HOLE | KEEP_SIZE, 0, 4096),
    ["ftruncate", "a", 4 * MIB],
    ["chown", "", 0, 0],
    ["getxattr", "", "user.a", 0],
    CLOSE,
  ], { allowOther: true }),
];
