/**
 * System calls without the C library's wrappers, for the client program.
 *
 * @module
 */
import { errnoName } from "../../src/base/errno.ts";

/** Numbers of <asm/unistd_64.h>: x86_64. */
export const SYS = {
  read: 0,
  write: 1,
  close: 3,
  stat: 4,
  fstat: 5,
  lstat: 6,
  lseek: 8,
  mmap: 9,
  munmap: 11,
  pread64: 17,
  pwrite64: 18,
  access: 21,
  dup: 32,
  fsync: 74,
  fdatasync: 75,
  truncate: 76,
  ftruncate: 77,
  rename: 82,
  mkdir: 83,
  rmdir: 84,
  link: 86,
  unlink: 87,
  symlink: 88,
  readlink: 89,
  flock: 73,
  chmod: 90,
  fchmod: 91,
  chown: 92,
  umask: 95,
  setresuid: 117,
  setresgid: 119,
  mknod: 133,
  statfs: 137,
  fstatfs: 138,
  setxattr: 188,
  getxattr: 191,
  listxattr: 194,
  removexattr: 197,
  "io_setup": 206,
  "io_destroy": 207,
  "io_getevents": 208,
  "io_submit": 209,
  getdents64: 217,
  openat: 257,
  utimensat: 280,
  fallocate: 285,
  preadv: 295,
  pwritev: 296,
  renameat2: 316,
  "copy_file_range": 326,
  statx: 332,
} as const;

/** An argument: a number, an address, or memory, which stands for its address. */
export type Argument = number | bigint | ArrayBufferView<ArrayBuffer>;

/** An errno, by name. */
export class CallError extends Error {}

const SYMBOLS = {
  syscall: {
    parameters: ["i64", "i64", "i64", "i64", "i64", "i64", "i64"],
    result: "i64",
  },
  "__errno_location": { parameters: [], result: "pointer" },
} as const;

/** Makes a system call; throws {@linkcode CallError} if it fails. */
export type Syscall = (
  name: keyof typeof SYS,
  ...args: Argument[]
) => number;

/** Opens the C library for system calls. */
export function openSyscalls(): Syscall {
  const { symbols } = Deno.dlopen("libc.so.6", SYMBOLS);
  const errno = new Deno.UnsafePointerView(symbols.__errno_location()!);
  return (name, ...args) => {
    const words = args.map(wordOf);
    while (words.length < 6) words.push(0n);
    const [a, b, c, d, e, f] = words as [
      bigint,
      bigint,
      bigint,
      bigint,
      bigint,
      bigint,
    ];
    const result = symbols.syscall(BigInt(SYS[name]), a, b, c, d, e, f);
    if (result !== -1n) return Number(result);
    throw new CallError(errnoName(errno.getInt32()));
  };
}

/** The address of memory. */
export function addressOf(memory: ArrayBufferView<ArrayBuffer>): bigint {
  return memory.byteLength === 0
    ? 0n
    : Deno.UnsafePointer.value(Deno.UnsafePointer.of(memory));
}

function wordOf(argument: Argument): bigint {
  if (typeof argument === "bigint") return argument;
  return typeof argument === "number" ? BigInt(argument) : addressOf(argument);
}
