/**
 * Stream sockets of unix(7) that carry lines of text: a listening one that
 * only its owner may connect to, and connections. Nothing here blocks the
 * calling thread; waiting goes on in a thread of Deno's pool.
 *
 * @module
 */

import { acceptSocket, openSocket, SOCK, SocketWait } from "./socket.ts";
import { withAddress } from "./unix_address.ts";
import {
  socketError,
  UnixConnection,
  type UnixConnectionOptions,
} from "./unix_connection.ts";
import { absolutePath, pathKind } from "../syscall/paths.ts";
import { AT, statx } from "../syscall/statx.ts";
import { removeFile } from "../syscall/text_file.ts";
import { ERRNO } from "../../base/errno.ts";
import { AT_FDCWD, closeDescriptor } from "../syscall/descriptor.ts";
import { errno, libc } from "../syscall/libc.ts";

const BACKLOG = 16;
const OWNER_ONLY = 0o600;
const SHORT_OF_DESCRIPTORS_MS = 100;

/** How to listen. */
export interface ListenOptions extends UnixConnectionOptions {
  /**
   * Connections at a time; more wait to be accepted. Each that waits occupies
   * one of the 32 threads of Deno's pool. 8 if left out.
   */
  readonly maxConnections?: number;
}

/**
 * Listens on a socket in the file system, of mode 0600. A socket that nobody
 * listens on any more is removed first.
 *
 * @param path Where; its directory has to exist.
 * @param options How.
 * @throws {SystemError} EADDRINUSE if somebody listens there, EEXIST if it is
 * no socket, and the errno of bind(2): EACCES, ENOENT, EROFS.
 */
export function listenUnix(
  path: string,
  options: ListenOptions = {},
): UnixListener {
  const absolute = absolutePath(path);
  const fd = openSocket(SOCK.STREAM);
  try {
    // Decides the mode that bind(2) gives the file: there is no moment in
    // which others may connect, and the process's umask stays as it is.
    if (libc().fchmod(fd, OWNER_ONLY) < 0) throw socketError("fchmod", path);
    withAddress(absolute, (address) => bindAnew(fd, path, address));
    if (libc().listen(fd, BACKLOG) < 0) throw socketError("listen", path);
    return new UnixListener(fd, absolute, options);
  } catch (error) {
    closeDescriptor(fd);
    throw error;
  }
}

/** A socket that listens. */
export class UnixListener implements AsyncDisposable {
  /** Where: an absolute path. */
  readonly path: string;
  readonly #fd: number;
  readonly #wait: SocketWait;
  readonly #options: ListenOptions;
  readonly #inode: bigint | null;
  readonly #connections = new Set<UnixConnection>();
  #free = Promise.withResolvers<void>();
  #closing: Promise<void> | undefined;

  /** Takes over a socket that listens. */
  constructor(fd: number, path: string, options: ListenOptions) {
    this.#fd = fd;
    this.#wait = new SocketWait(fd);
    this.path = path;
    this.#options = options;
    this.#inode = inodeOf(path);
  }

  /**
   * Waits for the next connection, one call at a time.
   *
   * @returns `null` after {@linkcode close}.
   * @throws {SystemError} With accept4(2)'s errno, if that will not pass.
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
   * Removes the socket's file if it is still there, and ends {@linkcode accept}
   * and every connection. May be called again.
   */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  /** Ends it; see {@linkcode UnixListener.close}. */
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
        // Passes, and poll(2) would not wait for that.
        await new Promise((done) => setTimeout(done, SHORT_OF_DESCRIPTORS_MS));
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

function bindAnew(
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
