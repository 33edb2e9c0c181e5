/**
 * Mounting a FUSE connection by mount(2).
 *
 * The mount point is opened once, looked at, and mounted on, all by the same
 * descriptor: what was checked is what gets covered.
 *
 * @module
 */

import { ERRNO } from "../protocol/errno.ts";
import { cString } from "./c_string.ts";
import {
  closeDescriptor,
  OPEN,
  openDescriptor,
  pathOfDescriptor,
} from "./descriptor.ts";
import { errno, libc } from "./libc.ts";
import { withMountLock } from "./mount_lock.ts";
import {
  findMount,
  type Mount,
  mountState,
  OWN_TYPE,
  readMounts,
} from "./mounts.ts";
import { readLink } from "./paths.ts";
import { AT, fileKind, S_IFMT, statxDescriptor } from "./statx.ts";
import { SystemError } from "./system_error.ts";
import {
  abortExactly,
  connectionOf,
  unmountExactly,
  type UnmountResult,
} from "./unmount.ts";

// Flags of mount(2).
const MS_RDONLY = 1;
const MS_NOSUID = 2;
const MS_NODEV = 4;
const MS_NOATIME = 1024;

/** What to mount, where and how. */
export interface MountOptions {
  /** A descriptor of /dev/fuse that is not mounted yet. */
  readonly fd: number;
  /** An existing file, or directory, of the kind that `rootMode` says. */
  readonly mountpoint: string;
  /** What the mount's device is called in /proc/mounts: the image's path. */
  readonly source: string;
  /** Type bits of the root: 0o100000 for a file, 0o040000 for a directory. */
  readonly rootMode: number;
  /** MS_RDONLY: the kernel refuses every change with EROFS. */
  readonly readOnly: boolean;
  /** Users other than `uid` may get at it. */
  readonly allowOther: boolean;
  /** The user whom the mount belongs to. */
  readonly uid: number;
  /** The group of that user. */
  readonly gid: number;
  /** The longest READ. Bytes. */
  readonly maxRead: number;
}

/** A mount made by {@linkcode mountFuse}. */
export interface FuseMount {
  /** The mount point's absolute path. */
  readonly path: string;
  /** The mount's number in /proc/self/mountinfo. */
  readonly id: number;
  /** The connection's number: minor of the mount's `st_dev`. */
  readonly connection: number;
  /**
   * Ends the connection and takes the mount down, though it be in use; leaves
   * any other mount alone that lies at the path by now. Waits for nobody.
   *
   * @throws {SystemError} With umount2(2)'s errno.
   */
  unmount(): UnmountResult;
  /**
   * Ends the connection and leaves the mount as a dead one.
   *
   * @returns False if it is gone, or this process may not end it.
   */
  abort(): boolean;
}

/**
 * Mounts a connection. The kernel sends INIT at once; until it is answered,
 * whoever looks at the mount waits. So must not do the thread that answers.
 *
 * @param options What, where and how.
 * @throws {SystemError} EISDIR, ENOTDIR, ELOOP or EINVAL if the mount point is
 * of the wrong kind; EEXIST if an export of this program lies there, live or
 * dead; ENOENT, EACCES; EPERM without CAP_SYS_ADMIN; mount(2)'s other errors.
 */
export function mountFuse(options: MountOptions): FuseMount {
  const place = openDescriptor(
    options.mountpoint,
    OPEN.PATH | OPEN.NOFOLLOW,
    { label: `the mount point ${options.mountpoint}`, advice: adviceOnOpen },
  );
  try {
    const path = readLink(pathOfDescriptor(place));
    // Between the look and the mount nobody else of this program may mount.
    return withMountLock(path, () => {
      refuseOwnMount(path, options);
      checkKind(place, options);
      const before = new Set(ownMountsAt(path).map((mount) => mount.id));
      callMount(place, options);
      return handleOf(newMount(path, before, options));
    });
  } finally {
    // Kept open, it would make everyone else's unmount fail with EBUSY.
    closeDescriptor(place);
  }
}

function checkKind(place: number, options: MountOptions): void {
  // Not synchronised: another server's file system may lie here, and hang.
  const status = statxDescriptor(place, AT.STATX_DONT_SYNC);
  if (typeof status === "number") {
    throw mountError(options, "statx", -status);
  }
  if (status.kind === fileKind(options.rootMode)) return;
  const wanted = fileKind(options.rootMode) === "directory"
    ? "a directory"
    : "a regular file";
  throw mountError(options, "mount", errnoOfKind(status.kind, wanted), {
    reason: `${NAMES_OF_KINDS[status.kind]} is there`,
    advice: `the mount point has to be ${wanted}`,
  });
}

