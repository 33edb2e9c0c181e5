import type { Reply } from "../protocol/reply.ts";
import type { ExportContext } from "./export_context.ts";

/**
 * Fills a reply with what a backend answered.
 *
 * @param result A count of bytes, or a negated errno.
 * @param length Bytes that were asked for.
 */
export type Finish = (
  context: ExportContext,
  reply: Reply,
  result: number,
  length: number,
) => void;

/** Ends a transfer whichever way it went; may be nothing. */
export type Release = (context: ExportContext) => void;

/** For transfers that hold nothing. */
export function releaseNothing(): void {}

const transfers = new WeakMap<Reply, AsyncTransfer>();

/**
 * Answers once a backend has: for each slot of a queue one object, made when it
 * is first needed, so that nothing is allocated for a request.
 *
 * @param answer The backend's.
 * @returns What a handler returns; it is to be waited for once.
 */
export function finishLater(
  context: ExportContext,
  reply: Reply,
  answer: PromiseLike<number>,
  length: number,
  finish: Finish,
  release: Release,
): PromiseLike<void> {
  let transfer = transfers.get(reply);
  if (transfer === undefined) {
    transfer = new AsyncTransfer(reply);
    transfers.set(reply, transfer);
  }
  transfer.begin(context, length, finish, release);
  try {
    answer.then(transfer.fulfilled, transfer.rejected);
  } catch (error) {
    // A backend of somebody's own that answered with nothing at all.
    release(context);
    throw error;
  }
  return transfer;
}

type State = "waiting" | "done" | "failed";

class AsyncTransfer implements PromiseLike<void> {
  readonly #reply: Reply;
  #context: ExportContext | null = null;
  #length = 0;
  #finish: Finish | null = null;
  #release: Release | null = null;
  #state: State = "waiting";
  #error: unknown;
  #onDone: ((value: void) => unknown) | null = null;
  #onFailed: ((error: unknown) => unknown) | null = null;

  constructor(reply: Reply) {
    this.#reply = reply;
  }

  begin(
    context: ExportContext,
    length: number,
    finish: Finish,
    release: Release,
  ): void {
    this.#context = context;
    this.#length = length;
    this.#finish = finish;
    this.#release = release;
    this.#state = "waiting";
    this.#onDone = null;
    this.#onFailed = null;
  }

  readonly fulfilled = (result: number): void => {
    const context = this.#context!;
    this.#release!(context);
    try {
      this.#finish!(context, this.#reply, result, this.#length);
    } catch (error) {
      return this.#fail(error);
    }
    this.#state = "done";
    this.#onDone?.();
  };

  readonly rejected = (error: unknown): void => {
    this.#release!(this.#context!);
    this.#fail(error);
  };

  then<A = void, B = never>(
    onFulfilled?: ((value: void) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): PromiseLike<A | B> {
    if (this.#state === "done") onFulfilled?.();
    else if (this.#state === "failed") onRejected?.(this.#error);
    else {
      this.#onDone = onFulfilled ?? null;
      this.#onFailed = onRejected ?? null;
    }
    return SPENT;
  }

  #fail(error: unknown): void {
    this.#state = "failed";
    this.#error = error;
    this.#onFailed?.(error);
  }
}

/** What `then()` gives: nobody may wait for the same answer twice. */
const SPENT: PromiseLike<never> = {
  then() {
    throw new TypeError("Cannot wait twice for the answer to a request");
  },
};
