/**
 * Locks of byte ranges of files that belong to the open file description: all
 * threads share them, and closing another descriptor does not release them,
 * fcntl(2).
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";
import { errno, libc } from "./libc.ts";

// Operations of fcntl(2).
const F_OFD_GETLK = 36;
const F_OFD_SETLK = 37;

/** Types of locks. */
export const LOCK_TYPE = { READ: 0, WRITE: 1, NONE: 2 } as const;

const STRUCT_FLOCK_SIZE = 32;

/** A range of bytes of a file. */
export interface LockRange {
  /** The first byte. */
  readonly start: number;
  /** How many bytes; 0 for all up to the end of any file. */
  readonly length: number;
}

/**
 * Sets or removes a lock, without waiting.
 *
 * @param fd The descriptor: readable for READ, writable for WRITE.
 * @param type A value of {@linkcode LOCK_TYPE}.
 * @returns 0, or a negative errno: `-EAGAIN` if another lock conflicts.
 */
export function setFileLock(
  fd: number,
  type: number,
  range: LockRange,
): number {
  return call(fd, F_OFD_SETLK, flock(type, range));
}

/**
 * The type of a lock of another open file description that a lock would
 * conflict with.
 *
 * @param fd The descriptor.
 * @param type The type of the lock that is not set.
 * @returns A value of {@linkcode LOCK_TYPE}, NONE without a conflict; or a
 * negative errno, if the file system has no locks.
 */
export function conflictingLock(
  fd: number,
  type: number,
  range: LockRange,
): number {
  const lock = flock(type, range);
  const result = call(fd, F_OFD_GETLK, lock);
  return result < 0 ? result : lock.getInt16(0, true);
}

function call(fd: number, operation: number, lock: DataView): number {
  const bytes = new Uint8Array(lock.buffer as ArrayBuffer);
  for (;;) {
    if (libc().fcntl_lock(fd, operation, bytes) === 0) return 0;
    const error = errno();
    if (error !== ERRNO.EINTR) return -error;
  }
}

// struct flock of <fcntl.h>; l_pid must be 0.
function flock(type: number, { start, length }: LockRange): DataView {
  const lock = new DataView(new ArrayBuffer(STRUCT_FLOCK_SIZE));
  lock.setInt16(0, type, true);
  lock.setBigInt64(8, BigInt(start), true);
  lock.setBigInt64(16, BigInt(length), true);
  return lock;
}
