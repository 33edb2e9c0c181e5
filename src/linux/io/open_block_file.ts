/**
 * Opens disk images: regular files and block devices.
 *
 * @module
 */
import type { BlockFile } from "../../backends/block_file.ts";
import { ERRNO } from "../../base/errno.ts";
import { UserError } from "../../base/user_error.ts";
import {
  OPEN,
  openDescriptor,
  pathOfDescriptor,
} from "../syscall/descriptor.ts";
import { findEntry } from "../syscall/path_walk.ts";
import { readLink } from "../syscall/paths.ts";
import { ignoreFileSizeSignal } from "../syscall/resource_limits.ts";
import { statxDescriptor } from "../syscall/statx.ts";
import { SystemError } from "../syscall/system_error.ts";
import { kindOfImage, LinuxBlockFile } from "./block_file.ts";

/** The options of {@linkcode reopenBlockFile}. */
export interface BlockFileOptions {
  /** Open for reading and writing, instead of reading only. */
  readonly writable: boolean;
  /** Bypass the page cache by O_DIRECT, false by default. */
  readonly direct?: boolean;
}

/** The options of {@linkcode openBlockFile}. */
export interface ImageOpenOptions extends BlockFileOptions {
  /** Whether other users may change a part of the path, false by default. */
  readonly insecurePath?: boolean;
}

/**
 * Opens an existing image. Its path is looked up once.
 *
 * @param path A regular file or a block device, or a symbolic link to one.
 * @param options More.
 * @throws {SystemError} EPERM if other users can change a part of the path,
 * EISDIR for a directory, ENOTBLK for any other kind of file, and the errnos of
 * open(2).
 */
export function openBlockFile(
  path: string,
  options: ImageOpenOptions,
): BlockFile {
  const action = `open ${path}`;
  const { insecurePath } = options;
  // By a descriptor with O_PATH, because opening a pipe or a device has side
  // effects.
  using entry = findEntry(path, {
    action,
    opening: action,
    insecurePath,
    follow: true,
    advice: adviceOnOpen,
  });
  if (entry.fd === null) throw missing(path);
  refuseOtherKinds(entry.fd, path);
  return reopenBlockFile(entry.fd, path, options);
}

/**
 * The path that the path of an image leads to, without symbolic links. Opens
 * nothing.
 *
 * @param path Any path.
 * @param insecurePath As that of {@linkcode openBlockFile}.
 * @returns `null` if nothing is there, or `openBlockFile()` would refuse the path.
 */
export function realPathOf(
  path: string,
  insecurePath: boolean,
): string | null {
  try {
    using entry = findEntry(path, {
      action: `open ${path}`,
      insecurePath,
      follow: true,
    });
    return entry.fd === null ? null : readLink(pathOfDescriptor(entry.fd));
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
}

/**
 * Opens the image of a descriptor once more, with its own open file description.
 * Permissions are checked anew: proc_pid_fd(5).
 *
 * @param fd A descriptor of a regular file or a block device.
 * @param name Its name in errors.
 * @param options More.
 * @throws {SystemError} With the errno of open(2).
 */
export function reopenBlockFile(
  fd: number,
  name: string,
  options: BlockFileOptions,
): BlockFile {
  const flags = (options.writable ? OPEN.RDWR : OPEN.RDONLY) |
    (options.direct === true ? OPEN.DIRECT : 0);
  const how = { label: name, advice: adviceOnOpen };
  // A write beyond the limit is an error to tell, not the end of the program.
  if (options.writable) ignoreFileSizeSignal();
  return new LinuxBlockFile(openDescriptor(pathOfDescriptor(fd), flags, how));
}

function refuseOtherKinds(handle: number, path: string): void {
  const status = statxDescriptor(handle);
  if (typeof status === "number") {
    throw new SystemError({
      call: "statx",
      action: `open ${path}`,
      errno: -status,
    });
  }
  const kind = kindOfImage(status.kind);
  if (kind === "file" || kind === "block") return;
  throw new SystemError({
    call: "openat",
    action: `open ${path}`,
    errno: kind === "directory" ? ERRNO.EISDIR : ERRNO.ENOTBLK,
    advice: "give a regular file or a block device",
  });
}

function missing(path: string): SystemError {
  return new SystemError({
    call: "openat",
    action: `open ${path}`,
    errno: ERRNO.ENOENT,
    advice: adviceOnOpen(ERRNO.ENOENT),
  });
}

function adviceOnOpen(error: number): string | undefined {
  switch (error) {
    case ERRNO.EROFS:
    case ERRNO.ETXTBSY:
      return "open it read-only";
    case ERRNO.ENOENT:
      return "check the path, or create an image with 'truncate -s 1G FILE'";
    case ERRNO.EACCES:
    case ERRNO.EPERM:
      return "grant this user the permission, or run as a user who has it";
    default:
      return undefined;
  }
}
