/**
 * The place of a mount: looked at before, found again afterwards.
 *
 * @module
 */

import { connectionOf } from "./fuse_mount.ts";
import { mountState } from "./mount_state.ts";
import { findMount, type Mount, OWN_TYPE, readMounts } from "./mountinfo.ts";
import { readLink } from "../syscall/paths.ts";
import {
  AT,
  type FileKind,
  fileKind,
  statxDescriptor,
} from "../syscall/statx.ts";
import { ERRNO } from "../../base/errno.ts";
import {
  OPEN,
  openDescriptor,
  pathOfDescriptor,
} from "../syscall/descriptor.ts";
import { SystemError } from "../syscall/system_error.ts";

/** What is looked for at a place. */
export interface MountPointOptions {
  /** The mount point as the user wrote it. */
  readonly mountpoint: string;
  /** Type bits of the root: `S_IF.REG` for a file, `S_IF.DIR` for a directory. */
  readonly rootMode: number;
}

/** An opened mount point. */
export interface MountPoint {
  /** A descriptor of O_PATH; the caller closes it. */
  readonly fd: number;
  /** Its absolute path. */
  readonly path: string;
}

/**
 * Opens a mount point without following a symbolic link at its end, and
 * without asking the server of what may be mounted there.
 *
 * @param mountpoint A path.
 * @throws {SystemError} ENOENT, EACCES.
 */
export function openMountPoint(mountpoint: string): MountPoint {
  const fd = openDescriptor(mountpoint, OPEN.PATH | OPEN.NOFOLLOW, {
    label: `the mount point ${mountpoint}`,
    advice: adviceOnOpen,
  });
  return { fd, path: readLink(pathOfDescriptor(fd)) };
}

/**
 * Refuses a place that is of the wrong kind, or where an export of this
 * program lies.
 *
 * @param place The place.
 * @param options What is to be mounted there.
 * @throws {SystemError} EISDIR, ENOTDIR, ELOOP or EINVAL; EEXIST.
 */
export function checkMountPoint(
  place: MountPoint,
  options: MountPointOptions,
): void {
  refuseOwnMount(place.path, options);
  // Not synchronised: another server's file system may lie here, and hang.
  const status = statxDescriptor(place.fd, AT.STATX_DONT_SYNC);
  if (typeof status === "number") {
    throw mountPointError(options, { call: "statx", errno: -status });
  }
  const wantedKind = fileKind(options.rootMode);
  if (status.kind === wantedKind) return;
  throw mountPointError(options, {
    errno: errnoOfKind(status.kind, wantedKind),
    reason: `${NAMES_OF_KINDS[status.kind]} is there`,
    advice: `the mount point has to be ${NAMES_OF_KINDS[wantedKind]}`,
  });
}

/** Numbers of this program's mounts at a path, hidden ones included. */
export function mountIdsAt(path: string): Set<number> {
  return new Set(ownMountsAt(path).map((mount) => mount.id));
}

/**
 * The mount that has just been made. Told from mountinfo: looking at the mount
 * itself would wait for INIT.
 *
 * @param path Where it was made.
 * @param before What {@linkcode mountIdsAt} gave before.
 * @param fd The connection's descriptor.
 * @returns `null` if it is not there.
 */
export function newMountAt(
  path: string,
  before: ReadonlySet<number>,
  fd: number,
): Mount | null {
  // Two exports may be mounted here in the same moment; a newer kernel tells
  // which of them is this descriptor's.
  const connection = connectionOf(fd);
  return ownMountsAt(path).find((mount) =>
    !before.has(mount.id) &&
    (connection === null || mount.minor === connection)
  ) ?? null;
}

/** An error of mounting on a place. */
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
  unknown: "something unknown",
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
      ? "an export whose server is gone is still mounted there"
      : "it is already exported",
    advice: dead
      ? `remove it with 'umount ${path}'`
      : "end that export first, or choose another mount point",
  });
}

// Only these, hidden ones included, can be taken for the new one: the kernel
// gives the numbers of mounts that went away again.
function ownMountsAt(path: string): Mount[] {
  return readMounts().filter((mount) =>
    mount.mountPoint === path && mount.type === OWN_TYPE
  );
}

function adviceOnOpen(error: number): string | undefined {
  return error === ERRNO.ENOENT
    ? "create it first, an empty file will do"
    : undefined;
}
