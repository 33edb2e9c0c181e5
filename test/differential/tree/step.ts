/**
 * What scripts about directories are made of. A step is a system call and its
 * arguments, as JSON can carry them; paths begin at the root of the mount.
 *
 * @module
 */

/** The system calls and what they take. */
export interface TreeCallArguments {
  mkdir: [path: string, mode: number];
  rmdir: [path: string];
  unlink: [path: string];
  link: [from: string, to: string];
  symlink: [target: string, path: string];
  readlink: [path: string];
  mknod: [path: string, mode: number, rdev: number];
  rename: [from: string, to: string];
  renameat2: [from: string, to: string, flags: number];
  stat: [path: string];
  lstat: [path: string];
  access: [path: string, mode: number];
  chmod: [path: string, mode: number];
  chown: [path: string, uid: number, gid: number];
  truncate: [path: string, size: number];
  statfs: [path: string];
  setxattr: [path: string, name: string, value: string, flags: number];
  getxattr: [path: string, name: string, size: number];
  listxattr: [path: string, size: number];
  removexattr: [path: string, name: string];
  /** `as` names the file in later steps. */
  open: [as: string, path: string, flags: number, mode: number];
  read: [file: string, size: number];
  write: [file: string, size: number, fill: number];
  pread: [file: string, size: number, offset: number];
  pwrite: [file: string, size: number, offset: number, fill: number];
  fstat: [file: string];
  fsync: [file: string];
  close: [file: string];
  /** open(2) and fstat(2), as opendir(3) does. */
  opendir: [as: string, path: string];
  getdents: [directory: string, size: number];
  seekdir: [directory: string, offset: number];
  closedir: [directory: string];
  fsyncdir: [directory: string];
  /** Goes on as another user. */
  become: [uid: number, gid: number];
  sleep: [ms: number];
}

/** One system call. */
export type TreeStep = {
  [Call in keyof TreeCallArguments]: [Call, ...TreeCallArguments[Call]];
}[keyof TreeCallArguments];

/** What carries out steps: each call returns what can be compared. */
export type TreeCalls = {
  [Call in keyof TreeCallArguments]: (
    ...args: TreeCallArguments[Call]
  ) => unknown;
};

/** A script. */
export interface TreeScript {
  readonly name: string;
  readonly steps: readonly TreeStep[];
}

/** Carries out one step. */
export async function carryOut(
  calls: TreeCalls,
  [call, ...args]: TreeStep,
): Promise<unknown> {
  const method = calls[call] as (...args: unknown[]) => unknown;
  return await method.apply(calls, args) ?? null;
}
