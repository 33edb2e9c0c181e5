/**
 * Scripts: system calls as plain data, which a process on the real kernel and a
 * client of the simulated one can both make.
 *
 * @module
 */

import type {
  CacheMode,
  TruncateRule,
} from "../../src/export/export_context.ts";

/** Flags of open(2) on x86_64, the only machine that scripts run on. */
export const OPEN = {
  RDONLY: 0,
  WRONLY: 1,
  RDWR: 2,
  CREAT: 0o100,
  EXCL: 0o200,
  NOCTTY: 0o400,
  TRUNC: 0o1000,
  APPEND: 0o2000,
  NONBLOCK: 0o4000,
  DSYNC: 0o10000,
  DIRECT: 0o40000,
  NOFOLLOW: 0o400000,
  SYNC: 0o4010000,
} as const;

/** One transfer of an io_submit(2). */
export interface AioPart {
  readonly write: boolean;
  readonly offset: number;
  readonly size: number;
  /** Seed of the bytes to write. */
  readonly fill?: number;
}

/** A time to set: nanoseconds since 1970 in decimal, or a word. */
export type StepTime = string | "now" | "omit";

/**
 * The system calls and their arguments. Paths begin at the root of the mount,
 * so that "" is a mounted file itself. `as` names a file, directory or mapping
 * in later steps.
 */
export interface CallArguments {
  open: [as: string, path: string, flags: number, mode?: number];
  dup: [as: string, file: string];
  close: [file: string];
  read: [file: string, size: number];
  write: [file: string, size: number, fill: number];
  /** With `skew`, into memory that begins so many bytes after a page. */
  pread: [file: string, size: number, offset: number, skew?: number];
  pwrite: [file: string, size: number, offset: number, fill: number];
  preadv: [file: string, sizes: number[], offset: number];
  pwritev: [file: string, sizes: number[], offset: number, fill: number];
  aio: [file: string, parts: readonly AioPart[]];
  /** copy_file_range(2), at the positions of the two files. */
  copy: [from: string, to: string, size: number];
  mmap: [as: string, file: string, size: number, shared: boolean];
  /** Reads mapped memory. */
  load: [map: string, offset: number, size: number];
  munmap: [map: string];
  lseek: [file: string, offset: number, whence: number];
  fsync: [file: string];
  fdatasync: [file: string];
  fstat: [file: string];
  fstatfs: [file: string];
  flock: [file: string];
  funlock: [file: string];
  ftruncate: [file: string, size: number];
  fchmod: [file: string, mode: number];
  fallocate: [file: string, mode: number, offset: number, size: number];
  stat: [path: string];
  lstat: [path: string];
  /** statx(2) that requests the time of birth too. */
  statx: [path: string];
  statfs: [path: string];
  access: [path: string, mode: number];
  chmod: [path: string, mode: number];
  chown: [path: string, uid: number, gid: number];
  truncate: [path: string, size: number];
  utimens: [path: string, atime: StepTime, mtime: StepTime];
  setxattr: [path: string, name: string, value: string, flags: number];
  getxattr: [path: string, name: string, size: number];
  listxattr: [path: string, size: number];
  removexattr: [path: string, name: string];
  mkdir: [path: string, mode: number];
  rmdir: [path: string];
  mknod: [path: string, mode: number, rdev: number];
  unlink: [path: string];
  link: [from: string, to: string];
  symlink: [target: string, path: string];
  readlink: [path: string];
  rename: [from: string, to: string];
  renameat2: [from: string, to: string, flags: number];
  /** open(2) and fstat(2), as opendir(3) does. */
  opendir: [as: string, path: string];
  getdents: [directory: string, size: number];
  seekdir: [directory: string, offset: number];
  closedir: [directory: string];
  fsyncdir: [directory: string];
  /** Continues as another user. */
  become: [uid: number, gid: number];
  sleep: [ms: number];
}

/** The name of a system call. */
export type CallName = keyof CallArguments;

/** One system call. */
export type Step = {
  [Call in CallName]: readonly [Call, ...CallArguments[Call]];
}[CallName];

/**
 * Makes system calls; each returns a value that can be compared. A method that
 * is missing is a call that this side does not have.
 */
export type Calls = {
  [Call in CallName]?: (...args: CallArguments[Call]) => unknown;
};

/** The result of a step: what the call returned, or the name of its errno. */
export type StepResult = unknown;

/** A `mqfuse export` of one image. */
export interface ExportMount {
  readonly kind: "export";
  /** The image: `memory` is zeroes at first, `pattern` is read-only. */
  readonly backend: "memory" | "null" | "pattern";
  /** Its size in bytes. */
  readonly size: number;
  readonly writable: boolean;
  readonly growable: boolean;
  /** What truncating does if it is not growable; `refuse` if left out. */
  readonly truncate?: TruncateRule;
  /**
   * What the kernel caches; nothing if left out. A cache of reads needs a file:
   * on the real kernel the image is one with the bytes of `backend`.
   */
  readonly cache?: CacheMode;
  readonly allowOther: boolean;
  readonly queues: number;
}

/** What is mounted for a script: an image, or an empty file system in memory. */
export type ScriptMount = ExportMount | { readonly kind: "tree" };

/** A script. */
export interface Script {
  /** Its name on the command line. */
  readonly name: string;
  readonly mount: ScriptMount;
  readonly steps: readonly Step[];
}

const EXPORT: ExportMount = {
  kind: "export",
  backend: "memory",
  size: 4 << 20,
  writable: true,
  growable: false,
  allowOther: false,
  queues: 1,
};

/** Makes a script for an export. */
export function script(
  name: string,
  steps: readonly Step[],
  mount: Partial<ExportMount> = {},
): Script {
  return { name, steps, mount: { ...EXPORT, ...mount } };
}

/** Makes a script for a tree of directories. */
export function treeScript(name: string, steps: readonly Step[]): Script {
  return { name, steps, mount: { kind: "tree" } };
}

/**
 * Makes one system call.
 *
 * @param calls What makes it.
 * @param step The call.
 * @param errnoOf The name of the errno in an exception, null if it has none.
 */
export async function carryOut(
  calls: Calls,
  [call, ...args]: Step,
  errnoOf: (error: unknown) => string | null,
): Promise<StepResult> {
  const method = calls[call] as ((...args: unknown[]) => unknown) | undefined;
  if (method === undefined) return `no ${call}`;
  try {
    // As the client process sends it.
    const result = await method.apply(calls, args) ?? null;
    return JSON.parse(JSON.stringify(result));
  } catch (error) {
    const name = errnoOf(error);
    if (name === null) throw error;
    return name;
  }
}

/** Bytes to write: a function of their seed and their place. */
export function bytesOf(fill: number, size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = fill + i + (i >> 8);
  return bytes;
}

/** The FNV-1a hash of bytes that were read. */
export function digest(bytes: Uint8Array): string {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16);
}

/** A time in a form in which two runs agree. */
export function timeText(ns: bigint): string {
  // The times that scripts set are earlier than this.
  return ns < 1_500_000_000_000_000_000n ? String(ns) : "now";
}
