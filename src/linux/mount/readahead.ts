import { resultOrNull } from "../syscall/system_error.ts";
import { writeExisting } from "../syscall/text_file.ts";

/**
 * Sets how far the kernel reads ahead in the files of a mounted connection. In
 * INIT a server can only lower the limit, which is 128 KiB by default.
 *
 * @param connection The connection's number.
 * @param bytes The limit in bytes, a multiple of 1024.
 * @returns False if this user may not do that, or /sys cannot be written to.
 */
export function setReadahead(connection: number, bytes: number): boolean {
  //= fs/fuse/inode.c fuse_bdi_init(): the name of the backing device.
  const path = `/sys/class/bdi/0:${connection}/read_ahead_kb`;
  const written = resultOrNull(() => {
    writeExisting(path, String(bytes / 1024));
    return true;
  });
  return written ?? false;
}
