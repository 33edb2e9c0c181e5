import type { Clock } from "./clock.ts";

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
const NEWLINE = 10;

/**
 * The events of a run, one line each: microseconds of virtual time, then words.
 *
 * | line                                | event                             |
 * | ----------------------------------- | --------------------------------- |
 * | `TIME take QUEUE ID OPCODE`         | the server has read a request     |
 * | `TIME reply QUEUE ID ERRNO LENGTH`  | the kernel has accepted a reply   |
 * | `TIME client N STEP RESULT`         | a step has ended: bytes or -errno |
 * | `TIME interrupt PID`, `TIME kill PID` | a signal was sent               |
 * | `TIME close QUEUE`                  | a queue was closed                |
 */
export class EventLog {
  /** The lines, if they are kept. */
  readonly lines: string[] = [];
  readonly #clock: Clock;
  readonly #keeps: boolean;
  #hash = FNV_OFFSET;
  #count = 0;

  /**
   * Makes an empty log.
   *
   * @param clock Gives the time of each event.
   * @param keeps Whether to keep the lines, or only their hash.
   */
  constructor(clock: Clock, keeps: boolean) {
    this.#clock = clock;
    this.#keeps = keeps;
  }

  /** Events so far. */
  get count(): number {
    return this.#count;
  }

  /** FNV-1a of all lines: equal for two runs only if the runs are equal. */
  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, "0");
  }

  /** Adds an event. */
  add(words: string): void {
    this.#count++;
    const line = `${this.#clock.now.toFixed(3)} ${words}`;
    let hash = this.#hash;
    for (let i = 0; i < line.length; i++) {
      hash = Math.imul(hash ^ line.charCodeAt(i), FNV_PRIME);
    }
    this.#hash = Math.imul(hash ^ NEWLINE, FNV_PRIME);
    if (this.#keeps) this.lines.push(line);
  }
}
