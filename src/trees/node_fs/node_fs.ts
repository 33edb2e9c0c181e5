/**
 * What is used of `node:fs/promises`, and of libraries like it.
 *
 * @module
 */

/** `fs.BigIntStats`; libraries have numbers in some fields, and lack others. */
export interface NodeStats {
  readonly mode: number | bigint;
  readonly size: number | bigint;
  readonly dev?: number | bigint;
  readonly ino?: number | bigint;
  readonly nlink?: number | bigint;
  readonly uid?: number | bigint;
  readonly gid?: number | bigint;
  readonly rdev?: number | bigint;
  readonly blksize?: number | bigint;
  readonly blocks?: number | bigint;
  readonly atimeMs?: number | bigint;
  readonly mtimeMs?: number | bigint;
  readonly ctimeMs?: number | bigint;
  readonly atimeNs?: bigint;
  readonly mtimeNs?: bigint;
  readonly ctimeNs?: bigint;
}

/** `fs.BigIntStatsFs`. */
export interface NodeStatFs {
  readonly bsize: number | bigint;
  readonly blocks: number | bigint;
  readonly bfree: number | bigint;
  readonly bavail: number | bigint;
  readonly files: number | bigint;
  readonly ffree: number | bigint;
}

/** Seconds since 1970, or a time. */
export type NodeTime = number | Date;

/** Asks for numbers of 64 bits. */
export const BIGINT = { bigint: true } as const;

/** `fs.promises.FileHandle`. */
export interface NodeFileHandle {
  read(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesRead: number }>;
  write(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesWritten: number }>;
  close(): Promise<void>;
  stat?(options: typeof BIGINT): Promise<NodeStats>;
  truncate?(size: number): Promise<void>;
  chmod?(mode: number): Promise<void>;
  chown?(uid: number, gid: number): Promise<void>;
  utimes?(atime: NodeTime, mtime: NodeTime): Promise<void>;
  sync?(): Promise<void>;
  datasync?(): Promise<void>;
}

/** `node:fs/promises`. */
export interface NodeFsPromises {
  lstat(path: string, options: typeof BIGINT): Promise<NodeStats>;
  readdir(path: string): Promise<string[]>;
  open?(path: string, flags: number, mode?: number): Promise<NodeFileHandle>;
  readFile?(path: string): Promise<Uint8Array>;
  readlink?(path: string): Promise<string>;
  mkdir?(path: string, mode: number): Promise<unknown>;
  symlink?(target: string, path: string): Promise<void>;
  link?(path: string, newPath: string): Promise<void>;
  unlink?(path: string): Promise<void>;
  rmdir?(path: string): Promise<void>;
  rename?(path: string, newPath: string): Promise<void>;
  truncate?(path: string, size: number): Promise<void>;
  chmod?(path: string, mode: number): Promise<void>;
  chown?(path: string, uid: number, gid: number): Promise<void>;
  lchown?(path: string, uid: number, gid: number): Promise<void>;
  utimes?(path: string, atime: NodeTime, mtime: NodeTime): Promise<void>;
  lutimes?(path: string, atime: NodeTime, mtime: NodeTime): Promise<void>;
  statfs?(path: string, options: typeof BIGINT): Promise<NodeStatFs>;
}
