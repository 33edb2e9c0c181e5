/**
 * The data of host files, by open descriptors.
 *
 * @module
 */
import { ERRNO } from "../base/errno.ts";
import { BufferPointers } from "../linux/syscall/ffi_values.ts";
import { errno, libc } from "../linux/syscall/libc.ts";
import { inPool } from "../linux/syscall/pool.ts";
import { failureOf } from "./failure.ts";

const pointers = new BufferPointers();

/** Reads up to the end of the file at most. */
export function readFile(fd: number, into: Uint8Array, offset: number): number {
  const pointer = pointers.of(into);
  const length = BigInt(into.byteLength);
  for (;;) {
    const count = libc().pread(fd, pointer, length, BigInt(offset));
    if (count >= 0) return count;
    const error = errno();
    if (error !== ERRNO.EINTR) throw failureOf(error);
  }
}

/** Writes; returns how many bytes were written. */
export function writeFile(
  fd: number,
  data: Uint8Array,
  offset: number,
): number {
  const pointer = pointers.of(data);
  const length = BigInt(data.byteLength);
  for (;;) {
    const count = libc().pwrite(fd, pointer, length, BigInt(offset));
    if (count >= 0) return count;
    const error = errno();
    if (error !== ERRNO.EINTR) throw failureOf(error);
  }
}

/**
 * Finds data or a hole.
 *
 * @param whence SEEK_DATA or SEEK_HOLE.
 * @returns `null` if there is none at or after the offset.
 */
export function seekFile(
  fd: number,
  offset: number,
  whence: number,
): number | null {
  const found = Number(libc().lseek(fd, BigInt(offset), whence));
  if (found >= 0) return found;
  const error = errno();
  if (error === ERRNO.ENXIO) return null;
  throw failureOf(error);
}

/**
 * Makes a file durable, in a thread of the pool, because a disk takes its time.
 *
 * @param close Whether to close the descriptor afterwards.
 */
export async function syncFile(
  fd: number,
  dataOnly: boolean,
  close: boolean,
): Promise<void> {
  const { fdatasync, fdatasync_nonblocking, fsync, fsync_nonblocking } = libc();
  const [later, now] = dataOnly
    ? [fdatasync_nonblocking, fdatasync]
    : [fsync_nonblocking, fsync];
  try {
    if (await inPool(() => later(fd), () => now(fd)) === 0) return;
    // The errno is lost. What depends on the kind of file fails again; an error
    // of the disk is told only once.
    throw failureOf(now(fd) === 0 ? ERRNO.EIO : errno());
  } finally {
    if (close) libc().close(fd);
  }
}
