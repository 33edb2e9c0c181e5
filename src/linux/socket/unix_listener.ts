/**
 * Listening on Unix stream sockets that only their owner may connect to.
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";
import { AT_FDCWD, closeDescriptor } from "../syscall/descriptor.ts";
import { errno, libc } from "../syscall/libc.ts";
import { absolutePath, pathKind } from "../syscall/paths.ts";
import { AT, statx } from "../syscall/statx.ts";
import { removeFile } from "../syscall/text_file.ts";
import { acceptSocket, openSocket, SOCK, SocketWait } from "./socket.ts";
import { withAddress } from "./unix_address.ts";
import {
  socketError,
  UnixConnection,
  type UnixConnectionOptions,
} from "./unix_connection.ts";

const BACKLOG = 16;
const OWNER_ONLY = 0o600;
const RETRY_MS = 100;

/** The options of {@linkcode listenUnix}. */
export interface ListenOptions extends UnixConnectionOptions {
  /**
   * Most connections at a time, 8 by default; others wait to be accepted. A
   * connection that waits for data occupies one of the 32 threads of Deno's
   * pool.
   */
  readonly maxConnections?: number;
}

/**
 * Listens on a socket in the file system, with mode 0600. It replaces a socket on
 * which no program listens.
 *
 * @param path The socket's path; its directory must exist.
 * @param options More.
 * @throws {SystemError} EADDRINUSE if another program listens on it, EEXIST if
 * the file is not a socket, and the errnos of bind(2): EACCES, ENOENT, EROFS.
 */
export function listenUnix(
  path: string,
  options: ListenOptions = {},
): UnixListener {
  const absolute = absolutePath(path);
  const fd = openSocket(SOCK.STREAM);
  try {
    // bind(2) creates the file with the mode of the socket, so that others can
    // never connect, and the umask of the process need not be changed.
    if (libc().fchmod(fd, OWNER_ONLY) < 0) throw socketError("fchmod", path);
    withAddress(absolute, (address) => bindReplacing(fd, path, address));
    if (libc().listen(fd, BACKLOG) < 0) throw socketError("listen", path);
    return new UnixListener(fd, absolute, options);
  } catch (error) {
    closeDescriptor(fd);
    throw error;
  }
}

/** A listening socket. */
export class UnixListener implements AsyncDisposable {
  /** The absolute path of the socket. */
  readonly path: string;
  readonly #fd: number;
  readonly #wait: SocketWait;
  readonly #options: ListenOptions;
  readonly #inode: bigint | null;
  readonly #connections = new Set<UnixConnection>();
  #free = Promise.withResolvers<void>();
  #closing: Promise<void> | undefined;

  /** Wraps a listening socket, and closes it. */
  constructor(fd: number, path: string, options: ListenOptions) {
    this.#fd = fd;
    this.#wait = new SocketWait(fd);
    this.path = path;
    this.#options = options;
    this.#inode = inodeOf(path);
  }

  /**
   * Waits for the next connection. Only one call may be in progress.
   *
   * @returns `null` after {@linkcode UnixListener.close}.
   * @throws {SystemError} With the errno of accept4(2), unless it is temporary.
   */
  async accept(): Promise<UnixConnection | null> {
    const { maxConnections = 8 } = this.#options;
    while (this.#closing === undefined) {
      if (this.#connections.size >= maxConnections) {
        await this.#free.promise;
        continue;
      }
      const fd = acceptSocket(this.#fd);
      if (fd >= 0) return this.#connected(fd);
      await this.#waitAfter(-fd);
    }
    return null;
  }

  /**
   * Removes the socket's file unless it was replaced, and closes the socket and
   * all connections. Later calls do nothing.
   */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  /** Closes the socket. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #connected(fd: number): UnixConnection {
    const connection = new UnixConnection(fd, this.#options, () => {
      this.#connections.delete(connection);
      this.#free.resolve();
      this.#free = Promise.withResolvers();
    });
    this.#connections.add(connection);
    return connection;
  }

  async #waitAfter(error: number): Promise<void> {
    switch (error) {
      case ERRNO.EAGAIN:
        await this.#wait.readable();
        return;
      case ERRNO.EINTR:
      case ERRNO.ECONNABORTED:
        return;
      case ERRNO.EMFILE:
      case ERRNO.ENFILE:
      case ERRNO.ENOBUFS:
      case ERRNO.ENOMEM:
        // Temporary, but poll(2) would not wait for its end.
        await new Promise((done) => setTimeout(done, RETRY_MS));
        return;
      default:
        if (this.#closing === undefined) {
          throw socketError("accept4", this.path, error);
        }
    }
  }

  async #close(): Promise<void> {
    if (this.#inode !== null && inodeOf(this.path) === this.#inode) {
      removeFile(this.path);
    }
    this.#free.resolve();
    const connections = [...this.#connections];
    await Promise.all(connections.map((connection) => connection.close()));
    await this.#wait.end();
    closeDescriptor(this.#fd);
  }
}

function bindReplacing(
  fd: number,
  path: string,
  address: Uint8Array<ArrayBuffer>,
): void {
  const size = address.byteLength;
  if (libc().bind(fd, address, size) === 0) return;
  const error = errno();
  if (error !== ERRNO.EADDRINUSE) throw socketError("bind", path, error);
  removeStale(path, address);
  if (libc().bind(fd, address, size) < 0) throw socketError("bind", path);
}

function removeStale(path: string, address: Uint8Array<ArrayBuffer>): void {
  const kind = pathKind(path);
  if (kind === "missing") return;
  if (kind !== "socket") throw socketError("bind", path, ERRNO.EEXIST);
  const probe = openSocket(SOCK.STREAM);
  try {
    const result = libc().connect(probe, address, address.byteLength);
    const error = result === 0 ? 0 : errno();
    if (error === ERRNO.ECONNREFUSED) removeFile(path);
    else if (error !== ERRNO.ENOENT) {
      throw socketError("bind", path, ERRNO.EADDRINUSE);
    }
  } finally {
    closeDescriptor(probe);
  }
}

function inodeOf(path: string): bigint | null {
  const status = statx(AT_FDCWD, path, AT.SYMLINK_NOFOLLOW);
  return typeof status === "number" ? null : status.inode;
}
