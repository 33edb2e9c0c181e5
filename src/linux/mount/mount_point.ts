/**
 * Mount points: checked before mounting, and their new mount found afterwards.
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";
import {
  OPEN,
  openDescriptor,
  pathOfDescriptor,
} from "../syscall/descriptor.ts";
import { readLink } from "../syscall/paths.ts";
import {
  AT,
  type FileKind,
  fileKind,
  statxDescriptor,
} from "../syscall/statx.ts";
import { SystemError } from "../syscall/system_error.ts";
import { connectionOf } from "./fuse_mount.ts";
import { mountState } from "./mount_state.ts";
import { findMount, type Mount, OWN_TYPE, readMounts } from "./mountinfo.ts";

/** The mount point, and what will be mounted on it. */
export interface MountPointOptions {
  /** The mount point as the user gave it. */
  readonly mountpoint: string;
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
  const { mountpoint } = options;
  const fd = openDescriptor(mountpoint, OPEN.PATH | OPEN.NOFOLLOW, {
    label: `the mount point ${mountpoint}`,
    advice: (error) => adviceOnOpen(error, options),
  });
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

/** The ids of this program's mounts at a path, including hidden ones. */
export function mountIdsAt(path: string): Set<number> {
  return new Set(ownMountsAt(path).map((mount) => mount.id));
}

/**
 * Finds the mount that has just been made, in mountinfo: accessing the mount
 * itself would wait for the reply to INIT.
 *
 * @param path The absolute path of the mount point.
 * @param before The result of {@linkcode mountIdsAt} before mounting.
 * @param fd A descriptor of the connection.
 * @returns `null` if it is not there.
 */
export function newMountAt(
  path: string,
  before: ReadonlySet<number>,
  fd: number,
): Mount | null {
  // If two exports were mounted here at the same time, the connection's number
  // tells them apart, where the kernel discloses it.
  const connection = connectionOf(fd);
  return ownMountsAt(path).find((mount) =>
    !before.has(mount.id) &&
    (connection === null || mount.minor === connection)
  ) ?? null;
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
  const dead = mountState(there) === "dead";
  throw mountPointError(options, {
    errno: ERRNO.EEXIST,
    reason: dead
      ? "a stale export, whose server has died, is mounted there"
      : "an image is already exported there",
    advice: dead
      ? `remove it with 'umount ${path}'`
      : "stop that export first, or choose another mount point",
  });
}

// Hidden mounts too: the kernel reuses the ids of mounts that are gone, but not
// those of hidden ones.
function ownMountsAt(path: string): Mount[] {
  return readMounts().filter((mount) =>
    mount.mountPoint === path && mount.type === OWN_TYPE
  );
}

function adviceOnOpen(
  error: number,
  { mountpoint, rootMode }: MountPointOptions,
): string | undefined {
  if (error !== ERRNO.ENOENT) return undefined;
  const program = fileKind(rootMode) === "directory" ? "mkdir" : "touch";
  return `create it with '${program} ${mountpoint}'`;
}
