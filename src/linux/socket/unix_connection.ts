/**
 * Connections of Unix stream sockets that carry lines of text. Waiting happens in
 * a thread of Deno's pool, so that nothing here blocks the calling thread.
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";
import { AT_FDCWD, closeDescriptor, OPEN } from "../syscall/descriptor.ts";
import { cString, pointerOf } from "../syscall/ffi_values.ts";
import { errno, libc } from "../syscall/libc.ts";
import { SystemError } from "../syscall/system_error.ts";
import { MSG_NOSIGNAL, openSocket, SOCK, SocketWait } from "./socket.ts";
import { SocketPoll } from "./socket_poll.ts";
import { descriptorAddress } from "./unix_address.ts";

const NEWLINE = 0x0a;
const CHUNK_BYTES = 16384;
const LONGEST_LINE = 65536;
const WRITE_LIMIT_MS = 5000;

/** The options of a connection. */
export interface UnixConnectionOptions {
  /** The longest line to be read, without its newline; 65536 bytes by default. */
  readonly longestLine?: number;
  /** How long a text may take to be written; 5000 ms by default. */
  readonly writeLimitMs?: number;
  /** How long a line may take to be read; not limited by default. */
  readonly readLimitMs?: number;
}

/** A line was longer than allowed. */
export class LineTooLongError extends Error {
  /** Composes the message. */
  constructor(longest: number) {
    super(
      `Cannot read a line: it has more than ${longest} bytes; send a shorter one`,
    );
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
    const error = connectTo(fd, path);
    if (error !== 0) throw socketError("connect", path, error);
    const poll = new SocketPoll();
    return new UnixConnection(fd, poll, options, () => poll.close());
  } catch (error) {
    closeDescriptor(fd);
    throw error;
  }
}

/**
 * Connects by a descriptor of the socket, because an address has no room for a
 * long path.
 *
 * @returns The error number, 0 for none.
 */
function connectTo(fd: number, path: string): number {
  const { openat, connect } = libc();
  const flags = OPEN.PATH | OPEN.CLOEXEC;
  const file = openat(AT_FDCWD, cString(path), flags, 0);
  if (file < 0) return errno();
  const address = descriptorAddress(file);
  const result = connect(fd, address, address.byteLength);
  const error = result === 0 ? 0 : errno();
  closeDescriptor(file);
  return error;
}

/** One end of a connection. */
export class UnixConnection implements AsyncDisposable {
  readonly #fd: number;
  readonly #wait: SocketWait;
  readonly #longestLine: number;
  readonly #writeLimitMs: number;
  readonly #readLimitMs: number;
  readonly #closed: () => void | Promise<void>;
  readonly #chunk = new Uint8Array(new ArrayBuffer(CHUNK_BYTES));
  readonly #decoder = new TextDecoder();
  #unread = new Uint8Array(0);
  /** Whether the rest of a line that is too long is being skipped. */
  #skipping = false;
  #ended = false;
  #idleSince: number | null = null;
  #closing: Promise<void> | undefined;

  /**
   * Wraps a connected, non-blocking socket, and closes it.
   *
   * @param fd The socket.
   * @param poll Waits for it.
   * @param options More.
   * @param closed Called when it has been closed.
   */
  constructor(
    fd: number,
    poll: SocketPoll,
    options: UnixConnectionOptions,
    closed: () => void | Promise<void>,
  ) {
    this.#fd = fd;
    this.#wait = new SocketWait(fd, poll);
    this.#longestLine = options.longestLine ?? LONGEST_LINE;
    this.#writeLimitMs = options.writeLimitMs ?? WRITE_LIMIT_MS;
    this.#readLimitMs = options.readLimitMs ?? Infinity;
    this.#closed = closed;
  }

  /**
   * Since when a read waits for the peer, in the time of `performance.now()`;
   * `null` if none does.
   */
  get idleSince(): number | null {
    return this.#idleSince;
  }

