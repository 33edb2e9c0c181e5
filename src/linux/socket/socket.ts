/**
 * Sockets: pairs of them, addresses of unix(7), and a descriptor that comes
 * through one.
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";
import { O } from "../../base/file_flags.ts";
import { pointerOf } from "../syscall/call_arguments.ts";
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

/** Events of poll(2). */
export const POLL = {
  /** Something to read, somebody to accept, or the end. */
  IN: 1,
  /** Room to write. */
  OUT: 4,
} as const;

// struct sockaddr_un of <sys/un.h>: a family of 16 bits, then the path.
const PATH_OFFSET = 2;

/** The longest path of a unix socket, without a NUL behind it. Bytes. */
export const SOCKET_PATH_MAX = 107;

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
 * The `struct sockaddr_un` of a path.
 *
 * @param path A path of at most {@linkcode SOCKET_PATH_MAX} bytes.
 * @returns Exactly as many bytes as `addrlen` has to say.
 * @throws {SystemError} ENAMETOOLONG, EINVAL.
 */
export function pathAddress(path: string): Uint8Array<ArrayBuffer> {
  return addressOf(path, `${path}\0`);
}

/**
 * The `struct sockaddr_un` of a name outside of the file system.
 *
 * @param name A name of at most {@linkcode SOCKET_PATH_MAX} bytes.
 * @returns Exactly as many bytes as `addrlen` has to say.
 * @throws {SystemError} ENAMETOOLONG, EINVAL.
 */
export function abstractAddress(name: string): Uint8Array<ArrayBuffer> {
  return addressOf(name, `\0${name}`);
}

function addressOf(name: string, text: string): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(text);
  if (name === "" || name.includes("\0")) {
    throw addressError(name, ERRNO.EINVAL);
  }
  if (bytes.byteLength > SOCKET_PATH_MAX + 1) {
    throw addressError(name, ERRNO.ENAMETOOLONG);
  }
  const address = new Uint8Array(PATH_OFFSET + bytes.byteLength);
  new DataView(address.buffer).setUint16(0, AF_UNIX, true);
  address.set(bytes, PATH_OFFSET);
  return address;
}

/**
 * poll(2) of one descriptor; this thread does nothing else meanwhile.
 *
 * @param fd The descriptor.
 * @param events {@linkcode POLL} values, ORed.
 * @param limitMs Milliseconds.
 * @returns Whether one of them, or an error or end, came in time.
 */
export function waitForEvents(
  fd: number,
  events: number,
  limitMs: number,
): boolean {
  const bytes = pollfd(fd, events);
  const deadline = performance.now() + limitMs;
  for (;;) {
    const left = Math.max(0, Math.ceil(deadline - performance.now()));
    const ready = libc().poll(pointerOf(bytes), 1n, left);
    if (ready > 0) return true;
    if (ready <= 0 && left === 0) return false;
  }
}

/**
 * The same, waiting in a thread of Deno's pool.
 *
 * @param fd The descriptor.
 * @param events {@linkcode POLL} values, ORed.
 * @param limitMs Milliseconds.
 * @returns Whether one of them, or an error or end, came in time.
 */
export async function eventsLater(
  fd: number,
  events: number,
  limitMs: number,
): Promise<boolean> {
  const bytes = pollfd(fd, events);
  const ready = await libc().poll_nonblocking(pointerOf(bytes), 1n, limitMs);
  // Keeps the memory alive until the call has returned.
  bytes.fill(0);
  return ready > 0;
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

// struct pollfd { int fd; short events; short revents; }
function pollfd(fd: number, events: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(new ArrayBuffer(8));
  const view = new DataView(bytes.buffer);
  view.setInt32(0, fd, true);
  view.setInt16(4, events, true);
  return bytes;
}

function addressError(name: string, error: number): SystemError {
  return new SystemError({
    call: "bind",
    action: `use ${JSON.stringify(name)} as a socket's name`,
    errno: error,
    advice: error === ERRNO.ENAMETOOLONG
      ? `choose one of at most ${SOCKET_PATH_MAX} bytes`
      : undefined,
  });
}

function checked(call: string, result: number): number {
  if (result >= 0) return result;
  throw new SystemError({
    call,
    action: "use a unix socket",
    errno: errno(),
  });
}
