/**
 * Answers that a reply refuses.
 *
 * @module
 */
import { opcodeName } from "./opcodes.ts";

/**
 * Learns of calls that a reply refuses. The serve loop watches the replies that
 * it gives to handlers.
 *
 * @category Errors
 */
export interface ReplyWatcher {
  /** The request had been answered before the call. */
  late(error: ReplyError): void;
  /** Nothing caught the error. */
  uncaught(error: ReplyError): void;
}

/**
 * A call of a `Reply` that was refused: the kernel would not accept the answer,
 * or the request was answered already. If a handler throws it on, the request
 * fails with EIO.
 *
 * @category Errors
 */
export class ReplyError extends Error {
  /** The request's opcode. */
  readonly opcode: number;
  /** The request's id. */
  readonly unique: bigint;
  readonly #watcher: ReplyWatcher | null;

  /**
   * Describes a refused call.
   *
   * @param request The request.
   * @param call The call, such as `ok(5)`.
   * @param problem What is wrong with it.
   * @param watcher Learns if nothing catches the error.
   */
  constructor(
    { opcode, unique }: Pick<ReplyError, "opcode" | "unique">,
    call: string,
    problem: string,
    watcher: ReplyWatcher | null = null,
  ) {
    const name = opcodeName(opcode) ?? `opcode ${opcode}`;
    super(`Cannot answer ${name} (unique ${unique}) by ${call}: ${problem}`);
    this.name = "ReplyError";
    this.opcode = opcode;
    this.unique = unique;
    this.#watcher = watcher;
  }

  /**
   * Says that nothing has caught the error, because it was thrown in a timer for
   * instance: the request that waits for the answer fails with EIO.
   */
  uncaught(): void {
    this.#watcher?.uncaught(this);
  }
}
