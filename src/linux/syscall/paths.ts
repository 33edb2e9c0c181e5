/**
 * Paths: resolving them, and the kind of file that they lead to.
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";
import { PATH_MAX } from "../../base/limits.ts";
import { AT_FDCWD } from "../syscall/descriptor.ts";
import { errno, libc } from "../syscall/libc.ts";
import { SystemError } from "../syscall/system_error.ts";
import { cString, textOf } from "./ffi_values.ts";
import { AT, type FileKind, statx } from "./statx.ts";

/**
 * Makes a path absolute by realpath(3) of its directory. Its last part need not
 * exist; it is not resolved if it is a symbolic link, and not accessed, so that
 * a FUSE server at the path is not involved.
 *
 * @param path Any path but the empty one.
 * @throws {SystemError} With the errno of realpath, such as ENOENT if the
 * directory does not exist.
 */
export function absolutePath(path: string): string {
  const trimmed = path.replace(/(?<=[^/])\/+$/, "");
  const slash = trimmed.lastIndexOf("/");
  const last = trimmed.slice(slash + 1);
  // "." and ".." are directories themselves, not entries to be kept.
  if (last === "" || last === "." || last === "..") {
    return resolve(trimmed, path);
  }
  const parent = slash < 0 ? "." : trimmed.slice(0, slash) || "/";
  const directory = resolve(parent, path);
  return directory === "/" ? `/${last}` : `${directory}/${last}`;
}

/**
 * The kind of file at a path; a symbolic link is not followed. It does not wait
 * for the FUSE server of a file system that is mounted there.
 *
 * @param path Any path.
 * @throws {SystemError} With the errno of statx(2), except ENOENT.
 */
export function pathKind(path: string): FileKind | "missing" {
  const flags = AT.SYMLINK_NOFOLLOW | AT.NO_AUTOMOUNT | AT.STATX_DONT_SYNC;
  const status = statx(AT_FDCWD, path, flags);
  if (typeof status !== "number") return status.kind;
  if (status === -ERRNO.ENOENT) return "missing";
  throw new SystemError({
    call: "statx",
    action: `access ${path}`,
    errno: -status,
  });
}

/**
 * The target of a symbolic link: readlink(2).
 *
 * @param path A symbolic link, such as those of /proc/self/fd.
 * @throws {SystemError} EINVAL if it is not a symbolic link, and other errnos of
 * readlink.
 */
export function readLink(path: string): string {
  const target = new Uint8Array(PATH_MAX);
  const size = BigInt(target.byteLength);
  const length = libc().readlink(cString(path), target, size);
  if (length >= 0) return textOf(target, length);
  throw new SystemError({
    call: "readlink",
    action: `read the symbolic link ${path}`,
    errno: errno(),
  });
}

function resolve(path: string, given: string): string {
  const resolved = new Uint8Array(PATH_MAX);
  if (libc().realpath(cString(path), resolved) !== null) {
    return textOf(resolved);
  }
  const error = errno();
  throw new SystemError({
    call: "realpath",
    action: `find the directory of ${given}`,
    errno: error,
    advice: error === ERRNO.ENOENT ? "check the path" : undefined,
  });
}
