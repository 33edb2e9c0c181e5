/**
 * Scripts of sizes, of space, and of places in a file.
 *
 * @module
 */
import { TRUNCATE_RULES } from "../../../src/export/export_context.ts";
import { OPEN, type Script, script, type Step } from "../step.ts";
import {
  allocate,
  CLOSE,
  FSTAT,
  KEEP_SIZE,
  MIB,
  open,
  pread,
  PUNCH_HOLE,
  pwrite,
  STAT,
} from "./_steps.ts";

const COLLAPSE_RANGE = 8;
const ZERO_RANGE = 16;
const SEEK = { SET: 0, CUR: 1, END: 2, DATA: 3, HOLE: 4 } as const;

function seek(offset: number, whence: number): Step {
  return ["lseek", "a", offset, whence];
}

/** Scripts of sizes, of space, and of places in a file. */
export const SPACE_SCRIPTS: readonly Script[] = [
  script("truncate-growable", [
    ["truncate", "", 1000],
    STAT,
    ["truncate", "", 3 * MIB],
    STAT,
    ["truncate", "", 3 * MIB],
    ["truncate", "", -1],
  ], { growable: true }),
  ...TRUNCATE_RULES.map((truncate) =>
    script(`truncate-fixed-${truncate}`, [
      open(OPEN.RDWR),
      pwrite(0, 10_000, 5),
      ["truncate", "", 1000],
      // After zeroing, a notification invalidates the attributes at some time,
      // so this read does that in any case.
      pread(0, 10_000),
      STAT,
      ["truncate", "", 8 * MIB],
      STAT,
      ["truncate", "", 4 * MIB],
      ["ftruncate", "a", 8 * MIB],
      ["ftruncate", "a", 4 * MIB],
      ["ftruncate", "a", 500],
      pread(0, 10_000),
      FSTAT,
      CLOSE,
    ], { truncate })
  ),
  script("ftruncate", [
    open(OPEN.RDWR),
    pwrite(0, 5000),
    ["ftruncate", "a", 100],
    pread(0, 5000),
    ["ftruncate", "a", 2 * MIB],
    pread(0, 5000),
    FSTAT,
    ["ftruncate", "a", -1],
    CLOSE,
  ], { growable: true, size: MIB }),
  script("ftruncate-for-reading-only", [
    open(OPEN.RDONLY),
    ["ftruncate", "a", 100],
    CLOSE,
  ]),
  script("fallocate-growable", [
    open(OPEN.RDWR),
    allocate(0, MIB, MIB),
    FSTAT,
    allocate(0, 0, 4096),
    allocate(KEEP_SIZE, 2 * MIB, 4096),
    allocate(ZERO_RANGE, 2 * MIB, 4096),
    allocate(0, 2 * MIB, 2 * MIB),
    FSTAT,
    CLOSE,
  ], { growable: true, size: MIB }),
  ...TRUNCATE_RULES.map((truncate) =>
    script(`fallocate-beyond-a-fixed-end-${truncate}`, [
      open(OPEN.RDWR),
      pwrite(MIB - 10_000, 10_000, 5),
      allocate(0, MIB - 4096, 4096),
      allocate(KEEP_SIZE, MIB - 4096, 8192),
      allocate(KEEP_SIZE, 2 * MIB, 8192),
      allocate(0, MIB - 4096, 4097),
      FSTAT,
      allocate(ZERO_RANGE | KEEP_SIZE, MIB - 100, 4096),
      allocate(PUNCH_HOLE | KEEP_SIZE, 3 * MIB, 4096),
      allocate(ZERO_RANGE, MIB - 200, 8192),
      allocate(0, 2 * MIB, MIB),
      FSTAT,
      pread(0, 4 * MIB),
      CLOSE,
    ], { size: MIB, truncate })
  ),
  script("fallocate-fixed", [
    open(OPEN.RDWR),
    pwrite(0, 10_000, 5),
    allocate(PUNCH_HOLE | KEEP_SIZE, 1000, 2000),
    allocate(ZERO_RANGE | KEEP_SIZE, 5000, 1000),
    allocate(ZERO_RANGE, 6000, 1000),
    pread(0, 10_000),
    FSTAT,
    CLOSE,
  ]),
  script("fallocate-refused", [
    open(OPEN.RDWR),
    allocate(PUNCH_HOLE, 0, 4096),
    allocate(COLLAPSE_RANGE, 0, 4096),
    allocate(PUNCH_HOLE | ZERO_RANGE | KEEP_SIZE, 0, 4096),
    allocate(0, -1, 4096),
    CLOSE,
    open(OPEN.RDONLY),
    allocate(KEEP_SIZE, 0, 4096),
    CLOSE,
  ]),
  script("seek-data-and-holes", [
    open(OPEN.RDWR),
    pwrite(MIB, 4096),
    seek(0, SEEK.DATA),
    seek(0, SEEK.HOLE),
    seek(MIB, SEEK.HOLE),
    seek(3 * MIB, SEEK.DATA),
    seek(4 * MIB, SEEK.HOLE),
    seek(5 * MIB, SEEK.DATA),
    seek(-1, SEEK.DATA),
    CLOSE,
  ]),
  script("seek-in-the-kernel", [
    open(OPEN.RDONLY),
    seek(100, SEEK.SET),
    seek(-200, SEEK.CUR),
    seek(-10, SEEK.END),
    seek(10, SEEK.END),
    seek(0, SEEK.CUR),
    pread(0, 10),
    seek(0, SEEK.END),
    seek(0, 9),
    CLOSE,
  ]),
  script("seek-to-the-end-after-changes", [
    open(OPEN.RDWR),
    pwrite(4 * MIB - 10, 100),
    seek(0, SEEK.END),
    pread(0, 10),
    seek(0, SEEK.END),
    allocate(PUNCH_HOLE | KEEP_SIZE, 0, 4096),
    seek(-5, SEEK.END),
    CLOSE,
  ], { growable: true }),
  ...(["refuse", "as-qemu"] as const).map((truncate) =>
    script(`seek-to-the-end-after-truncating-${truncate}`, [
      open(OPEN.RDWR | OPEN.TRUNC),
      seek(0, SEEK.END),
      pwrite(100, 100),
      pread(0, 300),
      CLOSE,
    ], { truncate })
  ),
];
