import { Fifo } from "../kernel/fifo.ts";

interface Sleeper {
  readonly exclusive: boolean;
  readonly wake: () => void;
}

/** A lock that many may share or one has alone; `inode->i_rwsem`. */
export class InodeLock {
  /** How many share it; -1 while one has it alone. */
  #holders = 0;
  readonly #sleepers: Fifo<Sleeper> = new Fifo();

  /**
   * Takes the lock, in the order in which it is asked for.
   *
   * @param exclusive Whether to have it alone.
   * @returns `undefined` if it is free at once.
   */
  take(exclusive: boolean): Promise<void> | undefined {
    if (this.#sleepers.length === 0 && this.#grant(exclusive)) return undefined;
    return new Promise((wake) => this.#sleepers.push({ exclusive, wake }));
  }

  /** Gives it back. */
  give(): void {
    this.#holders = this.#holders < 0 ? 0 : this.#holders - 1;
    for (;;) {
      const sleeper = this.#sleepers.shift();
      if (sleeper === undefined) return;
      if (!this.#grant(sleeper.exclusive)) {
        this.#sleepers.unshift(sleeper);
        return;
      }
      sleeper.wake();
    }
  }

  #grant(exclusive: boolean): boolean {
    if (exclusive ? this.#holders !== 0 : this.#holders < 0) return false;
    this.#holders = exclusive ? -1 : this.#holders + 1;
    return true;
  }
}
