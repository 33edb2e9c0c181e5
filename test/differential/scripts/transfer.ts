/**
 * Scripts of reads and writes.
 *
 * @module
 */
import { OPEN, type Script, script, type Step } from "../step.ts";
import { MIB, PATTERN, pread, pwrite } from "./_steps.ts";

function opened(flags: number, ...steps: Step[]): Step[] {
  return [
    ["open", "a", "", flags],
    ...steps,
    ["close", "a"],
  ];
}

/** Scripts of reads and writes. */
export const TRANSFER_SCRIPTS: readonly Script[] = [
  script(
    "read-sizes",
    opened(
      OPEN.RDONLY,
      ...[1, 511, 512, 4095, 4096, 4097, 65536, 131072, 131073]
        .map((size) => pread(4096, size)),
    ),
    PATTERN,
  ),
  script(
    "read-unaligned",
    opened(OPEN.RDONLY, pread(1, 3), pread(4095, 2), pread(100_001, 70_001)),
    PATTERN,
  ),
  script(
    "read-around-max-read",
    opened(
      OPEN.RDONLY,
      pread(0, MIB - 1),
      pread(0, MIB),
      pread(0, MIB + 1),
      pread(4096, 2 * MIB),
    ),
    PATTERN,
  ),
  script("read-3-mib", opened(OPEN.RDONLY, pread(0, 3 * MIB)), PATTERN),
  script(
    "read-3-mib-misaligned-memory",
    opened(
      OPEN.RDONLY,
      ["pread", "a", 3 * MIB, 0, 100],
    ),
    PATTERN,
  ),
  script(
    "read-short-at-the-end",
    opened(
      OPEN.RDONLY,
      pread(MIB - 100, 4096),
      pread(MIB - 100, 2 * MIB),
      pread(MIB, 10),
      pread(5 * MIB, 4096),
      pread(0, 3 * MIB),
    ),
    { ...PATTERN, size: MIB },
  ),
  script(
    "read-odd-size",
    opened(OPEN.RDONLY, pread(0, 3 * MIB), pread(MIB, 4096)),
    { ...PATTERN, size: MIB + 777 },
  ),
  script(
    "read-sequentially",
    opened(
      OPEN.RDONLY,
      ["read", "a", 65536],
      ["read", "a", 65536],
      ["read", "a", 65536],
      ["read", "a", 65536],
    ),
    { ...PATTERN, size: 150_000 },
  ),
  script(
    "read-direct",
    opened(OPEN.RDONLY | OPEN.DIRECT, pread(0, 4096)),
    PATTERN,
  ),
  script(
    "read-direct-unaligned",
    opened(OPEN.RDONLY | OPEN.DIRECT, pread(3, 1001), pread(0, 1)),
    PATTERN,
  ),
  script(
    "read-cached",
    opened(
      OPEN.RDONLY,
      pread(0, 16384),
      pread(0, 16384),
      pread(4000, 200),
      ["open", "b", "", OPEN.RDONLY | OPEN.DIRECT],
      ["pread", "b", 4096, 4096],
      pread(16000, 4096),
      pread(20000, 10),
      ["open", "c", "", OPEN.RDONLY],
      ["read", "c", 5000],
      ["read", "c", 50000],
      ["read", "c", 1],
      ["mmap", "m", "c", 16384, true],
      ["load", "m", 8000, 400],
      ["munmap", "m"],
      ["fsync", "c"],
      ["fstat", "c"],
      ["close", "c"],
      ["close", "b"],
    ),
    { ...PATTERN, size: 16384, cache: "reads" },
  ),
  script(
    "read-vector",
    opened(
      OPEN.RDONLY,
      ["preadv", "a", [4096, 8192, 4096], 0],
    ),
    PATTERN,
  ),
  script(
    "read-vector-misaligned",
    opened(
      OPEN.RDONLY,
      ["preadv", "a", [1, 100, 5000, 7], 10],
    ),
    PATTERN,
  ),
  script(
    "read-written-for-writing-only",
    opened(OPEN.WRONLY, pread(0, 10), pwrite(0, 10)),
  ),
  script(
    "zero-lengths",
    opened(
      OPEN.RDWR,
      pread(0, 0),
      pwrite(0, 0),
      ["read", "a", 0],
      ["write", "a", 0, 1],
      ["fstat", "a"],
      ["preadv", "a", [], 0],
      ["fallocate", "a", 0, 0, 0],
    ),
  ),
  script(
    "negative-offsets",
    opened(OPEN.RDWR, pread(-1, 10), pwrite(-1, 10)),
  ),
  script(
    "write-sizes",
    opened(
      OPEN.RDWR,
      ...[1, 511, 4096, 4097, 65536, 131073].flatMap((size, i) => [
        pwrite(1000 * i, size, i),
        pread(1000 * i, size),
      ]),
    ),
  ),
  script(
    "write-around-max-write",
    opened(
      OPEN.RDWR,
      pwrite(0, MIB - 1, 1),
      pwrite(0, MIB, 2),
      pwrite(0, MIB + 1, 3),
      pread(0, 2 * MIB),
    ),
  ),
  script(
    "write-3-mib",
    opened(OPEN.RDWR, pwrite(12_345, 3 * MIB, 7), pread(0, 4 * MIB)),
  ),
  script(
    "write-vector",
    opened(
      OPEN.RDWR,
      ["pwritev", "a", [4096, 1, 99], 3, 4],
      pread(0, 8192),
    ),
  ),
  script(
    "write-sequentially",
    opened(
      OPEN.RDWR,
      ["write", "a", 5000, 1],
      ["write", "a", 5000, 2],
      ["lseek", "a", 0, 0],
      ["read", "a", 9000],
      ["lseek", "a", 0, 1],
    ),
  ),
  script(
    "write-beyond-a-fixed-end",
    opened(
      OPEN.RDWR,
      pwrite(MIB - 100, 4096),
      pwrite(MIB, 10),
      pwrite(2 * MIB, 10),
      pwrite(0, 3 * MIB),
      ["fstat", "a"],
    ),
    { size: MIB },
  ),
  script(
    "write-beyond-a-growable-end",
    opened(
      OPEN.RDWR,
      pwrite(MIB - 100, 4096),
      pwrite(2 * MIB, 10),
      ["fstat", "a"],
      pread(0, 4 * MIB),
    ),
    { size: MIB, growable: true },
  ),
  script(
    "write-for-reading-only",
    opened(OPEN.RDONLY, pwrite(0, 10), ["fstat", "a"]),
  ),
  script(
    "append-fixed",
    opened(
      OPEN.RDWR | OPEN.APPEND,
      pwrite(0, 10),
      ["write", "a", 10, 1],
      ["lseek", "a", 0, 1],
    ),
    { size: 100_000 },
  ),
  script(
    "append-growable",
    opened(
      OPEN.RDWR | OPEN.APPEND,
      pwrite(0, 10, 3),
      ["write", "a", 4096, 1],
      ["lseek", "a", 0, 1],
      ["write", "a", 4096, 2],
      ["fstat", "a"],
      pread(99_000, 12_000),
    ),
    { size: 100_000, growable: true },
  ),
  script(
    "null-image",
    opened(OPEN.RDWR, pwrite(100, 5000), pread(0, 9000)),
    { backend: "null" },
  ),
  script(
    "through-four-queues",
    opened(
      OPEN.RDWR,
      pwrite(0, 3 * MIB, 3),
      pread(0, 4 * MIB),
      ["fdatasync", "a"],
      ["fstat", "a"],
    ),
    { queues: 4 },
  ),
  script(
    "write-synchronously",
    opened(OPEN.RDWR | OPEN.DSYNC, pwrite(0, 4096), pread(0, 4096)),
  ),
  script(
    "write-and-sync-all",
    opened(OPEN.RDWR | OPEN.SYNC, pwrite(0, 4096)),
  ),
];
