/**
 * Locks by which programs that open the same disk image keep out of each
 * other's way: those of QEMU's block/file-posix.c.
 *
 * For each permission that somebody uses, the byte 100 + its number has a read
 * lock; for each that somebody does not let others use, the byte 200 + its
 * number. Taking one's own and then looking at the opposite ones of others
 * lets two that come at once see each other.
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";
import { errno, libc } from "../syscall/libc.ts";
import { SystemError } from "../syscall/system_error.ts";

// RAW_LOCK_PERM_BASE and RAW_LOCK_SHARED_BASE.
const USED_BASE = 100;
const UNSHARED_BASE = 200;

// Numbers of the bits BLK_PERM_CONSISTENT_READ, _WRITE and _RESIZE.
const PERMISSION = { read: 0, write: 1, resize: 3 } as const;

type Permission = keyof typeof PERMISSION;

// Operations of fcntl(2): locks of the open file description, which every
// thread shares, and which no other descriptor's close() lets go of.
const F_OFD_GETLK = 36;
const F_OFD_SETLK = 37;

// Types of locks, fcntl(2).
const F_RDLCK = 0;
const F_WRLCK = 1;
const F_UNLCK = 2;

const STRUCT_FLOCK_SIZE = 32;

const UNSHARED: readonly Permission[] = ["write", "resize"];

/** What an image is going to be used for. */
export interface ImageUse {
  /** What it is called in errors. */
  readonly name: string;
  /** It is written to, and its size may be set. */
  readonly writable: boolean;
}

/**
 * Locks an image for as long as its open file description lives: until the
 * last descriptor of it is closed, or the process has died.
 *
 * Others may read, but neither write nor resize, whether this process writes
 * or not.
 *
 * @param fd A descriptor of the image that can be read.
 * @param use What for.
 * @returns False if the image's file system knows no such locks.
 * @throws {SystemError} EAGAIN if somebody who uses it does not agree with
 * that; nothing stays locked then.
 */
export function lockImage(fd: number, use: ImageUse): boolean {
  if (!canLock(fd)) return false;
  const used = permissionsOf(use);
  const bytes = [...used.map(usedByte), ...UNSHARED.map(unsharedByte)];
  try {
    for (const byte of bytes) setLock(fd, F_RDLCK, byte, use);
    const refused = used.find((each) => isHeld(fd, unsharedByte(each)));
    if (refused !== undefined) throw notShared(use, refused);
    const busy = UNSHARED.find((each) => isHeld(fd, usedByte(each)));
    if (busy !== undefined) throw inUse(use, busy);
    return true;
  } catch (error) {
    for (const byte of bytes) setLock(fd, F_UNLCK, byte, use);
    throw error;
  }
}

/**
 * Gives up writing to an image that {@linkcode lockImage} has locked for it;
 * others still may not write.
 *
 * @param fd The descriptor.
 * @param name What the image is called in errors.
 */
export function lockImageReadOnly(fd: number, name: string): void {
  for (const each of UNSHARED) {
    setLock(fd, F_UNLCK, usedByte(each), { name, writable: false });
  }
}

// As QEMU's FUSE export: a writable one may be truncated, growable or not.
function permissionsOf({ writable }: ImageUse): readonly Permission[] {
  return writable ? ["read", "write", "resize"] : ["read"];
}

function usedByte(permission: Permission): number {
  return USED_BASE + PERMISSION[permission];
}

function unsharedByte(permission: Permission): number {
  return UNSHARED_BASE + PERMISSION[permission];
}

/** Whether anybody else has a lock there: raw_check_lock_bytes(). */
function isHeld(fd: number, byte: number): boolean {
  const lock = flock(F_WRLCK, byte);
  if (call(fd, F_OFD_GETLK, lock) < 0) return false;
  return lock.getInt16(0, true) !== F_UNLCK;
}

// qemu_has_file_lock(): some file systems, and old kernels, have none.
function canLock(fd: number): boolean {
  return call(fd, F_OFD_GETLK, flock(F_WRLCK, USED_BASE)) === 0;
}

function setLock(fd: number, type: number, byte: number, use: ImageUse): void {
  if (call(fd, F_OFD_SETLK, flock(type, byte)) === 0 || type === F_UNLCK) {
    return;
  }
  const error = errno();
  // Nobody takes write locks on these bytes by agreement, but anybody may.
  throw error === ERRNO.EAGAIN
    ? inUse(use, "read")
    : lockError(use, { errno: error });
}

function call(fd: number, operation: number, lock: DataView): number {
  const bytes = new Uint8Array(lock.buffer as ArrayBuffer);
  for (;;) {
    const result = libc().fcntl_lock(fd, operation, bytes);
    if (result === 0 || errno() !== ERRNO.EINTR) return result;
  }
}

// struct flock of <fcntl.h>; l_pid has to be 0.
function flock(type: number, byte: number): DataView {
  const lock = new DataView(new ArrayBuffer(STRUCT_FLOCK_SIZE));
  lock.setInt16(0, type, true);
  lock.setBigInt64(8, BigInt(byte), true);
  lock.setBigInt64(16, 1n, true);
  return lock;
}

const OTHER = "another program (QEMU, or another export)";
const ADVICE = "stop it, or use --no-lock if you know that it does no harm";

function notShared(use: ImageUse, permission: Permission): SystemError {
  const what = permission === "read" ? "read" : "written to";
  return lockError(use, {
    errno: ERRNO.EAGAIN,
    reason: `${OTHER} has it open and does not let it be ${what}`,
    advice: ADVICE,
  });
}

function inUse(use: ImageUse, permission: Permission): SystemError {
  const what = permission === "read" ? "has it locked" : "has it open to write";
  return lockError(use, {
    errno: ERRNO.EAGAIN,
    reason: `${OTHER} ${what}`,
    advice: ADVICE,
  });
}

function lockError(
  { name, writable }: ImageUse,
  facts: { errno: number; reason?: string; advice?: string },
): SystemError {
  const purpose = writable ? "writing" : "reading";
  return new SystemError({
    call: "fcntl",
    action: `lock ${name} for ${purpose}`,
    ...facts,
  });
}
