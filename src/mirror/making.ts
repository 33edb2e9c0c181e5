/**
 * Making files, directories and other nodes in host directories, which belong to
 * the caller.
 *
 * @module
 */
import { S_IF } from "../base/file_flags.ts";
import type { Caller } from "../filesystem/file_system.ts";
import { OPEN } from "../linux/syscall/descriptor.ts";
import { errno, libc } from "../linux/syscall/libc.ts";
import type { CallerIds } from "./as_caller.ts";
import { failureOf } from "./failure.ts";
import {
  descriptorName,
  descriptorPath,
  nameArgument,
  NO_NAME,
  textArgument,
} from "./names.ts";
import { deviceArgument, readStatus, statusMode } from "./status.ts";

/** The bits of a mode that a umask can clear. */
const PERMISSIONS = 0o777;
const DEFAULT_ACL = new TextEncoder().encode("system.posix_acl_default\0");

/** What the calls of this module work with. */
export interface Maker {
  readonly ids: CallerIds;
  /** An O_PATH descriptor of /proc/self/fd. */
  readonly descriptors: number;
}

/** A plain file that was just made. */
export interface MadeFile {
  /** A descriptor for reading and writing. */
  readonly fd: number;
  /** The permissions that it was to have. */
  readonly permissions: number;
}

/**
 * Creates and opens a plain file; {@linkcode undoFileUmask} is to follow.
 *
 * @throws {Errno} EEXIST if the name exists.
 */
export function makeFile(
  { ids }: Maker,
  directory: number,
  name: string,
  mode: number,
  caller: Caller,
): MadeFile {
  const path = nameArgument(name);
  const permissions = masked(directory, mode, caller) & ~S_IF.MT;
  const flags = OPEN.RDWR | OPEN.CREAT | OPEN.EXCL | OPEN.NOFOLLOW |
    OPEN.CLOEXEC;
  const fd = orThrow(ids.run(
    caller,
    () => result(libc().openat(directory, path, flags, permissions)),
  ));
  return { fd, permissions };
}

/**
 * Gives a file the permissions that the umask of this process has taken away.
 *
 * @param mode The mode that it was found to have.
 * @returns Whether it was changed.
 */
export function undoFileUmask(
  { descriptors }: Maker,
  directory: number,
  { fd, permissions }: MadeFile,
  mode: number,
): boolean {
  const missing = permissions & PERMISSIONS & ~mode;
  if (missing === 0 || hasDefaultAcl(directory)) return false;
  libc().fchmodat(descriptors, descriptorName(fd), permissions, 0);
  return true;
}

/** Creates a directory. */
export function makeDirectory(
  maker: Maker,
  directory: number,
  name: string,
  mode: number,
  caller: Caller,
): void {
  const path = nameArgument(name);
  const given = masked(directory, mode, caller);
  orThrow(maker.ids.run(
    caller,
    () => result(libc().mkdirat(directory, path, given & ~S_IF.MT)),
  ));
  undoUmask(maker, directory, name, given);
}

/** Creates a FIFO, socket, device, or plain file. */
export function makeNode(
  maker: Maker,
  directory: number,
  name: string,
  mode: number,
  rdev: number,
  caller: Caller,
): void {
  const path = nameArgument(name);
  const device = deviceArgument(rdev);
  const given = masked(directory, mode, caller);
  orThrow(maker.ids.run(
    caller,
    () => result(libc().mknodat(directory, path, given, device)),
  ));
  undoUmask(maker, directory, name, given);
}

/** Creates a symbolic link. */
export function makeLink(
  { ids }: Maker,
  directory: number,
  name: string,
  target: string,
  caller: Caller,
): void {
  const path = nameArgument(name);
  const text = textArgument(target);
  orThrow(ids.run(
    caller,
    () => result(libc().symlinkat(text, directory, path)),
  ));
}

/** The mode less the caller's umask, which a default ACL replaces. */
function masked(directory: number, mode: number, { umask }: Caller): number {
  const isReplaced = (mode & umask) !== 0 && hasDefaultAcl(directory);
  return isReplaced ? mode : mode & ~umask;
}

/**
 * Gives what was made the permissions that the umask of this process has taken
 * away: the caller's umask has been applied, and a default ACL replaces both.
 */
function undoUmask(
  { descriptors }: Maker,
  directory: number,
  name: string,
  mode: number,
): void {
  if (readStatus(directory, nameArgument(name)) < 0) return;
  const missing = mode & PERMISSIONS & ~statusMode();
  if (missing === 0 || hasDefaultAcl(directory)) return;
  const { openat, fchmodat, close } = libc();
  const flags = OPEN.PATH | OPEN.NOFOLLOW | OPEN.CLOEXEC;
  const fd = openat(directory, nameArgument(name), flags, 0);
  if (fd < 0) return;
  // What has the name now is not necessarily what was made.
  const isSame = readStatus(fd, NO_NAME) === 0 &&
    (statusMode() & S_IF.MT) === (mode & S_IF.MT);
  if (isSame) fchmodat(descriptors, descriptorName(fd), mode & ~S_IF.MT, 0);
  close(fd);
}

function hasDefaultAcl(directory: number): boolean {
  const path = descriptorPath(directory);
  return libc().getxattr(path, DEFAULT_ACL, null, 0n) > 0;
}

function result(value: number): number {
  return value < 0 ? -errno() : value;
}

function orThrow(value: number): number {
  if (value < 0) throw failureOf(-value);
  return value;
}
