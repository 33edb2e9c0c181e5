/**
 * A wall clock that is set back again and again, as one process sees it, by
 * faketime(1). The monotonic clock goes on.
 *
 * @module
 */
import type { ProcessOptions } from "./_export_process.ts";

const SET_EVERY_MS = 20;
const HOUR_S = 3600;

/** Sets the clock of processes back by an hour, 50 times a second. */
export class ClockBack implements Disposable {
  /** Starts a process under this clock. */
  readonly options: ProcessOptions;
  /** The file whose time of change is the clock. */
  readonly #path: string;
  readonly #timer: ReturnType<typeof setInterval>;
  #seconds: number = Date.now() / 1000;

  /**
   * Begins to set a clock.
   *
   * @param directory Where its file is.
   */
  constructor(directory: string) {
    this.#path = `${directory}/clock`;
    Deno.writeTextFileSync(this.#path, "");
    this.options = {
      wrapper: ["faketime", "-m", "--exclude-monotonic", "-f", "%"],
      env: { FAKETIME_FOLLOW_FILE: this.#path, FAKETIME_NO_CACHE: "1" },
    };
    this.#setBack();
    this.#timer = setInterval(() => this.#setBack(), SET_EVERY_MS);
  }

  #setBack(): void {
    this.#seconds -= HOUR_S;
    Deno.utimeSync(this.#path, this.#seconds, this.#seconds);
  }

  /** Stops setting it. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