  /**
   * Reads the next line. Only one call may be in progress. Bytes that are not
   * UTF-8 become U+FFFD.
   *
   * @returns The line without its newline, or `null` at the end of the
   * connection. The last line may lack its newline.
   * @throws {LineTooLongError} If the line is too long. The next call reads the
   * next line.
   * @throws {SystemError} ETIMEDOUT if the line did not come in time.
   */
  async readLine(): Promise<string | null> {
    const deadline = performance.now() + this.#readLimitMs;
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
      if (!await this.#readMore(deadline)) break;
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
    const deadline = performance.now() + this.#writeLimitMs;
    let rest = new TextEncoder().encode(text);
    while (rest.byteLength > 0) {
      const count = this.#send(rest);
      if (count >= 0) {
        rest = rest.subarray(count);
      } else if (-count === ERRNO.EAGAIN) {
        if (!await this.#wait.writable(deadline)) {
          throw transferError("write to", "send", ERRNO.ETIMEDOUT);
        }
      } else if (-count !== ERRNO.EINTR) {
        throw transferError("write to", "send", -count);
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
    this.#wait.end();
    closeDescriptor(this.#fd);
    await this.#closed();
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
  async #readMore(deadline: number): Promise<boolean> {
    while (!this.#ended && !this.#wait.ended) {
      const size = BigInt(CHUNK_BYTES);
      const count = libc().read(this.#fd, pointerOf(this.#chunk), size);
      if (count > 0) {
        this.#append(this.#chunk.subarray(0, count));
        // A peer that sends without a pause must not stop timers and signals.
        await turn();
        if (performance.now() <= deadline) return true;
        throw transferError("read from", "read", ERRNO.ETIMEDOUT);
      }
      const error = count === 0 ? 0 : errno();
      if (error === ERRNO.EAGAIN) await this.#waitForData(deadline);
      // The end of the connection, or an error that ends it.
      else if (error !== ERRNO.EINTR) this.#ended = true;
    }
    return false;
  }

  async #waitForData(deadline: number): Promise<void> {
    this.#idleSince = performance.now();
    try {
      if (await this.#wait.readable(deadline)) return;
      throw transferError("read from", "poll", ERRNO.ETIMEDOUT);
    } finally {
      this.#idleSince = null;
    }
  }

  #append(bytes: Uint8Array<ArrayBuffer>): void {
    const joined = new Uint8Array(this.#unread.byteLength + bytes.byteLength);
    joined.set(this.#unread);
    joined.set(bytes, this.#unread.byteLength);
    this.#unread = joined;
  }
}

function transferError(
  what: string,
  call: string,
  error: number,
): SystemError {
  return new SystemError({
    call,
    action: `${what} a Unix socket`,
    errno: error,
  });
}

/** Lets the thread's event loop run once. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Why a call on a socket failed, and what to do, where that is known. */
type Reasons = ReadonlyMap<number, { reason?: string; advice: string }>;

/** The error of listening on a path or of connecting to it. */
export function socketError(
  call: string,
  path: string,
  error: number = errno(),
): SystemError {
  const connects = call === "connect";
  return new SystemError({
    call,
    action: `${connects ? "connect to" : "listen on"} ${path}`,
    errno: error,
    ...(connects ? TO_CONNECT : TO_LISTEN).get(error),
  });
}

const NAME_IT = "name the socket that 'export --control' made";

const TO_CONNECT: Reasons = new Map([
  [ERRNO.ENOENT, {
    advice: `check whether the export is still running, and ${NAME_IT}`,
  }],
  [ERRNO.ENOTDIR, { advice: NAME_IT }],
  [ERRNO.EPROTOTYPE, {
    reason: "it is a socket of another type",
    advice: NAME_IT,
  }],
  [ERRNO.EACCES, {
    advice: "run this command as the user who started the export, or as root",
  }],
  [ERRNO.ECONNREFUSED, {
    reason: "no program is listening on it",
    advice: `check whether the export is still running, and ${NAME_IT}`,
  }],
  [ERRNO.EAGAIN, {
    reason: "too many connections are waiting to be accepted",
    advice: "try again",
  }],
]);

const TO_LISTEN: Reasons = new Map([
  [ERRNO.EADDRINUSE, {
    reason: "another program is listening on it",
    advice: "stop that program, or choose another path",
  }],
  [ERRNO.EEXIST, {
    reason: "a file that is not a socket is in the way",
    advice: "choose another path",
  }],
]);
