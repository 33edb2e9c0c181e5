/**
 * Properties of the host's file systems: statfs(2).
 *
 * @module
 */
import type { StatFs } from "../filesystem/attr.ts";
import { libc } from "../linux/syscall/libc.ts";
import { checked } from "./failure.ts";

const STRUCT_STATFS_SIZE = 120;

/**
 * File systems that may send data only at close(2), or tell then that it could
 * not be sent: magic numbers of statfs(2).
 */
const LATE_ERRORS: ReadonlySet<number> = new Set([
  0x6969, // nfs
  0xff534d42, // cifs
  0xfe534d42, // smb2
  0x65735546, // fuse
  0x00c36400, // ceph
  0x01021997, // 9p
  0x5346414f, // afs
  0x0bd00bd0, // lustre
  0x73757245, // coda
  0x47504653, // gpfs
]);

/** File systems that take direct writes of any length at any offset. */
const UNALIGNED: ReadonlySet<number> = new Set([
  0x01021994, // tmpfs, which has no disk to be direct to
]);

const status = new DataView(new ArrayBuffer(STRUCT_STATFS_SIZE));

/** Whether close(2) may fail on the file system of a descriptor. */
export function hasLateErrors(fd: number): boolean {
  checked(libc().fstatfs(fd, status));
  return LATE_ERRORS.has(status.getUint32(0, true));
}

/** Whether direct writes to the file system of a descriptor need no alignment. */
export function takesUnaligned(fd: number): boolean {
  checked(libc().fstatfs(fd, status));
  return UNALIGNED.has(status.getUint32(0, true));
}

/** The space of the file system of a descriptor. */
export function spaceOf(fd: number): StatFs {
  checked(libc().fstatfs(fd, status));
  // struct statfs with 64-bit words: f_type, f_bsize, f_blocks, f_bfree,
  // f_bavail, f_files, f_ffree, f_fsid, f_namelen, f_frsize.
  return {
    // The unit of the counts.
    bsize: Number(status.getBigUint64(72, true)),
    blocks: status.getBigUint64(16, true),
    bfree: status.getBigUint64(24, true),
    bavail: status.getBigUint64(32, true),
    files: status.getBigUint64(40, true),
    ffree: status.getBigUint64(48, true),
    namelen: Number(status.getBigUint64(64, true)),
  };
}
