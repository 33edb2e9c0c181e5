/**
 * Mount points: checked before mounting, and their new mount found afterwards.
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";
import {
  OPEN,
  openDescriptor,
  type OpenOptions,
  pathOfDescriptor,
} from "../syscall/descriptor.ts";
import type { DirectoryEntry } from "../syscall/directory_entry.ts";
import { readLink } from "../syscall/paths.ts";
import { sleep } from "../syscall/poll.ts";
import {
  AT,
  type FileKind,
  fileKind,
  statxDescriptor,
} from "../syscall/statx.ts";
import { SystemError } from "../syscall/system_error.ts";
import { connectionOf, type UnmountResult } from "./fuse_mount.ts";
import { mountState } from "./mount_state.ts";
import { findMount, type Mount, OWN_TYPE, readMounts } from "./mountinfo.ts";

/** How often something that another process is changing is tried again. */
const TRIES = 200;
const RETRY_MS = 5;

/** The mount point, and what will be mounted on it. */
export interface MountPointOptions {
  /** The mount point as the user gave it. */
  readonly mountpoint: string;
  /** The mount point, if its path has been looked up already. */
  readonly entry?: DirectoryEntry;
  /** Type bits of the root: `S_IF.REG` for a file, `S_IF.DIR` for a directory. */
  readonly rootMode: number;
}

/** An opened mount point. */
export interface MountPoint {
  /** An O_PATH descriptor; the caller closes it. */
  readonly fd: number;
  /** Its absolute path. */
  readonly path: string;
}

/**
 * Opens a mount point with O_PATH, so that no server of a file system that is
 * mounted there is involved. A symbolic link is not followed.
 *
 * @param options The mount point, and what will be mounted on it.
 * @throws {SystemError} ENOENT, EACCES.
 */
export function openMountPoint(options: MountPointOptions): MountPoint {
  const { mountpoint, entry } = options;
  const how: OpenOptions = {
    label: `the mount point ${mountpoint}`,
    advice: (error) => adviceOnOpen(error, options),
  };
  const fd = entry === undefined
    ? openDescriptor(mountpoint, OPEN.PATH | OPEN.NOFOLLOW, how)
    : entry.open(OPEN.PATH, how);
  return { fd, path: readLink(pathOfDescriptor(fd)) };
}

/**
 * Rejects a mount point of the wrong kind, or on which this program has mounted
 * an export already.
 *
 * @param mountPoint The mount point.
 * @param options What will be mounted there.
 * @throws {SystemError} EISDIR, ENOTDIR, ELOOP or EINVAL; EEXIST.
 */
export function checkMountPoint(
  mountPoint: MountPoint,
  options: MountPointOptions,
): void {
  refuseOwnMount(mountPoint.path, options);
  // Do not ask the server of a file system that is mounted here: it may hang.
  const status = statxDescriptor(mountPoint.fd, AT.STATX_DONT_SYNC);
  if (typeof status === "number") {
    throw mountPointError(options, { call: "statx", errno: -status });
  }
  const wantedKind = fileKind(options.rootMode);
  if (status.kind === wantedKind) return;
  throw mountPointError(options, {
    errno: errnoOfKind(status.kind, wantedKind),
    reason: `it is ${NAMES_OF_KINDS[status.kind]}`,
    advice: `give ${NAMES_OF_KINDS[wantedKind]}`,
  });
}

/**
 * All mounts of this program, including hidden ones, for {@linkcode newMountOn}.
 * Their ids are not enough: a new mount may get that of one that is unmounted in
 * the same moment.
 */
export function ownMountsByPath(): ReadonlySet<string> {
  return new Set(ownMounts().map(keyOf));
}

function keyOf({ id, mountPoint }: Mount): string {
  return `${id} ${mountPoint}`;
}

