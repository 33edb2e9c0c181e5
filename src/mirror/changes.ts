/**
 * Changing the attributes of host files: SETATTR.
 *
 * @module
 */
import { S_IF } from "../base/file_flags.ts";
import { nanosecondsOf, secondsOf } from "../base/timespec.ts";
import type { Changes } from "../filesystem/attr.ts";
import { OPEN } from "../linux/syscall/descriptor.ts";
import { libc } from "../linux/syscall/libc.ts";
import { AT } from "../linux/syscall/statx.ts";
import { checked } from "./failure.ts";
import { descriptorName, NO_NAME } from "./names.ts";

/** An id that chown(2) leaves as it is. */
const NO_ID = 0xffff_ffff;
const UTIME_NOW = 0x3fff_ffffn;
const UTIME_OMIT = 0x3fff_fffen;

// struct timespec times[2]: of access, of modification.
const times = new BigInt64Array(new ArrayBuffer(32));

/**
 * Changes attributes of a file.
 *
 * @param descriptors An O_PATH descriptor of /proc/self/fd.
 * @param fd An O_PATH descriptor of the file.
 * @param handle The file open for writing, if the change comes with it.
 * @throws {Errno} Of the first change that fails.
 */
export function changeAttributes(
  descriptors: number,
  fd: number,
  changes: Changes,
  handle: number | undefined,
): void {
  const { mode, uid, gid, size } = changes;
  // chown(2) takes set-user-ID and set-group-ID away, so that the mode follows.
  if (uid !== undefined || gid !== undefined) {
    const flags = AT.EMPTY_PATH | AT.SYMLINK_NOFOLLOW;
    const owner = uid ?? NO_ID;
    checked(libc().fchownat(fd, NO_NAME, owner, gid ?? NO_ID, flags));
  }
  if (mode !== undefined) {
    const name = descriptorName(fd);
    checked(libc().fchmodat(descriptors, name, mode & ~S_IF.MT, 0));
  }
  if (size !== undefined) truncate(descriptors, fd, size, handle);
  changeTimes(fd, changes);
}

function truncate(
  descriptors: number,
  fd: number,
  size: number,
  handle: number | undefined,
): void {
  const { close, ftruncate, openat } = libc();
  const length = BigInt(size);
  if (handle !== undefined) {
    checked(ftruncate(handle, length));
    return;
  }
  const flags = OPEN.WRONLY | OPEN.NONBLOCK | OPEN.CLOEXEC;
  const file = checked(openat(descriptors, descriptorName(fd), flags, 0));
  try {
    checked(ftruncate(file, length));
  } finally {
    close(file);
  }
}

function changeTimes(fd: number, changes: Changes): void {
  const { atime, ctime, size } = changes;
  // The host has stamped the file by changing its size.
  const mtime = size !== undefined && changes.mtime === ctime
    ? undefined
    : changes.mtime;
  if (atime === undefined && mtime === undefined) return;
  setTime(0, atime, ctime);
  setTime(2, mtime, ctime);
  checked(libc().utimensat(fd, NO_NAME, times, AT.EMPTY_PATH));
}

/** @param now The time of this change: the host's clock is asked instead. */
function setTime(at: number, time: bigint | undefined, now: bigint): void {
  const isExact = time !== undefined && time !== now;
  times[at] = isExact ? secondsOf(time) : 0n;
  times[at + 1] = isExact
    ? BigInt(nanosecondsOf(time))
    : time === undefined
    ? UTIME_OMIT
    : UTIME_NOW;
}
