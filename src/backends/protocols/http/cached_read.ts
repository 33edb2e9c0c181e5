import { Completion } from "../../../event/completion.ts";
import type { CompletedOperation } from "../../../event/ring_events.ts";

/** Takes reads that have all their bytes. */
export interface ReadOwner {
  /** The read has all its bytes, or an error. */
  finished(read: CachedRead): void;
}

/** A read of bytes that are not all in the cache. */
export class CachedRead implements CompletedOperation {
  readonly position: number;
  readonly length: number;
  readonly completion: Completion<number> = Completion.start();
  /** Blocks that another thread fetches. */
  elsewhere: number[] = [];
  /** Whether the event source counts it: it waits for streams alone. */
  isCounted = false;
  /** Whether it is over. */
  isFinished = false;
  readonly #buffer: Uint8Array;
  readonly #start: number;
  readonly #owner: ReadOwner;
  /** Bytes that fetches of this thread still bring. */
  #missing = 0;
  #error = 0;
  /** Whether all its blocks were looked for. */
  #isPlaced = false;

  /** The parameters are those of `Backend.read()`. */
  constructor(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
    owner: ReadOwner,
  ) {
    this.position = position;
    this.length = length;
    this.#buffer = buffer;
    this.#start = start;
    this.#owner = owner;
  }

  /** The buffer, and where a position of the object lies in it. */
  placeOf(position: number): readonly [Uint8Array, number] {
    return [this.#buffer, this.#start + position - this.position];
  }

  /** Some bytes will come. */
  awaits(bytes: number): void {
    this.#missing += bytes;
  }

  /** Takes bytes that it awaits. */
  take(position: number, bytes: Uint8Array): void {
    // Its buffer is not on loan any more.
    if (this.isFinished) return;
    const [buffer, at] = this.placeOf(position);
    buffer.set(bytes, at);
    this.#missing -= bytes.length;
    this.check();
  }

  /** Ends with a negative errno; bytes that are on their way do not matter. */
  fail(error: number): void {
    this.#error = error;
    this.#missing = 0;
    this.elsewhere = [];
    this.check();
  }

  /** All of its blocks were looked for: what it awaits is all that it needs. */
  placed(): void {
    this.#isPlaced = true;
    this.check();
  }

  /** Ends it if nothing is missing. */
  check(): void {
    const isOver = this.#isPlaced && this.#missing <= 0 &&
      this.elsewhere.length === 0;
    if (!isOver || this.isFinished) return;
    this.isFinished = true;
    this.#owner.finished(this);
  }

  settle(): void {
    this.completion.complete(this.#error < 0 ? this.#error : this.length);
  }
}
