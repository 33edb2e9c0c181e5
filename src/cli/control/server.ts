import {
  listenUnix,
  type UnixListener,
} from "../../linux/socket/unix_listener.ts";
import {
  LineTooLongError,
  type UnixConnection,
} from "../../linux/socket/unix_connection.ts";
import { sentenceOf } from "../failure.ts";
import type { Output } from "../output/output.ts";
import {
  answerControl,
  type Controlled,
  type ControlReply,
} from "./protocol.ts";

/** A control socket, served on the thread that made it. */
export class ControlServer implements AsyncDisposable {
  readonly #listener: UnixListener;
  readonly #session: Controlled;
  readonly #stop: () => void;
  readonly #output: Output;
  /** Resolves when every connection has ended. */
  readonly #served: Promise<void>;

  /**
   * Starts to listen.
   *
   * @param path The path of the socket.
   * @param session The session that commands control.
   * @param stop Stops the export.
   * @param output Where errors are printed.
   * @param insecurePath Whether other users may change a part of the path.
   * @throws {SystemError} If the socket cannot be made.
   */
  constructor(
    path: string,
    session: Controlled,
    stop: () => void,
    output: Output,
    insecurePath: boolean = false,
  ) {
    this.#session = session;
    this.#stop = stop;
    this.#output = output;
    this.#listener = listenUnix(path, { insecurePath });
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
      this.#output.error(sentenceOf(error));
    }
    await Promise.all(connections);
  }

  /** Answers line after line; an error ends this connection only. */
  async #converse(connection: UnixConnection): Promise<void> {
    try {
      for (;;) {
        const reply = await this.#answerNext(connection);
        if (reply === null) break;
        await connection.write(`${JSON.stringify(reply)}\n`);
      }
    } catch {
      // The client disconnected, or does not read its replies.
    } finally {
      await connection.close();
    }
  }

  async #answerNext(connection: UnixConnection): Promise<ControlReply | null> {
    try {
      const line = await connection.readLine();
      return line === null ? null : await answerControl(line, this.#session, {
        droppedLines: this.#output.droppedLines,
        stop: () => {
          this.#output.notice("Stopping, as the control socket requested");
          this.#stop();
        },
      });
    } catch (error) {
      if (!(error instanceof LineTooLongError)) throw error;
      return { ok: false, error: error.message };
    }
  }
}
