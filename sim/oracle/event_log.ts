/** What happened in a run, a line for each event. */
export class EventLog {
  /** The lines, if they are kept. */
  readonly lines: string[] = [];
  readonly #keeps: boolean;
  #hash = 0x811c9dc5;
  #count = 0;

  /**
   * Makes an empty log.
   *
   * @param keeps Whether lines are kept, or only their hash.
   */
  constructor(keeps: boolean) {
    this.#keeps = keeps;
  }

  /** How many events there were. */
  get count(): number {
    return this.#count;
  }

  /** A number that two runs share only if they are the same: FNV-1a. */
  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, "0");
  }

  /** Notes an event. */
  add(line: string): void {
    this.#count++;
    let hash = this.#hash;
    for (let i = 0; i < line.length; i++) {
      hash = Math.imul(hash ^ line.charCodeAt(i), 0x01000193);
    }
    this.#hash = Math.imul(hash ^ 10, 0x01000193);
    if (this.#keeps) this.lines.push(line);
  }
}
