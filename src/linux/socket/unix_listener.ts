/**
 * Listening on Unix stream sockets that only their owner may connect to.
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";
import { closeDescriptor } from "../syscall/descriptor.ts";
import { libc } from "../syscall/libc.ts";
import { openDescriptors, raiseLimit } from "../syscall/resource_limits.ts";
import { acceptSocket, openSocket, SOCK, SocketWait } from "./socket.ts";
import { SocketPoll } from "./socket_poll.ts";
import { bindUnix, type BoundName } from "./unix_bind.ts";
import {
  socketError,
  UnixConnection,
  type UnixConnectionOptions,
} from "./unix_connection.ts";

const BACKLOG = 128;
const OWNER_ONLY = 0o600;
const RETRY_MS = 100;
const MAX_CONNECTIONS = 64;
/** Descriptors that connections leave to the rest of the program. */
const SPARE_DESCRIPTORS = 12;

/** The options of {@linkcode listenUnix}. */
export interface ListenOptions extends UnixConnectionOptions {
  /**
   * Most connections at a time, 64 by default, and fewer where RLIMIT_NOFILE
   * leaves room for fewer. One more takes the place of that which has been waiting
   * for its peer for the longest time; if all are busy, it waits to be accepted.
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
  const poll = new SocketPoll();
  let fd = -1;
  try {
    fd = openSocket(SOCK.STREAM);
    // bind(2) creates the file with the mode of the socket, so that others can
    // never connect, and the umask of the process need not be changed.
    if (libc().fchmod(fd, OWNER_ONLY) < 0) throw socketError("fchmod", path);
    const name = bindUnix(fd, path, options.insecurePath ?? false);
    if (libc().listen(fd, BACKLOG) < 0) {
      const error = socketError("listen", path);
      name.remove();
      throw error;
    }
    return new UnixListener(fd, poll, name, options);
  } catch (error) {
    if (fd >= 0) closeDescriptor(fd);
    poll.close();
    throw error;
  }
}

/** A listening socket. */
export class UnixListener implements AsyncDisposable {
  /** The absolute path of the socket. */
  readonly path: string;
  readonly #fd: number;
  readonly #poll: SocketPoll;
  readonly #wait: SocketWait;
  readonly #options: ListenOptions;
  /** Most connections at a time; 0 until the first `accept()`. */
  #maxConnections = 0;
  readonly #name: BoundName;
  readonly #connections = new Set<UnixConnection>();
  #free = Promise.withResolvers<void>();
  #closing: Promise<void> | undefined;

  /** Wraps a listening socket, and closes it and what waits for it. */
  constructor(
    fd: number,
    poll: SocketPoll,
    name: BoundName,
    options: ListenOptions,
  ) {
    this.#fd = fd;
    this.#poll = poll;
    this.#wait = new SocketWait(fd, this.#poll);
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
    // Not when the socket is made: the program has opened the rest by now.
    if (this.#maxConnections === 0) {
      const { maxConnections = MAX_CONNECTIONS } = this.#options;
      this.#maxConnections = affordable(maxConnections);
    }
    while (this.#closing === undefined) {
      const fd = acceptSocket(this.#fd);
      if (fd < 0) {
        await this.#waitAfter(-fd);
        continue;
      }
      if (await this.#hasRoom()) return this.#connected(fd);
      closeDescriptor(fd);
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

  /** Makes room for a connection, or waits for it; false after `close()`. */
  async #hasRoom(): Promise<boolean> {
    while (this.#connections.size >= this.#maxConnections) {
      if (this.#closing !== undefined) return false;
      const idle = longestIdle(this.#connections);
      if (idle !== null) await idle.close();
      else await this.#someChange();
    }
    return this.#closing === undefined;
  }

  /** Resolves when a connection ends, or may wait for its peer by now. */
  async #someChange(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, RETRY_MS);
    await Promise.race([this.#free.promise, promise]);
    clearTimeout(timer);
  }

  #connected(fd: number): UnixConnection {
    const connection = new UnixConnection(fd, this.#poll, this.#options, () => {
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
    this.#wait.end();
    closeDescriptor(this.#fd);
    await this.#poll.close();
  }
}

/**
 * How many of so many connections RLIMIT_NOFILE has room for, at least one. They
 * must not take the last descriptors, without which the program cannot unmount.
 */
function affordable(connections: number): number {
  const others = openDescriptors() + SPARE_DESCRIPTORS;
  const limit = raiseLimit("NOFILE", others + connections);
  return Math.max(1, Math.min(connections, limit - others));
}

/** The connection that has been waiting for its peer for the longest time. */
function longestIdle(
  connections: Iterable<UnixConnection>,
): UnixConnection | null {
  let longest: UnixConnection | null = null;
  for (const connection of connections) {
    const since = connection.idleSince;
    if (since === null) continue;
    if (since < (longest?.idleSince ?? Infinity)) longest = connection;
  }
  return longest;
}
