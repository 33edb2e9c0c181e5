import type { Thread } from "./thread.ts";

/** The limit on asynchronous requests in flight: `fc->max_background`. */
export class BackgroundCount {
  readonly #max: number;
  readonly #waiting: Thread[] = [];
  #count = 0;

  /** Makes a limit. */
  constructor(max: number) {
    this.#max = max;
  }

  /** Counts a request; false if the thread sleeps until it may try again. */
  add(thread: Thread): boolean {
    if (this.#count < this.#max) {
      this.#count++;
      return true;
    }
    this.#waiting.push(thread);
    thread.sleep();
    return false;
  }

  /** Notes that one has ended; returns who may try again, to be woken. */
  end(): Thread | undefined {
    this.#count--;
    return this.#waiting.shift();
  }
}
