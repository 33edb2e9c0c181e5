/**
 * Handles of host files, open_by_handle_at(2): they name a file even after its
 * descriptor is closed, and never another one that has got its inode number.
 *
 * @module
 */
import { OPEN } from "../linux/syscall/descriptor.ts";
import { libc } from "../linux/syscall/libc.ts";
import { AT } from "../linux/syscall/statx.ts";
import { NO_NAME } from "./names.ts";

/** A `struct file_handle`. */
export type FileHandle = Uint8Array<ArrayBuffer>;

// struct file_handle { unsigned int handle_bytes; int handle_type;
// unsigned char f_handle[0]; }
const HEADER_SIZE = 8;
const MAX_HANDLE_SZ = 128;

const room: FileHandle = new Uint8Array(
  new ArrayBuffer(HEADER_SIZE + MAX_HANDLE_SZ),
);
const length = new Uint32Array(room.buffer, 0, 1);
const mountId = new Int32Array(new ArrayBuffer(4));

/**
 * The handle of a file.
 *
 * @param fd A descriptor of it, O_PATH or not.
 * @returns `null` if its file system has no handles.
 */
export function fileHandle(fd: number): FileHandle | null {
  length[0] = MAX_HANDLE_SZ;
  const { name_to_handle_at } = libc();
  const failed = name_to_handle_at(fd, NO_NAME, room, mountId, AT.EMPTY_PATH);
  return failed < 0 ? null : room.slice(0, HEADER_SIZE + length[0]);
}

/** Whether two handles name the same file of one file system. */
export function isSameHandle(a: FileHandle, b: FileHandle): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/**
 * Opens the file of a handle. That needs CAP_DAC_READ_SEARCH.
 *
 * @param mount A descriptor of any file of its file system, not O_PATH.
 * @returns An O_PATH descriptor, or -1 with errno: ESTALE if the file is gone.
 */
export function openHandle(mount: number, handle: FileHandle): number {
  const flags = OPEN.PATH | OPEN.NOFOLLOW | OPEN.CLOEXEC;
  return libc().open_by_handle_at(mount, handle, flags);
}
