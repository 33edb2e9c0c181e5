/**
 * Binding Unix sockets to names in the file system, and removing these.
 *
 * The directory is opened once, so that both happen in the same directory, even
 * if another user puts another one at its path meanwhile.
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";
import {
  closeDescriptor,
  OPEN,
  pathOfDescriptor,
} from "../syscall/descriptor.ts";
import type { DirectoryEntry } from "../syscall/directory_entry.ts";
import { cString } from "../syscall/ffi_values.ts";
import { errno, libc } from "../syscall/libc.ts";
import { findEntry } from "../syscall/path_walk.ts";
import { AT, statxDescriptor } from "../syscall/statx.ts";
import { resultOrNull } from "../syscall/system_error.ts";
import { openSocket, SOCK } from "./socket.ts";
import { descriptorAddress, fitsAddress, pathAddress } from "./unix_address.ts";
import { socketError } from "./unix_connection.ts";

/** The name of a bound socket. */
export interface BoundName {
  /** Its absolute path. */
  readonly path: string;
  /** Removes it, unless another file has its name by now. */
  remove(): void;
}

/**
 * Binds a socket to a path. A socket there on which no program listens is
 * replaced.
 *
 * @param fd The socket.
 * @param path The path; its directory must exist.
 * @param insecurePath Whether other users may change a part of the path.
 * @throws {SystemError} EPERM if other users can change a part of the path;
 * EADDRINUSE if another program listens there, EEXIST if the file is not a
 * socket, and the errnos of bind(2).
 */
export function bindUnix(
  fd: number,
  path: string,
  insecurePath: boolean,
): BoundName {
  const entry = findEntry(path, { action: `listen on ${path}`, insecurePath });
  try {
    bindReplacing(fd, path, entry);
    // It keeps the number of the inode from being used for another file.
    const bound = resultOrNull(() => entry.open(OPEN.PATH));
    return {
      path: entry.path,
      remove() {
        if (bound !== null) {
          if (entry.leadsTo(bound)) entry.remove();
          closeDescriptor(bound);
        }
        entry.close();
      },
    };
  } catch (error) {
    entry.close();
    throw error;
  }
}

function bindReplacing(fd: number, path: string, entry: DirectoryEntry): void {
  using name = nameFor(fd, entry);
  const error = name.take();
  if (error === 0) return;
  if (error !== ERRNO.EADDRINUSE && error !== ERRNO.EEXIST) {
    throw socketError("bind", path, error);
  }
  removeStale(path, entry);
  const again = name.take();
  if (again === ERRNO.EEXIST) throw socketError("bind", path, ERRNO.EADDRINUSE);
  if (again !== 0) throw socketError("bind", path, again);
}

/** A name that a socket can take. */
interface NewName extends Disposable {
  /** Takes it. Returns the error number, 0 for none. */
  take(): number;
}

function nameFor(fd: number, { directory, name }: DirectoryEntry): NewName {
  const path = (each: string) => `${pathOfDescriptor(directory)}/${each}`;
  const isShort = fitsAddress(path(name));
  if (isShort) {
    return { take: () => bind(fd, path(name)), [Symbol.dispose]() {} };
  }
  // An address has no room for the name: the socket gets a short one first.
  const short = `.mqfuse-${Deno.pid}`;
  const { linkat, unlinkat } = libc();
  unlinkat(directory, cString(short), 0);
  const error = bind(fd, path(short));
  return {
    take() {
      if (error !== 0) return error;
      const [from, to] = [cString(short), cString(name)];
      return linkat(directory, from, directory, to, 0) === 0 ? 0 : errno();
    },
    [Symbol.dispose]() {
      if (error === 0) unlinkat(directory, cString(short), 0);
    },
  };
}

function bind(fd: number, path: string): number {
  const address = pathAddress(path);
  return libc().bind(fd, address, address.byteLength) === 0 ? 0 : errno();
}

function removeStale(path: string, entry: DirectoryEntry): void {
  const file = resultOrNull(() => entry.open(OPEN.PATH));
  if (file === null) return;
  const probe = openSocket(SOCK.STREAM);
  try {
    // Without asking the server of a mount that is there: it may be this process.
    const status = statxDescriptor(file, AT.STATX_DONT_SYNC);
    if (typeof status === "number") return;
    if (status.kind !== "socket") throw socketError("bind", path, ERRNO.EEXIST);
    const address = descriptorAddress(file);
    const result = libc().connect(probe, address, address.byteLength);
    const error = result === 0 ? 0 : errno();
    if (error !== ERRNO.ECONNREFUSED) {
      throw socketError("bind", path, ERRNO.EADDRINUSE);
    }
    if (entry.leadsTo(file)) entry.remove();
  } finally {
    closeDescriptor(probe);
    closeDescriptor(file);
  }
}