const NAMES_OF_KINDS = {
  file: "a regular file",
  directory: "a directory",
  symlink: "a symbolic link",
  block: "a block device",
  character: "a character device",
  fifo: "a named pipe",
  socket: "a socket",
  unknown: "something unknown",
} as const;

function errnoOfKind(
  kind: keyof typeof NAMES_OF_KINDS,
  wanted: string,
): number {
  if (kind === "symlink") return ERRNO.ELOOP;
  if (wanted === "a directory") return ERRNO.ENOTDIR;
  return kind === "directory" ? ERRNO.EISDIR : ERRNO.EINVAL;
}

function refuseOwnMount(path: string, options: MountOptions): void {
  const there = findMount(path);
  if (there?.type !== OWN_TYPE) return;
  const dead = mountState(there) === "dead";
  throw mountError(options, "mount", ERRNO.EEXIST, {
    reason: dead
      ? "an export whose server is gone is still mounted there"
      : "it is already exported",
    advice: dead
      ? `remove it with 'umount ${path}'`
      : "end that export first, or choose another mount point",
  });
}

function callMount(place: number, options: MountOptions): void {
  const flags = MS_NOSUID | MS_NODEV | MS_NOATIME |
    (options.readOnly ? MS_RDONLY : 0);
  const result = libc().mount(
    cString(options.source),
    cString(pathOfDescriptor(place)),
    cString(OWN_TYPE),
    BigInt(flags),
    cString(mountData(options)),
  );
  if (result === 0) return;
  const error = errno();
  throw mountError(options, "mount", error, { advice: adviceOnMount(error) });
}

// The options of fuse_fs_parameters[] in the kernel's fs/fuse/inode.c.
function mountData(options: MountOptions): string {
  const data = [
    `fd=${options.fd}`,
    `rootmode=${(options.rootMode & S_IFMT).toString(8)}`,
    `user_id=${options.uid}`,
    `group_id=${options.gid}`,
    `max_read=${options.maxRead}`,
    "default_permissions",
  ];
  if (options.allowOther) data.push("allow_other");
  return data.join(",");
}

// Told from mountinfo: looking at the mount itself would wait for INIT.
function newMount(
  path: string,
  before: ReadonlySet<number>,
  options: MountOptions,
): Mount {
  // Two exports may be mounted here in the same moment; a newer kernel tells
  // which of them is this descriptor's.
  const connection = connectionOf(options.fd);
  const found = ownMountsAt(path).find((mount) =>
    !before.has(mount.id) &&
    (connection === null || mount.minor === connection)
  );
  if (found !== undefined) return found;
  throw mountError(options, "mount", ERRNO.ENOENT, {
    reason: "the new mount is not in /proc/self/mountinfo",
    advice: "see whether something unmounts it at once",
  });
}

// Only these, hidden ones included, can be taken for the new one: the kernel
// gives the numbers of mounts that went away again.
function ownMountsAt(path: string): Mount[] {
  return readMounts().filter((mount) =>
    mount.mountPoint === path && mount.type === OWN_TYPE
  );
}

function handleOf(mount: Mount): FuseMount {
  // The kernel gives away the numbers of a mount as soon as that has gone:
  // looking for them again would find a mount of somebody else.
  let isDown = false;
  return {
    path: mount.mountPoint,
    id: mount.id,
    connection: mount.minor,
    unmount() {
      if (isDown) return "gone";
      const result = unmountExactly(mount);
      isDown = result === "unmounted";
      return result;
    },
    // Unmounting has ended the connection.
    abort: () => !isDown && abortExactly(mount),
  };
}

function mountError(
  options: MountOptions,
  call: string,
  error: number,
  texts: { reason?: string; advice?: string | undefined } = {},
): SystemError {
  const action = `mount on ${options.mountpoint}`;
  return new SystemError({ call, action, errno: error, ...texts });
}

function adviceOnOpen(error: number): string | undefined {
  return error === ERRNO.ENOENT
    ? "create it first, an empty file will do"
    : undefined;
}

function adviceOnMount(error: number): string | undefined {
  if (error === ERRNO.EPERM) {
    return "run as root, or with CAP_SYS_ADMIN: mounting without root is not supported yet";
  }
  return error === ERRNO.ENODEV
    ? "load the kernel's module with 'modprobe fuse'"
    : undefined;
}
