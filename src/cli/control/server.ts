import {
  listenUnix,
  type UnixListener,
} from "../../linux/socket/unix_listener.ts";
import {
  LineTooLongError,
  type UnixConnection,
} from "../../linux/socket/unix_connection.ts";
import { MS_PER_S } from "../../base/timespec.ts";
import { ERRNO } from "../../base/errno.ts";
import { SystemError } from "../../linux/syscall/system_error.ts";
import { sentenceOf } from "../failure.ts";
import type { Output } from "../output/output.ts";
import type { Controlled } from "./controlled.ts";
import { answerControl, type ControlReply } from "./protocol.ts";

/** Bytes that a command may have. */
const COMMAND_BYTES = 4096;
/** How long a client may take for a command. */
const COMMAND_LIMIT_MS = 60_000;
/** How long it may take to read a reply. */
const REPLY_LIMIT_MS = 5000;
/** How many clients are served at a time. */
const MAX_CLIENTS = 64;

/** The options of {@linkcode listenControl}. */
export interface ControlServerOptions {
  /** How long a client may take for a command; 60000 ms by default. */
  readonly commandLimitMs?: number;
  /** How many clients are served at a time; 64 by default. */
  readonly maxClients?: number;
  /** Whether other users may change a part of the path; no by default. */
  readonly insecurePath?: boolean | undefined;
}

/**
 * Makes a control socket. Clients that connect wait until a
 * {@linkcode ControlServer} serves it.
 *
 * @param path The path of the socket.
 * @param options More.
 * @throws {SystemError} If the socket cannot be made.
 */
export function listenControl(
  path: string,
  options: ControlServerOptions = {},
): UnixListener {
  return listenUnix(path, {
    longestLine: COMMAND_BYTES,
    readLimitMs: options.commandLimitMs ?? COMMAND_LIMIT_MS,
    writeLimitMs: REPLY_LIMIT_MS,
    maxConnections: options.maxClients ?? MAX_CLIENTS,
    insecurePath: options.insecurePath ?? false,
  });
}

/** The program that a {@linkcode ControlServer} is a part of. */
export interface ControlledService {
  /** Its version. */
  readonly version: string;
  /** Where errors are printed. */
  readonly output: Output;
  /** Stops the export. */
  stop(): void;
}

/** A control socket, served on the thread that made it. */
export class ControlServer implements AsyncDisposable {
  readonly #listener: UnixListener;
  readonly #session: Controlled;
  readonly #service: ControlledService;
  readonly #start = performance.now();
  /** Resolves when every connection has ended. */
  readonly #served: Promise<void>;

  /**
   * Serves the clients of a socket.
   *
   * @param listener The socket, which it closes.
   * @param session The session that commands control, just mounted.
   * @param service The program around it.
   */
  constructor(
    listener: UnixListener,
    session: Controlled,
    service: ControlledService,
  ) {
    this.#listener = listener;
    this.#session = session;
    this.#service = service;
    this.#served = this.#serve();
  }

  /** Removes the socket and ends every connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener.close();
    await this.#served;
  }

  async #serve(): Promise<void> {
    const connections = new Set<Promise<void>>();
    try {
      let connection: UnixConnection | null;
      while ((connection = await this.#listener.accept()) !== null) {
        const served = this.#converse(connection);
        connections.add(served);
        served.finally(() => connections.delete(served));
      }
    } catch (error) {
      this.#service.output.error(sentenceOf(error));
    }
    await Promise.all(connections);
  }

  /** Answers line after line; an error ends this connection only. */
  async #converse(connection: UnixConnection): Promise<void> {
    try {
      for (;;) {
        const answer = await this.#answerNext(connection);
        if (answer === null) break;
        await connection.write(`${JSON.stringify(answer.reply)}\n`);
        if (answer.isLast) break;
        // A client that sends without a pause must not stop timers and signals.
        await new Promise((resolve) => setImmediate(resolve));
      }
    } catch {
      // The client disconnected, or does not read its replies.
    } finally {
      await connection.close();
    }
  }

  async #answerNext(connection: UnixConnection): Promise<Answer | null> {
    try {
      const line = await connection.readLine();
      if (line === null) return null;
      return { reply: await this.#answer(line), isLast: false };
    } catch (error) {
      if (error instanceof LineTooLongError) return refusal(error.message);
      if (!isTimeout(error)) throw error;
      const text =
        "Cannot wait longer for a command: no whole line came in time; connect again, and end the line";
      return { ...refusal(text), isLast: true };
    }
  }

  #answer(line: string): Promise<ControlReply> {
    const { version, output, stop } = this.#service;
    return answerControl(line, this.#session, {
      version,
      uptimeSeconds: (performance.now() - this.#start) / MS_PER_S,
      droppedLines: output.droppedLines,
      stop: () => {
        output.notice("Stopping, as the control socket requested");
        stop();
      },
    });
  }
}

interface Answer {
  readonly reply: ControlReply;
  /** Whether the connection ends with it. */
  readonly isLast: boolean;
}

function refusal(error: string): Answer {
  return { reply: { ok: false, error }, isLast: false };
}

function isTimeout(error: unknown): boolean {
  return error instanceof SystemError && error.errno === ERRNO.ETIMEDOUT;
}
