import type { HttpObject } from "./judge.ts";

/** Takes what a fetch brings. Runs no code of a handler. */
export interface FetchOwner {
  /** Bytes from `position` of the object on: those of a buffer. */
  bytes(
    fetch: Fetch,
    position: number,
    buffer: Uint8Array,
    start: number,
    end: number,
  ): void;
  /** All has come, or the fetch has failed. */
  ended(fetch: Fetch, failure: FetchFailure | null): void;
}

/** Why a fetch has failed. */
export interface FetchFailure {
  /** Half a sentence about the server. */
  readonly why: string;
  /** Whether the object is another one than before. */
  readonly isChanged: boolean;
}

/** A range that is fetched, by one request or several. */
export class Fetch {
  readonly from: number;
  /** The byte after the last one. */
  readonly to: number;
  readonly owner: FetchOwner;
  /** Up to where the bytes have come. */
  done: number;
  /** When it began: performance.now(). */
  readonly begun: number = performance.now();
  /** The object that the first answer told of. */
  object: HttpObject | null = null;
  /** Redirects that were followed since the last answer. */
  redirects = 0;
  /** How often a redirect was looked up anew because its target refused. */
  renewals = 0;
  /** Answers in a row that broke the protocol or ended early. */
  failures = 0;

  readonly #isAhead: boolean;

  /** Makes a fetch of the bytes from `from` up to, not with, `to`. */
  constructor(from: number, to: number, isAhead: boolean, owner: FetchOwner) {
    this.from = from;
    this.to = to;
    this.#isAhead = isAhead;
    this.owner = owner;
    this.done = from;
  }

  /** Whether no request waits for it, so that it is not tried again. */
  get isAhead(): boolean {
    return this.#isAhead;
  }
}
