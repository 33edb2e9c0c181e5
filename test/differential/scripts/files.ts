/**
 * Scripts of opening, closing, several descriptors, batches and maps.
 *
 * @module
 */
import { OPEN, type Script, script, type Step } from "../step.ts";

const MIB = 1024 * 1024;
const PATTERN = { backend: "pattern", writable: false } as const;

function open(flags: number, as: string = "a"): Step {
  return { call: "open", as, flags };
}

function close(file: string = "a"): Step {
  return { call: "close", file };
}

function pwrite(file: string, offset: number, size: number, fill = 1): Step {
  return { call: "pwrite", file, offset, size, fill };
}

function pread(file: string, offset: number, size: number): Step {
  return { call: "pread", file, offset, size };
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
  script("open-truncating-fixed", [
    open(OPEN.RDWR),
    pwrite("a", 0, 100, 9),
    open(OPEN.RDWR | OPEN.TRUNC, "b"),
    { call: "fstat", file: "b" },
    pread("b", 0, 200),
    close("a"),
    close("b"),
  ]),
  script("open-truncating-growable", [
    open(OPEN.RDWR),
    pwrite("a", 0, 100, 9),
    open(OPEN.WRONLY | OPEN.TRUNC, "b"),
    { call: "fstat", file: "b" },
    pread("a", 0, 200),
    pwrite("b", 10, 10),
    { call: "fstat", file: "a" },
    close("a"),
    close("b"),
  ], { growable: true }),
  script("open-truncating-for-reading", [
    open(OPEN.RDONLY | OPEN.TRUNC),
    { call: "fstat", file: "a" },
    close(),
  ], { growable: true }),
  script("duplicates", [
    open(OPEN.RDWR),
    { call: "dup", file: "a", as: "b" },
    { call: "dup", file: "b", as: "c" },
    { call: "read", file: "a", size: 10 },
    { call: "lseek", file: "c", offset: 0, whence: 1 },
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
    { call: "read", file: "b", size: 10 },
    { call: "lseek", file: "a", offset: 0, whence: 1 },
    close("a"),
    pread("b", 0, 10),
    close("b"),
  ]),
  script("locks-stay-in-the-kernel", [
    open(OPEN.RDWR, "a"),
    open(OPEN.RDWR, "b"),
    { call: "flock", file: "a" },
    { call: "flock", file: "b" },
    { call: "funlock", file: "a" },
    { call: "flock", file: "b" },
    close("a"),
    close("b"),
  ]),
  script("sync", [
    open(OPEN.RDWR),
    pwrite("a", 0, 10),
    { call: "fsync", file: "a" },
    { call: "fdatasync", file: "a" },
    close(),
    open(OPEN.RDONLY),
    { call: "fsync", file: "a" },
    close(),
  ]),
  script("copy-within", [
    open(OPEN.RDWR, "a"),
    open(OPEN.RDWR, "b"),
    pwrite("a", 0, 10_000, 3),
    { call: "lseek", file: "b", offset: 100_000, whence: 0 },
    { call: "copy", from: "a", to: "b", size: 10_000 },
    { call: "copy", from: "a", to: "b", size: 10_000 },
    close("a"),
    close("b"),
  ]),
  script("aio-reads", [
    open(OPEN.RDONLY | OPEN.DIRECT),
    {
      call: "aio",
      file: "a",
      parts: Array.from({ length: 8 }, (_, i) => {
        return { write: false, offset: i * 65536, size: 4096 };
      }),
    },
    { call: "fstat", file: "a" },
    close(),
  ], PATTERN),
  script("aio-large-read", [
    open(OPEN.RDONLY | OPEN.DIRECT),
    {
      call: "aio",
      file: "a",
      parts: [{ write: false, offset: 0, size: 3 * MIB }],
    },
    close(),
  ], PATTERN),
  script("aio-read-at-the-end", [
    open(OPEN.RDONLY | OPEN.DIRECT),
    {
      call: "aio",
      file: "a",
      parts: [
        { write: false, offset: MIB - 4096, size: 8192 },
        { write: false, offset: 2 * MIB, size: 4096 },
        { write: false, offset: 0, size: 3 * MIB },
      ],
    },
    close(),
  ], { ...PATTERN, size: MIB }),
  script("aio-writes", [
    open(OPEN.RDWR | OPEN.DIRECT),
    {
      call: "aio",
      file: "a",
      parts: Array.from({ length: 8 }, (_, i) => {
        return { write: true, offset: i * 65536, size: 8192, fill: i };
      }),
    },
    pread("a", 0, MIB),
    { call: "fstat", file: "a" },
    close(),
  ]),
  script("aio-large-write", [
    open(OPEN.RDWR | OPEN.DIRECT),
    {
      call: "aio",
      file: "a",
      parts: [{ write: true, offset: 4096, size: 3 * MIB, fill: 5 }],
    },
    pread("a", 0, 4 * MIB),
    close(),
  ]),
  script("aio-growing-write", [
    open(OPEN.RDWR | OPEN.DIRECT),
    {
      call: "aio",
      file: "a",
      parts: [{ write: true, offset: MIB - 4096, size: 8192, fill: 5 }],
    },
    { call: "fstat", file: "a" },
    close(),
  ], { size: MIB, growable: true }),
  script("aio-without-direct", [
    open(OPEN.RDWR),
    {
      call: "aio",
      file: "a",
      parts: [
        { write: true, offset: 0, size: 8192, fill: 5 },
        { write: false, offset: 0, size: 2 * MIB },
      ],
    },
    close(),
  ]),
  script("four-queues", [
    open(OPEN.RDWR | OPEN.DIRECT),
    {
      call: "aio",
      file: "a",
      parts: Array.from({ length: 32 }, (_, i) => {
        return { write: i % 2 === 0, offset: i * 65536, size: 4096, fill: i };
      }),
    },
    pread("a", 0, 3 * MIB),
    { call: "fsync", file: "a" },
    close(),
  ], { queues: 4 }),
  script("map-privately", [
    open(OPEN.RDONLY),
    { call: "mmap", file: "a", as: "m", size: 65536, shared: false },
    { call: "load", map: "m", offset: 0, size: 100 },
    { call: "load", map: "m", offset: 40_000, size: 100 },
    { call: "munmap", map: "m" },
    close(),
  ], { ...PATTERN, size: 65536 }),
  script("map-shared", [
    open(OPEN.RDWR),
    { call: "mmap", file: "a", as: "m", size: 65536, shared: true },
    { call: "load", map: "m", offset: 0, size: 100 },
    pwrite("a", 0, 100, 9),
    { call: "load", map: "m", offset: 0, size: 100 },
    { call: "munmap", map: "m" },
    close(),
  ], { size: 65536 }),
];
