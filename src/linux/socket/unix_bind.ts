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
import { errno, libc } from "../syscall/libc.ts";
import { findEntry } from "../syscall/path_walk.ts";
import { type FileKind, statxDescriptor } from "../syscall/statx.ts";
import { resultOrNull, SystemError } from "../syscall/system_error.ts";
import { openSocket, SOCK } from "./socket.ts";
import { pathAddress } from "./unix_address.ts";
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
  const address = addressOf(path, entry);
  const size = address.byteLength;
  if (libc().bind(fd, address, size) === 0) return;
  const error = errno();
  if (error !== ERRNO.EADDRINUSE) throw socketError("bind", path, error);
  removeStale(path, entry, address);
  if (libc().bind(fd, address, size) < 0) throw socketError("bind", path);
}

function addressOf(
  path: string,
  { directory, name }: DirectoryEntry,
): Uint8Array<ArrayBuffer> {
  try {
    return pathAddress(`${pathOfDescriptor(directory)}/${name}`);
  } catch (error) {
    // With the path as the user wrote it.
    if (error instanceof SystemError) {
      throw socketError("bind", path, error.errno);
    }
    throw error;
  }
}

function removeStale(
  path: string,
  entry: DirectoryEntry,
  address: Uint8Array<ArrayBuffer>,
): void {
  const kind = kindOf(entry);
  if (kind === null) return;
  if (kind !== "socket") throw socketError("bind", path, ERRNO.EEXIST);
  const probe = openSocket(SOCK.STREAM);
  try {
    const result = libc().connect(probe, address, address.byteLength);
    const error = result === 0 ? 0 : errno();
    if (error === ERRNO.ECONNREFUSED) entry.remove();
    else if (error !== ERRNO.ENOENT) {
      throw socketError("bind", path, ERRNO.EADDRINUSE);
    }
  } finally {
    closeDescriptor(probe);
  }
}

function kindOf(entry: DirectoryEntry): FileKind | null {
  const fd = resultOrNull(() => entry.open(OPEN.PATH));
  if (fd === null) return null;
  const status = statxDescriptor(fd);
  closeDescriptor(fd);
  return typeof status === "number" ? null : status.kind;
}
