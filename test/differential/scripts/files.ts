/**
 * Scripts of opening, closing, several descriptors, batches and maps.
 *
 * @module
 */
import { TRUNCATE_RULES } from "../../../src/export/export_context.ts";
import { OPEN, type Script, script, type Step } from "../step.ts";
import { MIB, open, PATTERN } from "./_steps.ts";

function close(file: string = "a"): Step {
  return ["close", file];
}

function pwrite(file: string, offset: number, size: number, fill = 1): Step {
  return ["pwrite", file, size, offset, fill];
}

function pread(file: string, offset: number, size: number): Step {
  return ["pread", file, size, offset];
}

/** Scripts of descriptors. */
export const FILE_SCRIPTS: readonly Script[] = [
  script("open-and-close", [
    open(OPEN.RDONLY),
    close(),
    open(OPEN.RDWR),
    close(),
  ]),
  script("open-flags", [
    open(OPEN.RDWR | OPEN.CREAT | OPEN.NOCTTY),
    close(),
    open(OPEN.RDONLY | OPEN.NONBLOCK),
    close(),
    open(OPEN.WRONLY | OPEN.EXCL),
    close(),
    open(OPEN.RDWR | OPEN.CREAT | OPEN.EXCL),
  ]),
  script("open-exclusively", [open(OPEN.RDONLY | OPEN.CREAT | OPEN.EXCL)]),
  ...TRUNCATE_RULES.map((truncate) =>
    script(`open-truncating-fixed-${truncate}`, [
      open(OPEN.RDWR | OPEN.DIRECT),
      pwrite("a", 0, 100, 9),
      open(OPEN.RDWR | OPEN.TRUNC, "b"),
      ["aio", "a", [{ write: false, offset: 0, size: 8192 }]],
      ["fstat", "a"],
      pread("a", 0, 200),
      pwrite("a", 50, 100, 7),
      ["aio", "a", [{ write: false, offset: 0, size: 8192 }]],
      close("a"),
      close("b"),
    ], { truncate })
  ),
  script("open-truncating-growable", [
    open(OPEN.RDWR),
    pwrite("a", 0, 100, 9),
    open(OPEN.WRONLY | OPEN.TRUNC, "b"),
    ["fstat", "b"],
    pread("a", 0, 200),
    pwrite("b", 10, 10),
    ["fstat", "a"],
    close("a"),
    close("b"),
  ], { growable: true }),
  script("open-truncating-for-reading", [
    open(OPEN.RDONLY | OPEN.TRUNC),
    ["fstat", "a"],
    close(),
  ], { growable: true }),
  script("duplicates", [
    open(OPEN.RDWR),
    ["dup", "b", "a"],
    ["dup", "c", "b"],
    ["read", "a", 10],
    ["lseek", "c", 0, 1],
    close("b"),
    close("a"),
    pwrite("c", 0, 10),
    close("c"),
    close("c"),
  ]),
  script("two-files", [
    open(OPEN.RDWR, "a"),
    open(OPEN.RDONLY, "b"),
    pwrite("a", 5, 5000, 3),
    pread("b", 0, 6000),
    ["read", "b", 10],
    ["lseek", "a", 0, 1],
    close("a"),
    pread("b", 0, 10),
    close("b"),
  ]),
  script("locks-stay-in-the-kernel", [
    open(OPEN.RDWR, "a"),
    open(OPEN.RDWR, "b"),
    ["flock", "a"],
    ["flock", "b"],
    ["funlock", "a"],
    ["flock", "b"],
    close("a"),
    close("b"),
  ]),
  script("sync", [
    open(OPEN.RDWR),
    pwrite("a", 0, 10),
    ["fsync", "a"],
    ["fdatasync", "a"],
    close(),
    open(OPEN.RDONLY),
    ["fsync", "a"],
    close(),
  ]),
  script("copy-within", [
    open(OPEN.RDWR, "a"),
    open(OPEN.RDWR, "b"),
    pwrite("a", 0, 10_000, 3),
    ["lseek", "b", 100_000, 0],
    ["copy", "a", "b", 10_000],
    ["copy", "a", "b", 10_000],
    close("a"),
    close("b"),
  ]),
  script("aio-reads", [
    open(OPEN.RDONLY | OPEN.DIRECT),
    [
      "aio",
      "a",
      Array.from({ length: 8 }, (_, i) => {
        return { write: false, offset: i * 65536, size: 4096 };
      }),
    ],
    ["fstat", "a"],
    close(),
  ], PATTERN),
  script("aio-large-read", [
    open(OPEN.RDONLY | OPEN.DIRECT),
    ["aio", "a", [{ write: false, offset: 0, size: 3 * MIB }]],
    close(),
  ], PATTERN),
  script("aio-read-at-the-end", [
    open(OPEN.RDONLY | OPEN.DIRECT),
    ["aio", "a", [
      { write: false, offset: MIB - 4096, size: 8192 },
      { write: false, offset: 2 * MIB, size: 4096 },
      { write: false, offset: 0, size: 3 * MIB },
    ]],
    close(),
  ], { ...PATTERN, size: MIB }),
  script("aio-writes", [
    open(OPEN.RDWR | OPEN.DIRECT),
    [
      "aio",
      "a",
      Array.from({ length: 8 }, (_, i) => {
        return { write: true, offset: i * 65536, size: 8192, fill: i };
      }),
    ],
    pread("a", 0, MIB),
    ["fstat", "a"],
    close(),
  ]),
  script("aio-large-write", [
    open(OPEN.RDWR | OPEN.DIRECT),
    ["aio", "a", [{ write: true, offset: 4096, size: 3 * MIB, fill: 5 }]],
    pread("a", 0, 4 * MIB),
    close(),
  ]),
  script("aio-growing-write", [
    open(OPEN.RDWR | OPEN.DIRECT),
    ["aio", "a", [{ write: true, offset: MIB - 4096, size: 8192, fill: 5 }]],
    ["fstat", "a"],
    close(),
  ], { size: MIB, growable: true }),
  script("aio-without-direct", [
    open(OPEN.RDWR),
    ["aio", "a", [
      { write: true, offset: 0, size: 8192, fill: 5 },
      { write: false, offset: 0, size: 2 * MIB },
    ]],
    close(),
  ]),
  script("four-queues", [
    open(OPEN.RDWR | OPEN.DIRECT),
    [
      "aio",
      "a",
      Array.from({ length: 32 }, (_, i) => {
        return { write: i % 2 === 0, offset: i * 65536, size: 4096, fill: i };
      }),
    ],
    pread("a", 0, 3 * MIB),
    ["fsync", "a"],
    close(),
  ], { queues: 4 }),
  script("map-privately", [
    open(OPEN.RDONLY),
    ["mmap", "m", "a", 65536, false],
    ["load", "m", 0, 100],
    ["load", "m", 40_000, 100],
    ["munmap", "m"],
    close(),
  ], { ...PATTERN, size: 65536 }),
  script("map-shared", [
    open(OPEN.RDWR),
    ["mmap", "m", "a", 65536, true],
    ["load", "m", 0, 100],
    pwrite("a", 0, 100, 9),
    ["load", "m", 0, 100],
    ["munmap", "m"],
    close(),
  ], { size: 65536 }),
];
