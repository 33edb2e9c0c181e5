import type {
  ConnectedSocket,
  SocketAddress,
} from "../../backends/services.ts";
import { ERRNO, errnoName } from "../../base/errno.ts";
import { O } from "../../base/file_flags.ts";
import { UserError } from "../../base/user_error.ts";
import { closeDescriptor } from "../syscall/descriptor.ts";
import { errno, libc } from "../syscall/libc.ts";
import { LinuxConnectedSocket, type StreamMaker } from "./connected_socket.ts";
import { resolveHost } from "./resolve_host.ts";
import { AF_UNIX, SOCK, SocketWait, SOL_SOCKET } from "./socket.ts";
import { SocketPoll } from "./socket_poll.ts";
import { pathAddress } from "./unix_address.ts";

const SO_ERROR = 4;
const SO_KEEPALIVE = 9;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const TCP_KEEPIDLE = 4;
const TCP_KEEPINTVL = 5;
const TCP_USER_TIMEOUT = 18;
/** Seconds of silence after which an idle peer is asked whether it lives. */
const KEEPALIVE_S = 10;
/** How long sent bytes may stay unacknowledged, in milliseconds. */
const UNACKNOWLEDGED_MS = 30_000;

/**
 * Connects to a server by TCP or a Unix socket, without blocking this thread.
 *
 * @param name The server's name in errors.
 * @param limitMs How long it may take.
 * @param makeStream Makes a stream later.
 * @throws {UserError} If there is none.
 */
export async function connectSocket(
  address: SocketAddress,
  name: string,
  limitMs: number,
  makeStream: StreamMaker,
): Promise<ConnectedSocket> {
  const deadline = performance.now() + limitMs;
  const candidates = address.kind === "unix"
    ? [{ family: AF_UNIX, bytes: pathAddress(address.path) }]
    : await resolveHost(address.host, address.port, name, limitMs);
  let error: number = ERRNO.EHOSTUNREACH;
  for (const { family, bytes } of candidates) {
    const type = SOCK.STREAM | O.NONBLOCK | O.CLOEXEC;
    const fd = libc().socket(family, type, 0);
    if (fd < 0) throw failure(address, name, errno());
    const poll = new SocketPoll();
    error = await connectTo(fd, bytes, poll, deadline);
    if (error === 0) {
      if (family !== AF_UNIX) setTcpOptions(fd);
      return new LinuxConnectedSocket(fd, name, poll, deadline, makeStream);
    }
    closeDescriptor(fd);
    await poll.close();
  }
  throw failure(address, name, error);
}

/** Connects a socket; returns the error number, 0 for none. */
async function connectTo(
  fd: number,
  bytes: Uint8Array<ArrayBuffer>,
  poll: SocketPoll,
  deadline: number,
): Promise<number> {
  if (libc().connect(fd, bytes, bytes.byteLength) === 0) return 0;
  const error = errno();
  if (error !== ERRNO.EINPROGRESS) return error;
  const wait = new SocketWait(fd, poll);
  if (!await wait.writable(deadline)) return ERRNO.ETIMEDOUT;
  const value = new Int32Array(new ArrayBuffer(4));
  const length = new Uint32Array([4]);
  libc().getsockopt(fd, SOL_SOCKET, SO_ERROR, value, length);
  return value[0]!;
}

/** Requests leave at once, and a dead peer is noticed. */
function setTcpOptions(fd: number): void {
  const set = (level: number, option: number, value: number) =>
    libc().setsockopt(fd, level, option, new Int32Array([value]), 4);
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_S);
  set(IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_S);
  set(IPPROTO_TCP, TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS);
}

function failure(
  address: SocketAddress,
  name: string,
  error: number,
): UserError {
  const where = address.kind === "unix"
    ? address.path
    : `${address.host}, port ${address.port}`;
  return new UserError(
    `Cannot open ${name}: nothing can be reached at ${where} (${
      errnoName(error)
    }); start the server, or check where it listens`,
  );
}
