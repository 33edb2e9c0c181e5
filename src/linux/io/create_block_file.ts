import type { CreatedFile } from "../../backends/block_file.ts";
import { ERRNO } from "../../base/errno.ts";
import { RENAME } from "../../base/file_flags.ts";
import {
  closeDescriptor,
  OPEN,
  openDescriptor,
} from "../syscall/descriptor.ts";
import type { DirectoryEntry } from "../syscall/directory_entry.ts";
import { cString } from "../syscall/ffi_values.ts";
import { errno, libc } from "../syscall/libc.ts";
import { findEntry } from "../syscall/path_walk.ts";
import { ignoreFileSizeSignal } from "../syscall/resource_limits.ts";
import { SystemError } from "../syscall/system_error.ts";
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
  // A write beyond the limit is an error to tell, not the end of the program.
  ignoreFileSizeSignal();
  const file = new LinuxBlockFile(fd);
  return {
    file,
    path: entry.path,
    syncName: () => syncDirectory(entry.directory),
    rename: (path, replace) => rename(entry, path, replace),
    remove() {
      if (entry.leadsTo(fd)) entry.remove();
    },
    close() {
      file.close();
      entry.close();
    },
  };
}

/** Gives a file another name in its directory: renameat2(2). */
function rename(
  { directory, name, path }: DirectoryEntry,
  to: string,
  replace: boolean,
): void {
  const [from, other] = [name, to.replace(/^.*\//s, "")].map(cString);
  const flags = replace ? 0 : RENAME.NOREPLACE;
  const { renameat2, linkat, unlinkat } = libc();
  if (renameat2(directory, from!, directory, other!, flags) === 0) return;
  let error = errno();
  // Some file systems, such as NFS, cannot do that at once.
  if (error === ERRNO.EINVAL && !replace) {
    const isLinked = linkat(directory, from!, directory, other!, 0) === 0;
    error = isLinked ? 0 : errno();
    if (isLinked && unlinkat(directory, from!, 0) === 0) return;
    if (isLinked) error = errno();
  }
  throw new SystemError({
    call: "renameat2",
    action: `rename ${path} to ${to}`,
    errno: error,
    advice: adviceOnCreate(error),
  });
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
