/**
 * The other end of the control socket: sends one command, and trusts nothing that
 * comes back.
 *
 * @module
 */
import { ERRNO } from "../../base/errno.ts";
import { UserError } from "../../base/user_error.ts";
import {
  connectUnix,
  LineTooLongError,
  type UnixConnection,
} from "../../linux/socket/unix_connection.ts";
import { SystemError } from "../../linux/syscall/system_error.ts";
import { MS_PER_S } from "../../base/timespec.ts";
import type { ControlRequest } from "./protocol.ts";
import { type CheckedReply, checkReply } from "./reply.ts";

/** Bytes that a reply may have: the metrics of 64 queues have less. */
const REPLY_BYTES = 4 << 20;
const RETRY_MS = 50;

/** A reply, and the line that it was. */
export interface Received {
  /** The reply. */
  readonly reply: CheckedReply;
  /** The line of JSON, without its newline. */
  readonly line: string;
}

/**
 * Sends a command to an export, and waits for the reply.
 *
 * @param path The control socket.
 * @param request The command.
 * @param seconds How long all of that may take.
 * @returns The reply; `null` if the export ended before it replied to `stop`.
 * @throws {UserError} If no program listens there, if what listens is not an
 * export, if it refuses the command, or if it does not reply in time.
 */
export async function sendControl(
  path: string,
  request: ControlRequest,
  seconds: number,
): Promise<Received | null> {
  const deadline = performance.now() + seconds * MS_PER_S;
  try {
    await using connection = await connect(path, deadline);
    await connection.write(`${JSON.stringify(request)}\n`);
    const line = await connection.readLine();
    if (line !== null) return received(path, line, request);
  } catch (cause) {
    throw describe(cause, path, seconds);
  }
  if (request.command === "stop") return null;
  throw new UserError(
    `Cannot read the reply from ${path}: the connection ended before it came; check whether the export is still running`,
  );
}

/** Connects; tries again while too many clients wait to be accepted. */
async function connect(
  path: string,
  deadline: number,
): Promise<UnixConnection> {
  for (;;) {
    const left = Math.max(deadline - performance.now(), 0);
    try {
      return connectUnix(path, {
        longestLine: REPLY_BYTES,
        readLimitMs: left,
        writeLimitMs: left,
      });
    } catch (error) {
      const isTemporary = error instanceof SystemError &&
        error.errno === ERRNO.EAGAIN && left > RETRY_MS;
      if (!isTemporary) throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

function received(
  path: string,
  line: string,
  { command }: ControlRequest,
): Received {
  const reply = checkReply(line, command);
  if (reply === null) {
    throw notAnExport(path, "it is not the reply of an export");
  }
  if ("error" in reply) throw new UserError(reply.error);
  return { reply, line };
}

function describe(error: unknown, path: string, seconds: number): unknown {
  if (error instanceof LineTooLongError) {
    return notAnExport(path, `it has more than ${REPLY_BYTES} bytes`);
  }
  if (!(error instanceof SystemError)) return error;
  switch (error.errno) {
    case ERRNO.ETIMEDOUT:
      return new UserError(
        `Cannot read the reply from ${path}: none came within ${seconds} s, and the command may still be carried out; check whether the export hangs, or wait longer with --timeout`,
        { cause: error },
      );
    case ERRNO.EPIPE:
    case ERRNO.ECONNRESET:
      return notAnExport(path, "the connection was closed before the command");
    default:
      return error;
  }
}

function notAnExport(path: string, why: string): UserError {
  return new UserError(
    `Cannot read the reply from ${path}: ${why}; name the socket that 'export --control' made`,
  );
}
