import { mapAnonymous } from "../syscall/memory.ts";
import { LinuxBlockFile } from "./block_file.ts";

/**
 * Tries direct I/O: open(2) with O_DIRECT succeeds on some file systems that then
 * refuse each transfer.
 *
 * @param fd A descriptor with O_DIRECT.
 * @param length How many bytes to read: a multiple of the alignment.
 * @returns How many were read, or a negative errno.
 */
export function probeDirect(fd: number, length: number): number {
  const memory = mapAnonymous(length);
  try {
    const buffer = new Uint8Array(memory.buffer);
    return new LinuxBlockFile(fd).pread(buffer, 0, length, 0);
  } finally {
    memory.unmap();
  }
}
