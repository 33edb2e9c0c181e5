/**
 * A connection of unix(7) that carries lines of text.
 *
 * @module
 */

import { openSocket, SOCK, SocketWait } from "./socket.ts";
import { withAddress } from "./unix_address.ts";
import { pointerOf } from "../syscall/ffi_values.ts";
import { absolutePath } from "../syscall/paths.ts";
import { ERRNO } from "../../base/errno.ts";
import { closeDescriptor } from "../syscall/descriptor.ts";
import { errno, libc } from "../syscall/libc.ts";
import { SystemError } from "../syscall/system_error.ts";

const MSG_NOSIGNAL = 0x4000;
const NEWLINE = 0x0a;
const CHUNK_BYTES = 16384;
const LONGEST_LINE = 65536;
const WRITE_LIMIT_MS = 5000;

/** How to use a connection. */
export interface UnixConnectionOptions {
  /** The longest line that is read, without its end. Bytes; 65536. */
  readonly longestLine?: number;
  /** How long a reader may leave what is written to it. Milliseconds; 5000. */
  readonly writeLimitMs?: number;
}

/** A line was longer than it may be. */
export class LineTooLongError extends Error {
  /** Makes one. */
  constructor(longest: number) {
    super(`Cannot read a line of more than ${longest} bytes`);
    this.name = "LineTooLongError";
  }
}

/**
 * Connects to a socket in the file system.
 *
 * @param path Where.
 * @param options How.
 * @throws {SystemError} ENOENT, EACCES; ECONNREFUSED if nobody listens there
 * any more; EAGAIN if too many wait there.
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
  /** Whether the rest of a line that was too long is being passed over. */
  #passing = false;
  #ended = false;
  #closing: Promise<void> | undefined;

  /** Takes over a connected socket that does not block. */
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
   * Waits for the next line, one call at a time. Bytes that are not UTF-8 come
   * as U+FFFD.
   *
   * @returns The line without its end, or `null` at the end of the connection.
   * The last line need not have an end.
   * @throws {LineTooLongError} Once for a line that is too long; the call
   * after that reads the next line.
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
   * Writes text, all of it.
   *
   * @param text Such as a line, its end included.
   * @throws {SystemError} EPIPE if the other end is gone, ETIMEDOUT if it does
   * not read.
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

  /** Ends the connection, and whatever waits for it. May be called again. */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  /** Ends the connection; see {@linkcode UnixConnection.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    await this.#wait.end();
    closeDescriptor(this.#fd);
    this.#closed();
  }

  #send(bytes: Uint8Array<ArrayBuffer>): number {
    // The descriptor's number may be somebody else's by now.
    if (this.#wait.ended) return -ERRNO.EPIPE;
    const size = BigInt(bytes.byteLength);
    const count = libc().send(this.#fd, bytes, size, MSG_NOSIGNAL);
    return count >= 0 ? count : -errno();
  }

  /** Takes a line off; `null` if it is the rest of one that was too long. */
  #take(length: number, withEnd: number): string | null {
    const line = this.#unread.subarray(0, length);
    this.#unread = this.#unread.subarray(withEnd);
    if (this.#passing) {
      this.#passing = false;
      return null;
    }
    if (length > this.#longestLine) {
      throw new LineTooLongError(this.#longestLine);
    }
    return this.#decoder.decode(line);
  }

  /** Keeps what has no end yet from growing for ever. */
  #limit(): void {
    if (this.#unread.byteLength <= this.#longestLine && !this.#passing) return;
    this.#unread = new Uint8Array(0);
    if (this.#passing) return;
    this.#passing = true;
    throw new LineTooLongError(this.#longestLine);
  }

  /** Reads what there is, waiting for it; false at the end. */
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
      // Whatever else it is, nothing more will come.
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
    action: "write to the other end of a socket",
    errno: error,
  });
}

/** An error of listening on a path, or of connecting to it. */
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
      reason: "another program listens there",
      advice: "stop it, or choose another path",
    }],
    [ERRNO.EEXIST, {
      reason: "there is something that is no socket",
      advice: "choose another path",
    }],
    [ERRNO.ECONNREFUSED, {
      reason: "nobody listens there any more",
      advice: "see whether the export still runs",
    }],
    [ERRNO.EAGAIN, {
      reason: "too many wait for it already",
      advice: "try again",
    }],
  ]);
