/**
 * The constants of the FUSE protocol, 7.45: every word of flags and, for the
 * words of INIT, bit numbers and versions.
 *
 * @module
 */

import { PATH_MAX } from "../base/limits.ts";

/**
 * The major version of the protocol.
 *
 * @category INIT
 */
export const FUSE_KERNEL_VERSION = 7;

/**
 * The newest minor version that this library speaks.
 *
 * @category INIT
 */
export const FUSE_KERNEL_MINOR_VERSION = 45;

/**
 * One flag of INIT.
 *
 * @category INIT
 */
export interface InitFlag {
  /** 0 to 31 are in `flags`, 32 to 63 in `flags2`. */
  readonly bit: number;
  /** The minor version that introduced it. */
  readonly since: number;
}

/**
 * The flags that kernel and server negotiate, by the kernel's name without
 * `FUSE_`.
 *
 * @category INIT
 */
export const INIT_FLAGS = {
  ASYNC_READ: { bit: 0, since: 6 },
  POSIX_LOCKS: { bit: 1, since: 7 },
  FILE_OPS: { bit: 2, since: 9 },
  ATOMIC_O_TRUNC: { bit: 3, since: 9 },
  EXPORT_SUPPORT: { bit: 4, since: 10 },
  BIG_WRITES: { bit: 5, since: 9 },
  DONT_MASK: { bit: 6, since: 12 },
  SPLICE_WRITE: { bit: 7, since: 14 },
  SPLICE_MOVE: { bit: 8, since: 14 },
  SPLICE_READ: { bit: 9, since: 14 },
  FLOCK_LOCKS: { bit: 10, since: 17 },
  HAS_IOCTL_DIR: { bit: 11, since: 18 },
  AUTO_INVAL_DATA: { bit: 12, since: 20 },
  DO_READDIRPLUS: { bit: 13, since: 21 },
  READDIRPLUS_AUTO: { bit: 14, since: 21 },
  ASYNC_DIO: { bit: 15, since: 22 },
  WRITEBACK_CACHE: { bit: 16, since: 23 },
  NO_OPEN_SUPPORT: { bit: 17, since: 23 },
  PARALLEL_DIROPS: { bit: 18, since: 25 },
  HANDLE_KILLPRIV: { bit: 19, since: 26 },
  POSIX_ACL: { bit: 20, since: 26 },
  ABORT_ERROR: { bit: 21, since: 27 },
  MAX_PAGES: { bit: 22, since: 28 },
  CACHE_SYMLINKS: { bit: 23, since: 28 },
  NO_OPENDIR_SUPPORT: { bit: 24, since: 29 },
  EXPLICIT_INVAL_DATA: { bit: 25, since: 30 },
  MAP_ALIGNMENT: { bit: 26, since: 31 },
  SUBMOUNTS: { bit: 27, since: 32 },
  HANDLE_KILLPRIV_V2: { bit: 28, since: 33 },
  SETXATTR_EXT: { bit: 29, since: 33 },
  INIT_EXT: { bit: 30, since: 36 },
  INIT_RESERVED: { bit: 31, since: 36 },
  SECURITY_CTX: { bit: 32, since: 36 },
  HAS_INODE_DAX: { bit: 33, since: 36 },
  CREATE_SUPP_GROUP: { bit: 34, since: 38 },
  HAS_EXPIRE_ONLY: { bit: 35, since: 38 },
  DIRECT_IO_ALLOW_MMAP: { bit: 36, since: 39 },
  PASSTHROUGH: { bit: 37, since: 40 },
  NO_EXPORT_SUPPORT: { bit: 38, since: 40 },
  HAS_RESEND: { bit: 39, since: 40 },
  ALLOW_IDMAP: { bit: 40, since: 41 },
  OVER_IO_URING: { bit: 41, since: 42 },
  REQUEST_TIMEOUT: { bit: 42, since: 43 },
  HAS_IO_URING_BUFPOOL: { bit: 43, since: 46 },
} as const satisfies Record<string, InitFlag>;

/**
 * The name of a flag of INIT.
 *
 * @category INIT
 */
export type InitFlagName = keyof typeof INIT_FLAGS;

/**
 * `open_flags` of fuse_open_out.
 *
 * @category Flags and constants
 */
export const FOPEN = {
  DIRECT_IO: 1 << 0,
  KEEP_CACHE: 1 << 1,
  NONSEEKABLE: 1 << 2,
  CACHE_DIR: 1 << 3,
  STREAM: 1 << 4,
  NOFLUSH: 1 << 5,
  PARALLEL_DIRECT_WRITES: 1 << 6,
  PASSTHROUGH: 1 << 7,
  /** 7.46 */
  IO_URING_ZERO_COPY: 1 << 8,
} as const;

/**
 * `open_flags` of fuse_open_in and fuse_create_in.
 *
 * @category Flags and constants
 */
export const FUSE_OPEN = { KILL_SUIDGID: 1 << 0 } as const;

/**
 * `valid` of fuse_setattr_in.
 *
 * @category Flags and constants
 */
