/**
 * Whether other users can make a path lead elsewhere.
 *
 * Who may write to a directory may replace what its names stand for, by another
 * file or by a symbolic link, at any time between two uses of the path: CWE-59
 * and CWE-367. OpenSSH's StrictModes and systemd's CHASE_SAFE refuse such paths
 * too.
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";
import { S_IS } from "../../base/file_flags.ts";
import { groupName, userName, usersInGroup } from "./accounts.ts";
import { pathOfDescriptor } from "./descriptor.ts";
import { cString } from "./ffi_values.ts";
import { libc } from "./libc.ts";
import { readLink } from "./paths.ts";
import { environmentVariable } from "./process.ts";
import { AT, type FileStatus, statx } from "./statx.ts";
import { SystemError } from "./system_error.ts";

const GROUP_WRITES = 0o020;
const OTHERS_WRITE = 0o002;
const PERMISSIONS = 0o7777;
const ROOT = 0;

/** A directory on a path. */
export interface PathDirectory {
  /** A descriptor of it, with O_PATH or not. */
  readonly fd: number;
  /** Its attributes. */
  readonly status: FileStatus;
}

/** Why other users can replace an entry of a directory. */
export interface Weakness {
  /** Who can, and the path part with its owner and mode. */
  readonly reason: string;
  /** What to do about it. */
  readonly advice: string;
}

/**
 * Whether a user other than root and this one can replace an entry of a
 * directory. In a directory with the sticky bit, such as /tmp, only the owners
 * of the entry and of the directory can.
 *
 * A group may write to the directory if all its members are this user or root,
 * as is usual where each user has a group of the same name.
 *
 * @param directory The directory.
 * @param name The name of the entry.
 * @param entry The attributes of the entry; `null` if it does not exist.
 * @returns `null` if no other user can.
 */
export function findWeakness(
  directory: PathDirectory,
  name: string,
  entry: FileStatus | null,
): Weakness | null {
  const { status: { uid, mode } } = directory;
  const trusted = trustedUsers();
  if (!trusted.has(uid)) return ofOwner(directory, name);
  const others = (mode & OTHERS_WRITE) !== 0;
  const group = (mode & GROUP_WRITES) !== 0 && !isPrivate(directory, trusted);
  if (!others && !group) return null;
  if ((mode & S_IS.VTX) === 0) return ofMode(directory, name, others);
  return entry === null || trusted.has(entry.uid)
    ? null
    : ofEntry(directory, name, entry);
}

/**
 * The error of a path that other users can make lead elsewhere.
 *
 * @param action What was being done.
 */
export function weaknessError(
  action: string,
  { reason, advice }: Weakness,
): SystemError {
  return new SystemError({
    call: "openat",
    action,
    errno: ERRNO.EPERM,
    reason,
    advice,
  });
}

/**
 * Whether a user other than root and this one can change a file itself, by its
 * owner and mode.
 *
 * @param status The attributes of the file.
 */
export function othersCanWrite({ uid, mode }: FileStatus): boolean {
  return !trustedUsers().has(uid) ||
    (mode & (GROUP_WRITES | OTHERS_WRITE)) !== 0;
}

/**
 * This user, root, and the owner of the root directory: in a user namespace,
 * root of the machine appears under the number of nobody(65534).
 */
function trustedUsers(): Set<number> {
  const users = new Set([ROOT, libc().geteuid()]);
  const root = statx(-1, "/", AT.STATX_DONT_SYNC);
  if (typeof root !== "number") users.add(root.uid);
  return users;
}

function isPrivate(
  { fd, status: { gid } }: PathDirectory,
  trusted: ReadonlySet<number>,
): boolean {
  // With an access control list, the group's bits stand for users in it too.
  if (hasAccessList(fd)) return false;
  const members = usersInGroup(gid);
  return members !== null && members.length > 0 &&
    members.every((uid) => trusted.has(uid));
}

function hasAccessList(fd: number): boolean {
  const path = cString(pathOfDescriptor(fd));
  const name = cString("system.posix_acl_access");
  return libc().getxattr(path, name, null, 0n) > 0;
}

/**
 * SUDO_UID gives no trust, only advice: it may be inherited by accident, and any
 * process of that user can swap the path, not only the shell that called sudo.
 */
function ofOwner({ fd, status }: PathDirectory, name: string): Weakness {
  const owner = userName(status.uid);
  return {
    reason: `user ${owner} can replace ${name} in ${
      readLink(pathOfDescriptor(fd))
    } (owner ${owner}, mode ${modeOf(status)})`,
    advice: environmentVariable("SUDO_UID") === String(status.uid)
      ? `run it as ${owner}, without sudo, use a directory that only root can change, or add --insecure-path if you trust every program of ${owner}`
      : `use a directory that only you and root can change, or add --insecure-path if you trust ${owner}`,
  };
}

function ofMode(
  { fd, status }: PathDirectory,
  name: string,
  others: boolean,
): Weakness {
  const path = readLink(pathOfDescriptor(fd));
  const group = groupName(status.gid);
  const who = others ? "every user" : `the group ${group}`;
  const list = hasAccessList(fd) ? ", with an access control list" : "";
  const facts = `owner ${userName(status.uid)}, group ${group}, mode ${
    modeOf(status)
  }${list}`;
  return {
    reason: `${who} can replace ${name} in ${path} (${facts})`,
    advice:
      `run 'chmod go-w ${path}', use another directory, or add --insecure-path`,
  };
}

function ofEntry(
  { fd }: PathDirectory,
  name: string,
  status: FileStatus,
): Weakness {
  const path = readLink(pathOfDescriptor(fd));
  const owner = userName(status.uid);
  const whole = path === "/" ? `/${name}` : `${path}/${name}`;
  return {
    reason: `user ${owner} can replace ${whole} (owner ${owner}, mode ${
      modeOf(status)
    })`,
    advice: `use another path, or add --insecure-path if you trust ${owner}`,
  };
}

function modeOf({ mode }: FileStatus): string {
  return (mode & PERMISSIONS).toString(8).padStart(4, "0");
}
