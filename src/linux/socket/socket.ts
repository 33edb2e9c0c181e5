/**
 * Unix sockets: creating them, waiting for them, and receiving a descriptor.
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";
import { O, POLL } from "../../base/file_flags.ts";
import { pointerOf } from "../syscall/ffi_values.ts";
import { errno, libc } from "../syscall/libc.ts";
import { SystemError } from "../syscall/system_error.ts";
import type { SocketPoll } from "./socket_poll.ts";

/** The address family of unix(7). */
export const AF_UNIX = 1;
/** A flag of send(2): no SIGPIPE. */
export const MSG_NOSIGNAL = 0x4000;

/** Types of socket(2). */
export const SOCK = {
  /** A byte stream. */
  STREAM: 1,
  /** Datagrams. */
  DGRAM: 2,
} as const;

// Flags of socket(2) and accept4(2).
const SOCK_NONBLOCK = O.NONBLOCK;
const SOCK_CLOEXEC = O.CLOEXEC;

/** The level of socket options that all sockets have. */
export const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_CMSG_CLOEXEC = 0x40000000;

/**
 * Creates a non-blocking, close-on-exec socket of unix(7).
 *
 * @param type A value of {@linkcode SOCK}.
 * @throws {SystemError} EMFILE, ENFILE, ENOMEM.
 */
export function openSocket(type: number): number {
  const flags = type | SOCK_NONBLOCK | SOCK_CLOEXEC;
  return checked("socket", libc().socket(AF_UNIX, flags, 0));
}

/**
 * Creates a pair of connected stream sockets, blocking and close-on-exec.
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
 * Accepts a connection, non-blocking and close-on-exec.
 *
 * @param fd A listening socket.
 * @returns A descriptor of the connection, or a negative errno.
 */
export function acceptSocket(fd: number): number {
  const flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
  const accepted = libc().accept4(fd, null, null, flags);
  return accepted >= 0 ? accepted : -errno();
}

/**
 * Receives a message that carries a descriptor, close-on-exec: cmsg(3).
 *
 * @param fd A blocking socket that has data to read.
 * @returns The descriptor; `null` if the peer closed the connection or sent none.
 * @throws {SystemError} With the errno of recvmsg(2).
 */
export function receiveDescriptor(fd: number): number | null {
  const data = new Uint8Array(new ArrayBuffer(1));
  const vector = new BigUint64Array(new ArrayBuffer(16));
  vector[0] = Deno.UnsafePointer.value(pointerOf(data));
  vector[1] = 1n;
  // struct cmsghdr { size_t cmsg_len; int cmsg_level; int cmsg_type; }, then
  // the descriptor, padded to 8 bytes.
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

// struct msghdr of <sys/socket.h>. musl's lengths of 32 bits have padding after
// them that must be zero.
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
    action: "use a Unix socket",
    errno: errno(),
  });
}

const SHUT_RDWR = 2;

const SO_LINGER = 13;
/** struct linger { int l_onoff, l_linger; }: TCP forgets what is not sent. */
const LINGER_FOR_NONE: readonly number[] = [1, 0];

/**
 * Shuts a socket down in both directions: shutdown(2).
 *
 * @param discards Whether bytes that TCP has not sent when it is closed are to
 * be forgotten; no if left out.
 */
export function shutdownSocket(fd: number, discards: boolean = false): void {
  if (discards) {
    const value = new Int32Array(LINGER_FOR_NONE);
    libc().setsockopt(fd, SOL_SOCKET, SO_LINGER, value, value.byteLength);
  }
  libc().shutdown(fd, SHUT_RDWR);
}

/** Waits for one socket. */
export class SocketWait {
  readonly #fd: number;
  readonly #poll: SocketPoll;
  #ended = false;

  /** Prepares waiting for a socket, which the caller closes after `end()`. */
  constructor(fd: number, poll: SocketPoll) {
    this.#fd = fd;
    this.#poll = poll;
  }

  /** Whether {@linkcode SocketWait.end} was called. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Resolves once a read or accept would not block, or after `end()`.
   *
   * @param deadline The latest time of `performance.now()`.
   * @returns Whether that was the case in time.
   */
  readable(deadline: number = Infinity): Promise<boolean> {
    return this.#wait(POLL.IN, deadline);
  }

  /**
   * Resolves once a write would not block, or after `end()`.
   *
   * @param deadline The latest time of `performance.now()`.
   * @returns Whether that was the case in time.
   */
  writable(deadline: number): Promise<boolean> {
    return this.#wait(POLL.OUT, deadline);
  }

  /**
   * Shuts the socket down and ends every wait, so that it may be closed. Calls
   * that follow find that.
   *
   * @param discards As that of {@linkcode shutdownSocket}.
   */
  end(discards: boolean = false): void {
    this.#ended = true;
    shutdownSocket(this.#fd, discards);
    this.#poll.release(this.#fd);
  }

  async #wait(events: number, deadline: number): Promise<boolean> {
    if (this.#ended) return true;
    return await this.#poll.wait(this.#fd, events, deadline) || this.#ended;
  }
}
