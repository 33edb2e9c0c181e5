/**
 * Paths: making them absolute, and what lies at them.
 *
 * @module
 */

import { cString, textOf } from "./ffi_values.ts";
import { AT, type FileKind, statx } from "./statx.ts";
import { ERRNO } from "../../base/errno.ts";
import { PATH_MAX } from "../../base/limits.ts";
import { AT_FDCWD } from "../syscall/descriptor.ts";
import { errno, libc } from "../syscall/libc.ts";
import { SystemError } from "../syscall/system_error.ts";

/**
 * The absolute path of a name whose last part need not exist: realpath(3) of
 * its directory, and the last part as it is. A symbolic link at the end is not
 * resolved, and what is mounted there is not asked.
 *
 * @param path Any path but the empty one.
 * @throws {SystemError} With realpath's errno if the directory is missing.
 */
export function absolutePath(path: string): string {
  const trimmed = path.replace(/(?<=[^/])\/+$/, "");
  const slash = trimmed.lastIndexOf("/");
  const last = trimmed.slice(slash + 1);
  // These name a directory, not an entry of one.
  if (last === "" || last === "." || last === "..") {
    return resolve(trimmed, path);
  }
  const parent = slash < 0 ? "." : trimmed.slice(0, slash) || "/";
  const directory = resolve(parent, path);
  return directory === "/" ? `/${last}` : `${directory}/${last}`;
}

/**
 * What lies at a path; a symbolic link at the end is one. A mounted file
 * system's server is not asked, so that this cannot wait for one.
 *
 * @param path Any path.
 * @throws {SystemError} With statx(2)'s errno, ENOENT excepted.
 */
export function pathKind(path: string): FileKind | "missing" {
  const flags = AT.SYMLINK_NOFOLLOW | AT.NO_AUTOMOUNT | AT.STATX_DONT_SYNC;
  const status = statx(AT_FDCWD, path, flags);
  if (typeof status !== "number") return status.kind;
  if (status === -ERRNO.ENOENT) return "missing";
  throw new SystemError({
    call: "statx",
    action: `look at ${path}`,
    errno: -status,
  });
}

/**
 * readlink(2).
 *
 * @param path A symbolic link, those of /proc/self/fd included.
 * @throws {SystemError} EINVAL if it is none, and readlink's other errors.
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

function resolve(path: string, asked: string): string {
  const resolved = new Uint8Array(PATH_MAX);
  if (libc().realpath(cString(path), resolved) !== null) {
    return textOf(resolved);
  }
  throw new SystemError({
    call: "realpath",
    action: `find the directory of ${JSON.stringify(asked)}`,
    errno: errno(),
  });
}
