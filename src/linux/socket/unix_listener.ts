/**
 * Listening on Unix stream sockets that only their owner may connect to.
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";
import { closeDescriptor } from "../syscall/descriptor.ts";
import { libc } from "../syscall/libc.ts";
import { acceptSocket, openSocket, SOCK, SocketWait } from "./socket.ts";
import { bindUnix, type BoundName } from "./unix_bind.ts";
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
  /** Whether other users may change a part of the path, false by default. */
  readonly insecurePath?: boolean;
}

/**
 * Listens on a socket in the file system, with mode 0600. It replaces a socket on
 * which no program listens.
 *
 * @param path The socket's path; its directory must exist.
 * @param options More.
 * @throws {SystemError} EADDRINUSE if another program listens on it, EEXIST if
 * the file is not a socket, EPERM if other users can change a part of the path,
 * and the errnos of bind(2): EACCES, ENOENT, EROFS.
 */
export function listenUnix(
  path: string,
  options: ListenOptions = {},
): UnixListener {
  const fd = openSocket(SOCK.STREAM);
  try {
    // bind(2) creates the file with the mode of the socket, so that others can
    // never connect, and the umask of the process need not be changed.
    if (libc().fchmod(fd, OWNER_ONLY) < 0) throw socketError("fchmod", path);
    const name = bindUnix(fd, path, options.insecurePath ?? false);
    if (libc().listen(fd, BACKLOG) < 0) {
      const error = socketError("listen", path);
      name.remove();
      throw error;
    }
    return new UnixListener(fd, name, options);
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
  readonly #name: BoundName;
  readonly #connections = new Set<UnixConnection>();
  #free = Promise.withResolvers<void>();
  #closing: Promise<void> | undefined;

  /** Wraps a listening socket, and closes it. */
  constructor(fd: number, name: BoundName, options: ListenOptions) {
    this.#fd = fd;
    this.#wait = new SocketWait(fd);
    this.path = name.path;
    this.#options = options;
    this.#name = name;
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
    this.#name.remove();
    this.#free.resolve();
    const connections = [...this.#connections];
    await Promise.all(connections.map((connection) => connection.close()));
    await this.#wait.end();
    closeDescriptor(this.#fd);
  }
}
