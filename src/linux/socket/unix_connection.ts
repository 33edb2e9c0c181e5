/**
 * Connections of Unix stream sockets that carry lines of text. Waiting happens in
 * threads of Deno's pool, so that nothing here blocks the calling thread.
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";
import { closeDescriptor } from "../syscall/descriptor.ts";
import { pointerOf } from "../syscall/ffi_values.ts";
import { errno, libc } from "../syscall/libc.ts";
import { absolutePath } from "../syscall/paths.ts";
import { SystemError } from "../syscall/system_error.ts";
import { openSocket, SOCK, SocketWait } from "./socket.ts";
import { withAddress } from "./unix_address.ts";

const MSG_NOSIGNAL = 0x4000;
const NEWLINE = 0x0a;
const CHUNK_BYTES = 16384;
const LONGEST_LINE = 65536;
const WRITE_LIMIT_MS = 5000;

/** The options of a connection. */
export interface UnixConnectionOptions {
  /** The longest line to be read, without its newline; 65536 bytes by default. */
  readonly longestLine?: number;
  /** How long a write may wait for the peer; 5000 ms by default. */
  readonly writeLimitMs?: number;
}

/** A line was longer than allowed. */
export class LineTooLongError extends Error {
  /** Composes the message. */
  constructor(longest: number) {
    super(`Cannot read a line: it has more than ${longest} bytes`);
    this.name = "LineTooLongError";
  }
}

/**
 * Connects to a socket in the file system.
 *
 * @param path The socket's path.
 * @param options More.
 * @throws {SystemError} ENOENT, EACCES; ECONNREFUSED if no program listens on
 * it; EAGAIN if too many connections wait to be accepted.
 */
export function connectUnix(
  path: string,
  options: UnixConnectionOptions = {},
): UnixConnection {
  const fd = openSocket(SOCK.STREAM);
  try {
    withAddress(absolutePath(path), (address) => {
      if (libc().connect(fd, address, address.byteLength) === 0) return;
      throw socketError("connect", path);
    });
    return new UnixConnection(fd, options);
  } catch (error) {
    closeDescriptor(fd);
    throw error;
  }
}

/** One end of a connection. */
export class UnixConnection implements AsyncDisposable {
  readonly #fd: number;
  readonly #wait: SocketWait;
  readonly #longestLine: number;
  readonly #writeLimitMs: number;
  readonly #closed: () => void;
  readonly #chunk = new Uint8Array(new ArrayBuffer(CHUNK_BYTES));
  readonly #decoder = new TextDecoder();
  #unread = new Uint8Array(0);
  /** Whether the rest of a line that is too long is being skipped. */
  #skipping = false;
  #ended = false;
  #closing: Promise<void> | undefined;

  /** Wraps a connected, non-blocking socket, and closes it. */
  constructor(
    fd: number,
    options: UnixConnectionOptions = {},
    closed: () => void = () => {},
  ) {
    this.#fd = fd;
    this.#wait = new SocketWait(fd);
    this.#longestLine = options.longestLine ?? LONGEST_LINE;
    this.#writeLimitMs = options.writeLimitMs ?? WRITE_LIMIT_MS;
    this.#closed = closed;
  }

