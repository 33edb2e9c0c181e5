/**
 * Flags and modes of Linux's file system calls: the values that the kernel, an
 * image's file system and the wire protocol share.
 *
 * @module
 */

/**
 * Flags of open(2) that have the same value on every architecture; `flags` of
 * fuse_open_in.
 *
 * @category Flags and constants
 */
export const O = {
  ACCMODE: 0o3,
  RDONLY: 0o0,
  WRONLY: 0o1,
  RDWR: 0o2,
  CREAT: 0o100,
  EXCL: 0o200,
  NOCTTY: 0o400,
  TRUNC: 0o1000,
  APPEND: 0o2000,
  NONBLOCK: 0o4000,
  DSYNC: 0o10000,
  CLOEXEC: 0o2000000,
} as const;

/**
 * O_DIRECT of x86_64 and of Arm, for tests of `flags` of fuse_open_in: the value
 * that means O_DIRECTORY on the other never comes with a plain file.
 *
 * @category Flags and constants
 */
export const O_DIRECT: number = 0o40000 | 0o200000;

/**
 * `whence` of lseek(2) and of fuse_lseek_in.
 *
 * @category Flags and constants
 */
export const SEEK = { SET: 0, CUR: 1, END: 2, DATA: 3, HOLE: 4 } as const;

/**
 * `mode` of fallocate(2) and of fuse_fallocate_in.
 *
 * @category Flags and constants
 */
export const FALLOC_FL = {
  KEEP_SIZE: 0x01,
  PUNCH_HOLE: 0x02,
  NO_HIDE_STALE: 0x04,
  COLLAPSE_RANGE: 0x08,
  ZERO_RANGE: 0x10,
  INSERT_RANGE: 0x20,
  UNSHARE_RANGE: 0x40,
} as const;

/**
 * `flags` of renameat2(2) and of fuse_rename2_in: `RENAME_`.
 *
 * @category Flags and constants
 */
export const RENAME = {
  NOREPLACE: 1 << 0,
  EXCHANGE: 1 << 1,
  WHITEOUT: 1 << 2,
} as const;

/**
 * `flags` of setxattr(2) and of fuse_setxattr_in: `XATTR_`.
 *
 * @category Flags and constants
 */
export const XATTR = { CREATE: 1 << 0, REPLACE: 1 << 1 } as const;

/**
 * Events of poll(2), `events` of fuse_poll_in and `revents` of fuse_poll_out.
 *
 * @category Flags and constants
 */
export const POLL = {
  /** There is something to read, or the other end was closed. */
  IN: 0x1,
  /** There is something urgent. */
  PRI: 0x2,
  /** Something can be written. */
  OUT: 0x4,
  /** An error. */
  ERR: 0x8,
  /** The other end was closed. */
  HUP: 0x10,
} as const;

/**
 * File types: the bits of `st_mode` that S_IFMT masks, inode(7).
 *
 * @category Flags and constants
 */
export const S_IF = {
  MT: 0o170000,
  SOCK: 0o140000,
  LNK: 0o120000,
  REG: 0o100000,
  BLK: 0o060000,
  DIR: 0o040000,
  CHR: 0o020000,
  FIFO: 0o010000,
} as const;

/**
 * Set-user-ID, set-group-ID and sticky bit of `st_mode`, inode(7).
 *
 * @category Flags and constants
 */
export const S_IS = { UID: 0o4000, GID: 0o2000, VTX: 0o1000 } as const;

/**
 * Fields of statx(2); `sx_mask` of fuse_statx_in and `mask` of fuse_statx.
 *
 * @category Flags and constants
 */
export const STATX = {
  TYPE: 0x1,
  MODE: 0x2,
  NLINK: 0x4,
  UID: 0x8,
  GID: 0x10,
  ATIME: 0x20,
  MTIME: 0x40,
  CTIME: 0x80,
  INO: 0x100,
  SIZE: 0x200,
  BLOCKS: 0x400,
  BTIME: 0x800,
} as const;

/**
 * The fields that stat(2) returns: those of {@linkcode STATX} but BTIME.
 *
 * @category Flags and constants
 */
export const STATX_BASIC_STATS = 0x7ff;