export const FATTR = {
  MODE: 1 << 0,
  UID: 1 << 1,
  GID: 1 << 2,
  SIZE: 1 << 3,
  ATIME: 1 << 4,
  MTIME: 1 << 5,
  FH: 1 << 6,
  ATIME_NOW: 1 << 7,
  MTIME_NOW: 1 << 8,
  LOCKOWNER: 1 << 9,
  CTIME: 1 << 10,
  KILL_SUIDGID: 1 << 11,
} as const;

/**
 * `getattr_flags` of fuse_getattr_in.
 *
 * @category Flags and constants
 */
export const FUSE_GETATTR = { FH: 1 << 0 } as const;

/**
 * `release_flags` of fuse_release_in.
 *
 * @category Flags and constants
 */
export const FUSE_RELEASE = { FLUSH: 1 << 0, FLOCK_UNLOCK: 1 << 1 } as const;

/**
 * `read_flags` of fuse_read_in.
 *
 * @category Flags and constants
 */
export const FUSE_READ = { LOCKOWNER: 1 << 1 } as const;

/**
 * `write_flags` of fuse_write_in.
 *
 * @category Flags and constants
 */
export const FUSE_WRITE = {
  CACHE: 1 << 0,
  LOCKOWNER: 1 << 1,
  KILL_SUIDGID: 1 << 2,
} as const;

/**
 * `fsync_flags` of fuse_fsync_in.
 *
 * @category Flags and constants
 */
export const FUSE_FSYNC = { FDATASYNC: 1 << 0 } as const;

/**
 * `lk_flags` of fuse_lk_in.
 *
 * @category Flags and constants
 */
export const FUSE_LK = { FLOCK: 1 << 0 } as const;

/**
 * `flags` of fuse_attr.
 *
 * @category Flags and constants
 */
export const FUSE_ATTR = { SUBMOUNT: 1 << 0, DAX: 1 << 1 } as const;

/**
 * `setxattr_flags` of fuse_setxattr_in.
 *
 * @category Flags and constants
 */
export const FUSE_SETXATTR = { ACL_KILL_SGID: 1 << 0 } as const;

/**
 * `flags` of fuse_ioctl_in and fuse_ioctl_out.
 *
 * @category Flags and constants
 */
export const FUSE_IOCTL = {
  COMPAT: 1 << 0,
  UNRESTRICTED: 1 << 1,
  RETRY: 1 << 2,
  IOCTL_32BIT: 1 << 3,
  DIR: 1 << 4,
  COMPAT_X32: 1 << 5,
} as const;

/**
 * `flags` of fuse_poll_in.
 *
 * @category Flags and constants
 */
export const FUSE_POLL = { SCHEDULE_NOTIFY: 1 << 0 } as const;

/**
 * `flags` of fuse_notify_inval_entry_out.
 *
 * @category Flags and constants
 */
export const FUSE_NOTIFY_INVAL_ENTRY = { EXPIRE_ONLY: 1 << 0 } as const;

/**
 * `flags` of fuse_setupmapping_in.
 *
 * @category Flags and constants
 */
export const FUSE_SETUPMAPPING = { WRITE: 1 << 0, READ: 1 << 1 } as const;

/**
 * `flags` of cuse_init_in and cuse_init_out.
 *
 * @category Flags and constants
 */
export const CUSE_INIT = { UNRESTRICTED_IOCTL: 1 << 0 } as const;

/**
 * `type` of fuse_ext_header; a value up to 31 counts security contexts.
 *
 * @category Flags and constants
 */
export const FUSE_EXT = { MAX_NR_SECCTX: 31, GROUPS: 32 } as const;

/**
 * Codes of notifications: `error` of a fuse_out_header whose `unique` is 0.
 *
 * @category Flags and constants
 */
export const FUSE_NOTIFY = {
  POLL: 1,
  INVAL_INODE: 2,
  INVAL_ENTRY: 3,
  STORE: 4,
  RETRIEVE: 5,
  DELETE: 6,
  RESEND: 7,
  INC_EPOCH: 8,
  PRUNE: 9,
} as const;

/**
 * Bit of `unique` that marks an INTERRUPT of the request without it.
 *
 * @category Flags and constants
 */
export const FUSE_INT_REQ_BIT = 1n;

/**
 * Bit of `unique` that marks a request sent again after a RESEND notification.
 *
 * @category Flags and constants
 */
export const FUSE_UNIQUE_RESEND = 1n << 63n;

/**
 * The nodeid of the root, which is the mounted file itself where the mount is
 * one file.
 *
 * @category Flags and constants
 */
export const FUSE_ROOT_ID = 1n;

/**
 * Smallest buffer that read(2) on /dev/fuse accepts, in bytes.
 *
 * @category Flags and constants
 */
export const FUSE_MIN_READ_BUFFER = 8192;

/**
 * Largest request in pages where FUSE_MAX_PAGES is not negotiated:
 * fs/fuse/fuse_i.h.
 *
 * @category Flags and constants
 */
export const FUSE_DEFAULT_MAX_PAGES_PER_REQ = 32;

/**
 * Longest name or symlink target, without its NUL, in bytes: PATH_MAX - 1 of
 * fs/fuse/fuse_i.h. Without FUSE_MAX_PAGES the kernel sends no more than 1024.
 *
 * @category Flags and constants
 */
export const FUSE_NAME_MAX: number = PATH_MAX - 1;
