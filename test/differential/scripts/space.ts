/**
 * Scripts of sizes, of space, and of places in a file.
 *
 * @module
 */
import { OPEN, type Script, script, type Step } from "../step.ts";

const MIB = 1024 * 1024;
const KEEP_SIZE = 1;
const PUNCH_HOLE = 2;
const COLLAPSE_RANGE = 8;
const ZERO_RANGE = 16;
const SEEK = { SET: 0, CUR: 1, END: 2, DATA: 3, HOLE: 4 } as const;
const STAT: Step = { call: "stat" };
const FSTAT: Step = { call: "fstat", file: "a" };
const CLOSE: Step = { call: "close", file: "a" };

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

function seek(offset: number, whence: number): Step {
  return { call: "lseek", file: "a", offset, whence };
}

/** Scripts of sizes, of space, and of places in a file. */
export const SPACE_SCRIPTS: readonly Script[] = [
  script("truncate-growable", [
    { call: "truncate", size: 1000 },
    STAT,
    { call: "truncate", size: 3 * MIB },
    STAT,
    { call: "truncate", size: 3 * MIB },
    { call: "truncate", size: -1 },
  ], { growable: true }),
  script("truncate-fixed", [
    { call: "truncate", size: 1000 },
    { call: "truncate", size: 8 * MIB },
    STAT,
  ]),
  script("ftruncate", [
    open(OPEN.RDWR),
    pwrite(0, 5000),
    { call: "ftruncate", file: "a", size: 100 },
    pread(0, 5000),
    { call: "ftruncate", file: "a", size: 2 * MIB },
    pread(0, 5000),
    FSTAT,
    { call: "ftruncate", file: "a", size: -1 },
    CLOSE,
  ], { growable: true, size: MIB }),
  script("ftruncate-for-reading-only", [
    open(OPEN.RDONLY),
    { call: "ftruncate", file: "a", size: 100 },
    CLOSE,
  ]),
  script("fallocate-growable", [
    open(OPEN.RDWR),
    allocate(0, MIB, MIB),
    FSTAT,
    allocate(0, 0, 4096),
    allocate(KEEP_SIZE, 2 * MIB, 4096),
    allocate(ZERO_RANGE, 2 * MIB, 4096),
    FSTAT,
    CLOSE,
  ], { growable: true, size: MIB }),
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
  script("seek-to-the-end-after-truncating", [
    open(OPEN.RDWR | OPEN.TRUNC),
    seek(0, SEEK.END),
    pwrite(100, 100),
    pread(0, 300),
    CLOSE,
  ]),
];