  /**
   * Reads the next line. Only one call may be in progress. Bytes that are not
   * UTF-8 become U+FFFD.
   *
   * @returns The line without its newline, or `null` at the end of the
   * connection. The last line may lack its newline.
   * @throws {LineTooLongError} If the line is too long. The next call reads the
   * next line.
   */
  async readLine(): Promise<string | null> {
    let searched = 0;
    for (;;) {
      const end = this.#unread.indexOf(NEWLINE, searched);
      if (end >= 0) {
        const line = this.#take(end, end + 1);
        if (line !== null) return line;
        searched = 0;
        continue;
      }
      this.#limit();
      searched = this.#unread.byteLength;
      if (!await this.#readMore()) break;
    }
    const length = this.#unread.byteLength;
    return length > 0 ? this.#take(length, length) : null;
  }

  /**
   * Writes a whole text.
   *
   * @param text The text, such as a line with its newline.
   * @throws {SystemError} EPIPE if the peer has closed the connection, ETIMEDOUT
   * if it does not read.
   */
  async write(text: string): Promise<void> {
    let rest = new TextEncoder().encode(text);
    while (rest.byteLength > 0) {
      const count = this.#send(rest);
      if (count >= 0) {
        rest = rest.subarray(count);
      } else if (-count === ERRNO.EAGAIN) {
        if (!await this.#wait.writable(this.#writeLimitMs)) {
          throw writeError(ERRNO.ETIMEDOUT);
        }
      } else if (-count !== ERRNO.EINTR) {
        throw writeError(-count);
      }
    }
  }

  /** Closes the connection and ends pending calls. Later calls do nothing. */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  /** Closes the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    await this.#wait.end();
    closeDescriptor(this.#fd);
    this.#closed();
  }

  #send(bytes: Uint8Array<ArrayBuffer>): number {
    // The descriptor is closed, and its number may be in use again.
    if (this.#wait.ended) return -ERRNO.EPIPE;
    const size = BigInt(bytes.byteLength);
    const count = libc().send(this.#fd, bytes, size, MSG_NOSIGNAL);
    return count >= 0 ? count : -errno();
  }

  /** Removes a line; `null` if it is the rest of one that was too long. */
  #take(length: number, withEnd: number): string | null {
    const line = this.#unread.subarray(0, length);
    this.#unread = this.#unread.subarray(withEnd);
    if (this.#skipping) {
      this.#skipping = false;
      return null;
    }
    if (length > this.#longestLine) {
      throw new LineTooLongError(this.#longestLine);
    }
    return this.#decoder.decode(line);
  }

  /** Limits the size of a line that has no newline yet. */
  #limit(): void {
    if (this.#unread.byteLength <= this.#longestLine && !this.#skipping) return;
    this.#unread = new Uint8Array(0);
    if (this.#skipping) return;
    this.#skipping = true;
    throw new LineTooLongError(this.#longestLine);
  }

  /** Waits for data and reads it; false at the end of the connection. */
  async #readMore(): Promise<boolean> {
    while (!this.#ended && !this.#wait.ended) {
      const size = BigInt(CHUNK_BYTES);
      const count = libc().read(this.#fd, pointerOf(this.#chunk), size);
      if (count > 0) {
        this.#append(this.#chunk.subarray(0, count));
        return true;
      }
      const error = count === 0 ? 0 : errno();
      if (error === ERRNO.EAGAIN) await this.#wait.readable();
      // The end of the connection, or an error that ends it.
      else if (error !== ERRNO.EINTR) this.#ended = true;
    }
    return false;
  }

  #append(bytes: Uint8Array<ArrayBuffer>): void {
    const joined = new Uint8Array(this.#unread.byteLength + bytes.byteLength);
    joined.set(this.#unread);
    joined.set(bytes, this.#unread.byteLength);
    this.#unread = joined;
  }
}

function writeError(error: number): SystemError {
  return new SystemError({
    call: "send",
    action: "write to a Unix socket",
    errno: error,
  });
}

/** The error of listening on a path or of connecting to it. */
export function socketError(
  call: string,
  path: string,
  error: number = errno(),
): SystemError {
  return new SystemError({
    call,
    action: `${call === "connect" ? "connect to" : "listen on"} ${path}`,
    errno: error,
    ...REASONS.get(error),
  });
}

const REASONS: ReadonlyMap<number, { reason?: string; advice: string }> =
  new Map([
    [ERRNO.EADDRINUSE, {
      reason: "another program is listening on it",
      advice: "stop that program, or choose another path",
    }],
    [ERRNO.EEXIST, {
      reason: "a file that is not a socket is in the way",
      advice: "choose another path",
    }],
    [ERRNO.ECONNREFUSED, {
      reason: "no program is listening on it",
      advice: "check whether the export is still running",
    }],
    [ERRNO.EAGAIN, {
      reason: "too many connections are waiting to be accepted",
      advice: "try again",
    }],
  ]);
