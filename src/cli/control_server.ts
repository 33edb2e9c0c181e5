import {
  listenUnix,
  type UnixListener,
} from "../linux/socket/unix_listener.ts";
import {
  LineTooLongError,
  type UnixConnection,
} from "../linux/socket/unix_connection.ts";
import {
  answerControl,
  type Controlled,
  type ControlReply,
} from "./control.ts";
import { sentenceOf } from "./failure.ts";
import type { Output } from "./output.ts";

/** A control socket, served from the thread that made it. */
export class ControlServer implements AsyncDisposable {
  readonly #listener: UnixListener;
  readonly #session: Controlled;
  readonly #stop: () => void;
  readonly #output: Output;
  /** Resolves when nobody is served any more. */
  readonly #served: Promise<void>;

  /**
   * Listens.
   *
   * @param path Where.
   * @param session What is controlled.
   * @param stop Stops the export.
   * @param output Where to tell of what goes wrong.
   * @throws {SystemError} If that cannot be.
   */
  constructor(
    path: string,
    session: Controlled,
    stop: () => void,
    output: Output,
  ) {
    this.#session = session;
    this.#stop = stop;
    this.#output = output;
    this.#listener = listenUnix(path);
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

  /** Answers line after line; whatever the other end does ends only this. */
  async #converse(connection: UnixConnection): Promise<void> {
    try {
      for (;;) {
        const reply = await this.#answerNext(connection);
        if (reply === null) break;
        await connection.write(`${JSON.stringify(reply)}\n`);
      }
    } catch {
      // The other end went away, or does not read what it asked for.
    } finally {
      await connection.close();
    }
  }

  async #answerNext(connection: UnixConnection): Promise<ControlReply | null> {
    try {
      const line = await connection.readLine();
      return line === null
        ? null
        : await answerControl(line, this.#session, () => {
          this.#output.notice("Stopping as the control socket was told");
          this.#stop();
        });
    } catch (error) {
      if (!(error instanceof LineTooLongError)) throw error;
      return { ok: false, error: error.message };
    }
  }
}
