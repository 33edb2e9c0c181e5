import type { CreatedFile } from "../../backends/block_file.ts";
import { ERRNO } from "../../base/errno.ts";
import {
  closeDescriptor,
  OPEN,
  openDescriptor,
} from "../syscall/descriptor.ts";
import { errno, libc } from "../syscall/libc.ts";
import { findEntry } from "../syscall/path_walk.ts";
import { LinuxBlockFile } from "./block_file.ts";

/** The mode of new files, without the bits of the umask. */
const MODE = 0o666;

/**
 * Makes a regular file: openat(2) with O_CREAT and O_EXCL. Its path is looked up
 * once.
 *
 * @param path Where; nothing may be there, not even a symbolic link.
 * @param insecurePath Whether other users may change a part of the path.
 * @throws {SystemError} EPERM if other users can change a part of the path, and
 * the errnos of open(2).
 */
export function createBlockFile(
  path: string,
  insecurePath: boolean,
): CreatedFile {
  const entry = findEntry(path, {
    action: `create ${path}`,
    opening: `create ${path}`,
    insecurePath,
    advice: adviceOnCreate,
  });
  let fd: number;
  try {
    fd = entry.open(OPEN.RDWR | OPEN.CREAT | OPEN.EXCL, {
      mode: MODE,
      label: path,
      action: `create ${path}`,
      advice: adviceOnCreate,
    });
  } catch (error) {
    entry.close();
    throw error;
  }
  const file = new LinuxBlockFile(fd);
  return {
    file,
    path: entry.path,
    syncName: () => syncDirectory(entry.directory),
    remove() {
      if (entry.leadsTo(fd)) entry.remove();
    },
    close() {
      file.close();
      entry.close();
    },
  };
}

/** Makes the names in a directory durable, which is open by O_PATH: 0 or a negative errno. */
function syncDirectory(directory: number): number {
  const fd = openDescriptor(".", OPEN.RDONLY | OPEN.DIRECTORY, { directory });
  try {
    return libc().fdatasync(fd) < 0 ? -errno() : 0;
  } finally {
    closeDescriptor(fd);
  }
}

function adviceOnCreate(error: number): string | undefined {
  switch (error) {
    case ERRNO.EEXIST:
      return "remove it, or choose another path";
    case ERRNO.ENOENT:
      return "make its directory first";
    case ERRNO.EACCES:
    case ERRNO.EPERM:
      return "choose a directory that this user may write to";
    default:
      return undefined;
  }
}
