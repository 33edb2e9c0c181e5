/**
 * Locks that keep programs from using the same disk image in conflicting ways.
 * They are compatible with those of QEMU: block/file-posix.c.
 *
 * A program read-locks byte 100 + n for each permission n that it uses, and byte
 * 200 + n for each permission that it does not share with others. It first takes
 * its own locks, then tests for conflicting locks of others, so that of two
 * programs that start at the same time at least one notices the other.
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";
import {
  conflictingLock,
  LOCK_TYPE,
  type LockRange,
  setFileLock,
} from "../syscall/file_lock.ts";
import { SystemError } from "../syscall/system_error.ts";

// RAW_LOCK_PERM_BASE and RAW_LOCK_SHARED_BASE.
const USED_BASE = 100;
const UNSHARED_BASE = 200;

// Numbers of the bits BLK_PERM_CONSISTENT_READ, _WRITE and _RESIZE.
const PERMISSION = { read: 0, write: 1, resize: 3 } as const;

type Permission = keyof typeof PERMISSION;

const UNSHARED: readonly Permission[] = ["write", "resize"];

/** How an image will be used. */
export interface ImageUse {
  /** Its name in errors. */
  readonly name: string;
  /** Whether it will be written to, and its size may be set. */
  readonly writable: boolean;
}

/**
 * Locks an image until its open file description is closed: with its last
 * descriptor, or at the end of the process.
 *
 * Other programs may read the image meanwhile, but not write to or resize it.
 *
 * @param fd A readable descriptor of the image.
 * @param use How the image will be used.
 * @returns False if the image's file system has no such locks.
 * @throws {SystemError} EAGAIN if the locks of another program conflict; nothing
 * stays locked then.
 */
export function lockImage(fd: number, use: ImageUse): boolean {
  if (!canLock(fd)) return false;
  const used = permissionsOf(use);
  const bytes = [...used.map(usedByte), ...UNSHARED.map(unsharedByte)];
  try {
    for (const byte of bytes) setLock(fd, LOCK_TYPE.READ, byte, use);
    const refused = used.find((each) => isHeld(fd, unsharedByte(each)));
    if (refused !== undefined) throw notShared(use, refused);
    const busy = UNSHARED.find((each) => isHeld(fd, usedByte(each)));
    if (busy !== undefined) throw inUse(use, busy);
    return true;
  } catch (error) {
    for (const byte of bytes) setLock(fd, LOCK_TYPE.NONE, byte, use);
    throw error;
  }
}

/**
 * Downgrades the lock of a writable image to that of a read-only one, so that
 * programs that refuse an image with a writer can open it. Others still cannot
 * write.
 *
 * @param fd The descriptor.
 * @param name The image's name in errors.
 */
export function lockImageReadOnly(fd: number, name: string): void {
  for (const each of UNSHARED) {
    setLock(fd, LOCK_TYPE.NONE, usedByte(each), { name, writable: false });
  }
}

// As QEMU's FUSE export does: a writable image may be resized.
function permissionsOf({ writable }: ImageUse): readonly Permission[] {
  return writable ? ["read", "write", "resize"] : ["read"];
}

function usedByte(permission: Permission): number {
  return USED_BASE + PERMISSION[permission];
}

function unsharedByte(permission: Permission): number {
  return UNSHARED_BASE + PERMISSION[permission];
}

/** Whether another program has locked a byte: raw_check_lock_bytes(). */
function isHeld(fd: number, byte: number): boolean {
  const type = conflictingLock(fd, LOCK_TYPE.WRITE, rangeOf(byte));
  return type >= 0 && type !== LOCK_TYPE.NONE;
}

// qemu_has_file_lock(): some file systems have no locks.
function canLock(fd: number): boolean {
  return conflictingLock(fd, LOCK_TYPE.WRITE, rangeOf(USED_BASE)) >= 0;
}

function setLock(fd: number, type: number, byte: number, use: ImageUse): void {
  const result = setFileLock(fd, type, rangeOf(byte));
  if (result === 0 || type === LOCK_TYPE.NONE) return;
  // Only a program outside of this protocol takes write locks on these bytes.
  throw result === -ERRNO.EAGAIN
    ? inUse(use, "read")
    : lockError(use, { errno: -result });
}

function rangeOf(byte: number): LockRange {
  return { start: byte, length: 1 };
}

const OTHER = "another program, such as QEMU or another export,";
const ADVICE = "stop it, or use --no-lock if sharing the image is safe";

function notShared(use: ImageUse, permission: Permission): SystemError {
  const what = permission === "read" ? "read" : "written to";
  return lockError(use, {
    errno: ERRNO.EAGAIN,
    reason: `${OTHER} has it open and does not allow it to be ${what}`,
    advice: ADVICE,
  });
}

function inUse(use: ImageUse, permission: Permission): SystemError {
  const what = permission === "read"
    ? "has it locked"
    : "has it open for writing";
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
