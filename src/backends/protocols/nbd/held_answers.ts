/** How long an answer is held back, in milliseconds. */
const SETTLE_MS = 2000;

/**
 * Answers to changes that were sent twice, because their first connection was
 * lost. The server may still have the first one, and carry it out after it has
 * answered the second. That is no harm until the same place is changed again:
 * then what is older would replace what is newer. Who waits for an answer before
 * it changes a place again is kept from that by a longer wait, in which a server
 * that works, as its answer has shown, carries out what it still had.
 */
export class HeldAnswers {
  readonly #timers = new Map<() => void, ReturnType<typeof setTimeout>>();

  /** Gives an answer that has come, once the server has had its time. */
  hold(give: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(give);
      give();
    }, SETTLE_MS);
    this.#timers.set(give, timer);
  }

  /** Gives all answers now. */
  end(): void {
    for (const [give, timer] of this.#timers) {
      clearTimeout(timer);
      give();
    }
    this.#timers.clear();
  }
}
