import type { FileSystemKind } from "../../backends/block_file.ts";
import { libc } from "../syscall/libc.ts";

/** `f_type` of statfs(2): <linux/magic.h>, and the kernel's fs/smb and fs/ceph. */
const KINDS: ReadonlyMap<number, FileSystemKind> = new Map([
  [0x01021994, "memory"], // tmpfs
  [0x858458f6, "memory"], // ramfs
  [0x6969, "remote"], // NFS
  [0x65735546, "remote"], // FUSE
  [0xff534d42, "remote"], // CIFS
  [0xfe534d42, "remote"], // SMB2
  [0x00c36400, "remote"], // Ceph
  [0x01021997, "remote"], // 9P
  [0x5346414f, "remote"], // OpenAFS
  [0x6b414653, "remote"], // AFS of the kernel
  [0x0bd00bd0, "remote"], // Lustre
]);
const STRUCT_STATFS_SIZE = 120;

/** The kind of the file system of an open file: fstatfs(2). */
export function fileSystemOf(fd: number): FileSystemKind {
  // struct statfs starts with its 64-bit f_type.
  const status = new DataView(new ArrayBuffer(STRUCT_STATFS_SIZE));
  if (libc().fstatfs(fd, status) < 0) return "local";
  return KINDS.get(status.getUint32(0, true)) ?? "local";
}
