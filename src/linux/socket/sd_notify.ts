/**
 * Notifying systemd of a service's state: the protocol of sd_notify(3).
 *
 * @module
 */

import { POLL } from "../../base/file_flags.ts";
import { ERRNO } from "../../base/errno.ts";
import { closeDescriptor } from "../syscall/descriptor.ts";
import { errno, libc } from "../syscall/libc.ts";
import { waitForEvents } from "../syscall/poll.ts";
import { environmentVariable } from "../syscall/process.ts";
import { SystemError } from "../syscall/system_error.ts";
import { openSocket, SOCK } from "./socket.ts";
import { abstractAddress, pathAddress } from "./unix_address.ts";

const MSG_NOSIGNAL = 0x4000;

// The socket's queue may be full while systemd is busy.
const SEND_LIMIT_MS = 1000;

/** The state of a service. */
export interface ServiceState {
  /** Whether it has started: `READY=1`. */
  readonly ready?: boolean;
  /** Whether it has begun to stop: `STOPPING=1`. */
  readonly stopping?: boolean;
  /** What it is doing, in one line for people: `STATUS=`. */
  readonly status?: string;
}

/**
 * Sends the state of this service to the socket in `$NOTIFY_SOCKET`: a path, or
 * `@` and a name in the abstract namespace.
 *
 * @param state The state.
 * @returns False if the variable is not set.
 * @throws {SystemError} If the message cannot be sent.
 */
export function notifyService(state: ServiceState): boolean {
  const name = environmentVariable("NOTIFY_SOCKET");
  if (name === null || name === "") return false;
  // Not as a name: systemd ignores a status that is not UTF-8.
  const message = new TextEncoder().encode(messageOf(state));
  const socket = openSocket(SOCK.DGRAM);
  try {
    const address = name.startsWith("@")
      ? abstractAddress(name.slice(1))
      : pathAddress(name);
    if (libc().connect(socket, address, address.byteLength) < 0) {
      throw notifyError("connect", name);
    }
    send(socket, message, name);
    return true;
  } finally {
    closeDescriptor(socket);
  }
}

function send(
  socket: number,
  message: Uint8Array<ArrayBuffer>,
  name: string,
): void {
  const deadline = performance.now() + SEND_LIMIT_MS;
  const size = BigInt(message.byteLength);
  while (libc().send(socket, message, size, MSG_NOSIGNAL) < 0) {
    const error = errno();
    const left = deadline - performance.now();
    const passes = error === ERRNO.EAGAIN || error === ERRNO.EINTR;
    if (!passes || left <= 0) throw notifyError("send", name, error);
    waitForEvents(socket, POLL.OUT, left);
  }
}

function messageOf({ ready, stopping, status }: ServiceState): string {
  const lines: string[] = [];
  // A newline would start another assignment.
  if (status !== undefined) lines.push(`STATUS=${status.replace(/\s+/g, " ")}`);
  if (ready) lines.push("READY=1");
  if (stopping) lines.push("STOPPING=1");
  return lines.map((line) => `${line}\n`).join("");
}

function notifyError(
  call: string,
  name: string,
  error: number = errno(),
): SystemError {
  return new SystemError({
    call,
    action: `notify systemd at ${name} (NOTIFY_SOCKET)`,
    errno: error,
  });
}