/**
 * Finds the mount that has just been made, in mountinfo: accessing the mount
 * itself would wait for the reply to INIT.
 *
 * @param mountPoint What it was mounted on.
 * @param before The result of {@linkcode ownMountsByPath} before mounting.
 * @param fd A descriptor of the connection.
 * @returns `null` if it is not there.
 */
export function newMountOn(
  mountPoint: MountPoint,
  before: ReadonlySet<string>,
  fd: number,
): Mount | null {
  // The kernel tells the connection's number since Linux 6.18. Otherwise the
  // mount is the one at the path of the mount point, which may be renamed while
  // mountinfo is read.
  const connection = connectionOf(fd);
  for (let tries = 0; tries < TRIES; tries++) {
    const path = readLink(pathOfDescriptor(mountPoint.fd));
    const found = ownMounts().find((mount) =>
      connection === null
        ? mount.mountPoint === path && !before.has(keyOf(mount))
        : mount.minor === connection
    );
    if (found !== undefined) return found;
    if (path === readLink(pathOfDescriptor(mountPoint.fd))) break;
  }
  return null;
}

/**
 * Unmounts a new mount again if it hides another export, which another process
 * has mounted since the mount point was checked. Of several, the lowest stays.
 *
 * @param mount The new mount.
 * @param options The mount point.
 * @param unmount Unmounts the new mount.
 * @throws {SystemError} EEXIST if it hides another export.
 */
export function refuseHiding(
  mount: Mount,
  options: MountPointOptions,
  unmount: () => UnmountResult,
): void {
  const below = ownMounts().find(({ id }) => id === mount.parent);
  if (below?.mountPoint !== mount.mountPoint) return;
  // One that is on top of this one is about to be unmounted in the same way.
  for (let tries = 0; tries < TRIES && unmount() === "covered"; tries++) {
    sleep(RETRY_MS);
  }
  throw alreadyExported(options);
}

/** The error of mounting on a mount point. */
export function mountPointError(
  { mountpoint }: MountPointOptions,
  facts: {
    call?: string;
    errno: number;
    reason?: string;
    advice?: string | undefined;
  },
): SystemError {
  return new SystemError({
    call: "mount",
    action: `mount on ${mountpoint}`,
    ...facts,
  });
}

const NAMES_OF_KINDS: Readonly<Record<FileKind, string>> = {
  file: "a regular file",
  directory: "a directory",
  symlink: "a symbolic link",
  block: "a block device",
  character: "a character device",
  fifo: "a named pipe",
  socket: "a socket",
  unknown: "a file of an unknown kind",
};

function errnoOfKind(kind: FileKind, wanted: FileKind): number {
  if (kind === "symlink") return ERRNO.ELOOP;
  if (wanted === "directory") return ERRNO.ENOTDIR;
  return kind === "directory" ? ERRNO.EISDIR : ERRNO.EINVAL;
}

function refuseOwnMount(path: string, options: MountPointOptions): void {
  const there = findMount(path);
  if (there?.type !== OWN_TYPE) return;
  if (mountState(there) !== "dead") throw alreadyExported(options);
  throw mountPointError(options, {
    errno: ERRNO.EEXIST,
    reason: "a stale mount, whose server has died, is there",
    advice: `remove it with 'umount ${path}'`,
  });
}

function alreadyExported(options: MountPointOptions): SystemError {
  return mountPointError(options, {
    errno: ERRNO.EEXIST,
    reason: "something is already mounted there by mqfuse",
    advice: "end that mount first, or choose another mount point",
  });
}

// Hidden mounts too: the kernel reuses the ids of mounts that are gone, but not
// those of hidden ones.
function ownMounts(): Mount[] {
  return readMounts().filter(({ type }) => type === OWN_TYPE);
}

function adviceOnOpen(
  error: number,
  { mountpoint, rootMode }: MountPointOptions,
): string | undefined {
  if (error !== ERRNO.ENOENT) return undefined;
  const program = fileKind(rootMode) === "directory" ? "mkdir" : "touch";
  return `create it with '${program} ${mountpoint}'`;
}
