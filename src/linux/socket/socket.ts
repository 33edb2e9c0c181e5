/**
 * Sockets: pairs of them, addresses of unix(7), and a descriptor that comes
 * through one.
 *
 * @module
 */

import { pointerOf } from "../syscall/ffi_values.ts";
import { eventsLater, POLL } from "../syscall/poll.ts";
import { ERRNO } from "../../base/errno.ts";
import { O } from "../../base/file_flags.ts";
import { errno, libc } from "../syscall/libc.ts";
import { SystemError } from "../syscall/system_error.ts";

const AF_UNIX = 1;

/** Types of socket(2). */
export const SOCK = {
  /** A stream of bytes. */
  STREAM: 1,
  /** Messages. */
  DGRAM: 2,
} as const;

// Flags of socket(2) and accept4(2).
const SOCK_NONBLOCK = O.NONBLOCK;
const SOCK_CLOEXEC = O.CLOEXEC;

const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_CMSG_CLOEXEC = 0x40000000;

/**
 * socket(2) of unix(7), not blocking, close-on-exec.
 *
 * @param type A value of {@linkcode SOCK}.
 * @throws {SystemError} EMFILE, ENFILE, ENOMEM.
 */
export function openSocket(type: number): number {
  const flags = type | SOCK_NONBLOCK | SOCK_CLOEXEC;
  return checked("socket", libc().socket(AF_UNIX, flags, 0));
}

/**
 * socketpair(2) of stream sockets, blocking, close-on-exec.
 *
 * @throws {SystemError} EMFILE, ENFILE, ENOMEM.
 */
export function socketPair(): [number, number] {
  const ends = new Int32Array(new ArrayBuffer(8));
  const bytes = new Uint8Array(ends.buffer);
  const type = SOCK.STREAM | SOCK_CLOEXEC;
  checked("socketpair", libc().socketpair(AF_UNIX, type, 0, bytes));
  return [ends[0]!, ends[1]!];
}

/**
 * accept4(2), the connection not blocking, close-on-exec.
 *
 * @param fd A socket that listens.
 * @returns The connection, or a negative errno.
 */
export function acceptSocket(fd: number): number {
  const flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
  const accepted = libc().accept4(fd, null, null, flags);
  return accepted >= 0 ? accepted : -errno();
}

/**
 * recvmsg(2) of one message with one descriptor, close-on-exec: cmsg(3).
 *
 * @param fd A socket that blocks, and has something to read.
 * @returns `null` if the other end was closed, or sent no descriptor.
 * @throws {SystemError} With recvmsg's errno.
 */
export function receiveDescriptor(fd: number): number | null {
  const data = new Uint8Array(new ArrayBuffer(1));
  const vector = new BigUint64Array(new ArrayBuffer(16));
  vector[0] = Deno.UnsafePointer.value(pointerOf(data));
  vector[1] = 1n;
  // struct cmsghdr { size_t cmsg_len; int cmsg_level; int cmsg_type; }, then
  // the descriptor, filled up to 8 bytes.
  const control = new DataView(new ArrayBuffer(24));
  const controlBytes = new Uint8Array(control.buffer);
  const header = messageHeader(vector, controlBytes);
  let count: number;
  do {
    count = libc().recvmsg(fd, header, MSG_CMSG_CLOEXEC);
  } while (count < 0 && errno() === ERRNO.EINTR);
  checked("recvmsg", count);
  // Keeps the memory alive until the call has returned.
  data.fill(0);
  vector.fill(0n);
  const isDescriptor = control.getBigUint64(0, true) === 20n &&
    control.getInt32(8, true) === SOL_SOCKET &&
    control.getInt32(12, true) === SCM_RIGHTS;
  return isDescriptor ? control.getInt32(16, true) : null;
}

// struct msghdr of <sys/socket.h>; where musl has 32-bit lengths, it has zero
// padding behind them.
function messageHeader(
  vector: BigUint64Array<ArrayBuffer>,
  control: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const header = new DataView(new ArrayBuffer(56));
  const iov = Deno.UnsafePointer.of(vector);
  header.setBigUint64(16, Deno.UnsafePointer.value(iov), true);
  header.setBigUint64(24, 1n, true);
  header.setBigUint64(32, Deno.UnsafePointer.value(pointerOf(control)), true);
  header.setBigUint64(40, BigInt(control.byteLength), true);
  return new Uint8Array(header.buffer);
}

function checked(call: string, result: number): number {
  if (result >= 0) return result;
  throw new SystemError({
    call,
    action: "use a unix socket",
    errno: errno(),
  });
}

const SHUT_RDWR = 2;

// A wait that misses its end goes on for as long at most.
const LONGEST_WAIT_MS = 1000;

/** Waits for one socket. */
export class SocketWait {
  readonly #fd: number;
  readonly #waits = new Set<Promise<boolean>>();
  #ended = false;

  /** Waits for a socket. */
  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Whether {@linkcode end} was called. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Resolves once reading or accepting would not wait, or it has ended. */
  async readable(): Promise<void> {
    while (!await this.#wait(POLL.IN, LONGEST_WAIT_MS));
  }

  /**
   * Resolves once writing would not wait, or it has ended.
   *
   * @param limitMs Milliseconds.
   * @returns Whether that came in time.
   */
  async writable(limitMs: number): Promise<boolean> {
    const deadline = performance.now() + limitMs;
    for (;;) {
      const left = Math.ceil(deadline - performance.now());
      if (left <= 0) return false;
      if (await this.#wait(POLL.OUT, Math.min(left, LONGEST_WAIT_MS))) {
        return true;
      }
    }
  }

  /**
   * Ends the socket's life on both sides, and every wait. When this resolves,
   * no thread uses the descriptor any more, and it may be closed.
   */
  async end(): Promise<void> {
    this.#ended = true;
    // Wakes whoever polls it.
    libc().shutdown(this.#fd, SHUT_RDWR);
    await Promise.all(this.#waits);
  }

  async #wait(events: number, limitMs: number): Promise<boolean> {
    if (this.#ended) return true;
    const wait = eventsLater(this.#fd, events, limitMs);
    this.#waits.add(wait);
    try {
      return await wait || this.#ended;
    } finally {
      this.#waits.delete(wait);
    }
  }
}
