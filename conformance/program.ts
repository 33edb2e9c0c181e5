/**
 * What the suite needs of a program that uses a file system: system calls, by
 * paths that start at the root of the mount. `TreeClient` of the simulator is
 * one, {@linkcode MountedProgram} makes real calls.
 *
 * @module
 */
import type { Name } from "../src/protocol/text.ts";

/** The result of stat(2). */
export interface Status {
  /** The inode's number. */
  readonly ino: bigint;
  /** Size in bytes. */
  readonly size: number;
  /** File type and permissions. */
  readonly mode: number;
  /** Number of hard links. */
  readonly links: number;
  /** User id of the owner. */
  readonly uid: number;
  /** Group id. */
  readonly gid: number;
  /** Access time in nanoseconds since 1970. */
  readonly atime: bigint;
  /** Modification time in nanoseconds since 1970. */
  readonly mtime: bigint;
  /** Change time in nanoseconds since 1970. */
  readonly ctime: bigint;
}

/** An open file. */
export interface ProgramFile {
  /** pread(2): the number of bytes, fewer at the end of the file. */
  pread(into: Uint8Array, position: number): Promise<number>;
  /** pwrite(2). */
  pwrite(from: Uint8Array, position: number): Promise<number>;
  /** fsync(2). */
  fsync(): Promise<void>;
  /** ftruncate(2). */
  ftruncate(size: number): Promise<void>;
  /** fstat(2). */
  fstat(): Promise<Status>;
  /** close(2). */
  close(): Promise<void>;
}

/** An entry of getdents64(2). */
export interface ProgramEntry {
  /** The inode's number. */
  readonly ino: bigint;
  /** The name; it may be bytes if it is not UTF-8. */
  readonly name: Name;
  /** The file type, `DT_*`: bits 12 to 15 of a mode. */
  readonly type: number;
}

/** An open directory. */
export interface ProgramDirectory {
  /** getdents64(2): the next entries, none at the end. */
  read(bytes?: number): Promise<readonly ProgramEntry[]>;
  /** lseek(2); 0 is the start. */
  seek(offset: bigint): void;
  /** close(2). */
  close(): void;
}

/** System calls, each by its name; they reject with an error of its errno. */
export interface Program {
  open(path: string, flags?: number, mode?: number): Promise<ProgramFile>;
  opendir(path: string): Promise<ProgramDirectory>;
  stat(path: string): Promise<Status>;
  lstat(path: string): Promise<Status>;
  truncate(path: string, size: number): Promise<void>;
  chmod(path: string, mode: number): Promise<void>;
  chown(path: string, uid: number, gid: number): Promise<void>;
  utimens(
    path: string,
    atime: bigint | "now" | null,
    mtime: bigint | "now" | null,
  ): Promise<void>;
  mkdir(path: string, mode?: number): Promise<void>;
  mknod(path: string, mode: number, rdev?: number): Promise<void>;
  symlink(target: string, path: string): Promise<void>;
  readlink(path: string): Promise<string>;
  link(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  rmdir(path: string): Promise<void>;
  rename(from: string, to: string, flags?: number): Promise<void>;
  /** getxattr(2) into a buffer of `size` bytes; 0 returns the size. */
  getxattrInto(
    path: string,
    name: string,
    size: number,
  ): Promise<Uint8Array | number>;
  /** listxattr(2) into a buffer of `size` bytes; 0 returns the size. */
  listxattrInto(path: string, size: number): Promise<Uint8Array | number>;
  setxattr(
    path: string,
    name: string,
    value: Uint8Array,
    flags?: number,
  ): Promise<void>;
  removexattr(path: string, name: string): Promise<void>;
}
