/**
 * Listing directories, such as those of /proc and /sys.
 *
 * @module
 */

import { cString, textAt } from "./ffi_values.ts";
import { errno, libc } from "./libc.ts";
import { SystemError } from "./system_error.ts";

// struct dirent of glibc and musl with 64-bit offsets: d_ino, d_off, d_reclen,
// d_type, d_name.
const NAME_OFFSET = 8 + 8 + 2 + 1;

/**
 * The names in a directory, without "." and "..", in the kernel's order.
 *
 * @param path The directory.
 * @throws {SystemError} With the errno of opendir(3): ENOENT, EACCES, ENOTDIR.
 */
export function listDirectory(path: string): string[] {
  const { opendir, readdir, closedir } = libc();
  const directory = opendir(cString(path));
  if (directory === null) {
    throw new SystemError({
      call: "opendir",
      action: `list the directory ${path}`,
      errno: errno(),
    });
  }
  const names: string[] = [];
  try {
    for (;;) {
      const entry = readdir(directory);
      if (entry === null) return names;
      const name = textAt(Deno.UnsafePointer.offset(entry, NAME_OFFSET));
      if (name !== null && name !== "." && name !== "..") names.push(name);
    }
  } finally {
    closedir(directory);
  }
}
