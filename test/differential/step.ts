/**
 * What a script is made of: system calls as plain data, which a process on the
 * real kernel and a client of the simulated one can both carry out.
 *
 * @module
 */

/** Flags of open(2) as x86_64 counts them: the tests need that machine. */
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
  SYNC: 0o4010000,
} as const;

/** A transfer as part of one io_submit(2). */
export interface AioStep {
  readonly write: boolean;
  readonly offset: number;
  readonly size: number;
  /** What bytes to write are made of. */
  readonly fill?: number;
}

/** A time to be set: nanoseconds since 1970 in decimal, or a word. */
export type StepTime = string | "now" | "omit";

/** What is done to a file that an earlier step opened. */
interface OnFile {
  readonly file: string;
}

/** Where, and how much. */
interface Place {
  readonly offset: number;
  readonly size: number;
}

/** The system calls and what they take. */
export interface StepArguments {
  open: { readonly as: string; readonly flags: number };
  dup: OnFile & { readonly as: string };
  close: OnFile;
  fsync: OnFile;
  fdatasync: OnFile;
  fstat: OnFile;
  fstatfs: OnFile;
  flock: OnFile;
  funlock: OnFile;
  /** With `skew`, into memory that begins so far behind a page's start. */
  pread: OnFile & Place & { readonly skew?: number };
  pwrite: OnFile & Place & { readonly fill: number };
  read: OnFile & { readonly size: number };
  write: OnFile & { readonly size: number; readonly fill: number };
  preadv: OnFile & { readonly offset: number; readonly sizes: number[] };
  pwritev: OnFile & {
    readonly offset: number;
    readonly sizes: number[];
    readonly fill: number;
  };
  aio: OnFile & { readonly parts: readonly AioStep[] };
  ftruncate: OnFile & { readonly size: number };
  fchmod: OnFile & { readonly mode: number };
  fallocate: OnFile & Place & { readonly mode: number };
  lseek: OnFile & { readonly offset: number; readonly whence: number };
  /** copy_file_range(2), from and to where the two files are. */
  copy: { readonly from: string; readonly to: string; readonly size: number };
  mmap: OnFile & {
    readonly as: string;
    readonly size: number;
    readonly shared: boolean;
  };
  /** Looks at mapped memory. */
  load: Place & { readonly map: string };
  munmap: { readonly map: string };
  stat: unknown;
  /** statx(2) that asks for the time of birth too. */
  statx: unknown;
  statfs: unknown;
  listxattr: unknown;
  truncate: { readonly size: number };
  chmod: { readonly mode: number };
  chown: { readonly uid: number; readonly gid: number };
  utimens: { readonly atime: StepTime; readonly mtime: StepTime };
  access: { readonly mode: number };
  getxattr: { readonly name: string };
  setxattr: { readonly name: string; readonly value: string };
  /** Goes on as another user. */
  become: { readonly uid: number; readonly gid: number };
  sleep: { readonly ms: number };
}

/** The name of a system call. */
export type CallName = keyof StepArguments;

/** One of some system calls. */
export type StepOf<Call extends CallName> = {
  [Each in Call]: { readonly call: Each } & StepArguments[Each];
}[Call];

/** One system call. `file` and `map` name what an earlier step made. */
export type Step = StepOf<CallName>;

/** What a step came to: an error's name, or what the call told. */
export type StepResult =
  | { readonly errno: string }
  | { readonly [field: string]: string | number };

/** What is mounted for a script, by both sides in the same way. */
export interface ScriptMount {
  /** The image: `memory` is zeroes at first, `pattern` cannot be written. */
  readonly backend: "memory" | "null" | "pattern";
  /** Its size in bytes. */
  readonly size: number;
  readonly writable: boolean;
  readonly growable: boolean;
  readonly allowOther: boolean;
  readonly queues: number;
}

/** A script. */
export interface Script {
  /** What it is called on the command line. */
  readonly name: string;
  readonly mount: ScriptMount;
  readonly steps: readonly Step[];
}

/** What is mounted unless a script says otherwise. */
const MOUNT: ScriptMount = {
  backend: "memory",
  size: 4 << 20,
  writable: true,
  growable: false,
  allowOther: false,
  queues: 1,
};

/** Makes a script. */
export function script(
  name: string,
  steps: readonly Step[],
  mount: Partial<ScriptMount> = {},
): Script {
  return { name, steps, mount: { ...MOUNT, ...mount } };
}

/** Bytes to be written: a function of what they are made of and their place. */
export function bytesOf(fill: number, size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = fill + i + (i >> 8);
  return bytes;
}

/** Sums up bytes that were read; FNV-1a. */
export function digest(bytes: Uint8Array): string {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16);
}

/** A time as far as two runs can agree on it. */
export function timeText(ns: bigint): string {
  // Whatever a script sets lies before this.
  return ns < 1_500_000_000_000_000_000n ? String(ns) : "now";
}
