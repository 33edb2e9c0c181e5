/**
 * Small text files: those of /proc and /sys, and pidfiles.
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";
import { decodeName, encodeName } from "../../base/name_bytes.ts";
import {
  AT_FDCWD,
  closeDescriptor,
  OPEN,
  openDescriptor,
  type OpenOptions,
} from "../syscall/descriptor.ts";
import { errno, libc } from "../syscall/libc.ts";
import { SystemError } from "../syscall/system_error.ts";
import { cString, pointerOf } from "./ffi_values.ts";
import { AT, type FileStatus, statx, statxDescriptor } from "./statx.ts";

// Most files of /proc and /sys are read at once.
const CHUNK_BYTES = 16384;

/**
 * Reads the whole text of a file. Files of /proc contain names, whose bytes need
 * not be UTF-8.
 *
 * @param path A path.
 * @param directory The directory of a relative path, the working directory by
 * default.
 * @throws {SystemError} With the errno of openat(2) or read(2).
 */
export function readText(path: string, directory: number = AT_FDCWD): string {
  return decodeName(readBytes(path, directory));
}

/**
 * Reads a whole file whose bytes need not be UTF-8.
 *
 * @param path A path.
 * @param directory The directory of a relative path, the working directory by
 * default.
 * @throws {SystemError} With the errno of openat(2) or read(2).
 */
export function readBytes(
  path: string,
  directory: number = AT_FDCWD,
): Uint8Array<ArrayBuffer> {
  const fd = openDescriptor(path, OPEN.RDONLY, { directory });
  try {
    return readAll(fd, path);
  } finally {
    closeDescriptor(fd);
  }
}

/**
 * The text at the start of an open file.
 *
 * @param fd A readable descriptor; its position is left as it is.
 * @param length Bytes to read at most.
 * @param name The file's name in errors.
 * @throws {SystemError} With the errno of pread(2).
 */
export function readStart(fd: number, length: number, name: string): string {
  const bytes = new Uint8Array(new ArrayBuffer(length));
  const size = BigInt(length);
  for (;;) {
    const count = libc().pread(fd, pointerOf(bytes), size, 0n);
    if (count >= 0) return decodeName(bytes.subarray(0, count));
    throwUnlessInterrupted("read", name);
  }
}

/**
 * Writes a text to an open file, from its position on.
 *
 * @param fd A writable descriptor.
 * @param text The text.
 * @param name The file's name in errors.
 * @throws {SystemError} With the errno of write(2).
 */
export function writeText(fd: number, text: string, name: string): void {
  let rest = encodeName(text);
  while (rest.byteLength > 0) {
    const size = BigInt(rest.byteLength);
    const count = libc().write(fd, pointerOf(rest), size);
    if (count < 0) throwUnlessInterrupted("write", name);
    else rest = rest.subarray(count);
  }
}

/** The options of {@linkcode writeTextFile}. */
export interface WriteTextOptions {
  /** Fail with EEXIST if the file exists, instead of overwriting it. */
  readonly exclusive?: boolean;
  /** Permission bits of a created file before the umask, 0o644 by default. */
  readonly mode?: number;
}

/** A file that {@linkcode writeTextFile} wrote. */
export interface WrittenFile {
  /** The path as given. */
  readonly path: string;
  /**
   * Removes the file unless it was removed, replaced or changed meanwhile.
   *
   * @returns Whether it was removed.
   * @throws {SystemError} With the errno of unlink(2).
   */
  remove(): boolean;
}

/**
 * Writes a text file, such as a pidfile.
 *
 * @param path A path; a symbolic link is not followed (ELOOP).
 * @param text The whole text.
 * @param options More.
 * @throws {SystemError} With the errno of openat(2) or write(2).
 */
export function writeTextFile(
  path: string,
  text: string,
  options: WriteTextOptions = {},
): WrittenFile {
  const flags = OPEN.WRONLY | OPEN.CREAT | OPEN.NOFOLLOW |
    (options.exclusive ? OPEN.EXCL : OPEN.TRUNC);
  const open: OpenOptions = { mode: options.mode ?? 0o644, advice };
  const fd = openDescriptor(path, flags, open);
  try {
    writeText(fd, text, path);
    const written = statxDescriptor(fd);
    return { path, remove: () => removeIfSame(path, written) };
  } finally {
    closeDescriptor(fd);
  }
}

/**
 * Writes to an existing file without truncating it, such as a setting of /sys.
 *
 * @param path A path.
 * @param text The text to write.
 * @param directory The directory of a relative path, the working directory by
 * default.
 * @throws {SystemError} With the errno of openat(2) or write(2).
 */
export function writeExisting(
  path: string,
  text: string,
  directory: number = AT_FDCWD,
): void {
  const fd = openDescriptor(path, OPEN.WRONLY, { directory });
  try {
    writeText(fd, text, path);
  } finally {
    closeDescriptor(fd);
  }
}

/**
 * Removes a file by unlink(2).
 *
 * @param path A path.
 * @returns False if there was no such file.
 * @throws {SystemError} With any errno of unlink but ENOENT.
 */
export function removeFile(path: string): boolean {
  if (libc().unlink(cString(path)) === 0) return true;
  const error = errno();
  if (error === ERRNO.ENOENT) return false;
  throw new SystemError({
    call: "unlink",
    action: `remove ${path}`,
    errno: error,
  });
}

function readAll(fd: number, path: string): Uint8Array<ArrayBuffer> {
  let bytes = new Uint8Array(CHUNK_BYTES);
  let length = 0;
  for (;;) {
    const rest = bytes.subarray(length);
    const size = BigInt(rest.byteLength);
    const count = libc().read(fd, pointerOf(rest), size);
    if (count === 0) return bytes.subarray(0, length);
    if (count < 0) throwUnlessInterrupted("read", path);
    else length += count;
    if (length === bytes.byteLength) {
      const larger = new Uint8Array(2 * length);
      larger.set(bytes);
      bytes = larger;
    }
  }
}

function throwUnlessInterrupted(call: "read" | "write", path: string): void {
  const error = errno();
  if (error === ERRNO.EINTR) return;
  throw new SystemError({ call, action: `${call} ${path}`, errno: error });
}

function removeIfSame(path: string, written: FileStatus | number): boolean {
  const now = statx(AT_FDCWD, path, AT.SYMLINK_NOFOLLOW);
  if (typeof written === "number" || typeof now === "number") return false;
  // mtime too, because file systems reuse inode numbers.
  const same = now.inode === written.inode && now.device === written.device &&
    now.mtime === written.mtime;
  return same && removeFile(path);
}

function advice(error: number): string | undefined {
  return error === ERRNO.EEXIST
    ? "remove it unless another process uses it"
    : undefined;
}
