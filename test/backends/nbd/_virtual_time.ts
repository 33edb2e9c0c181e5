/** Microtasks after which time may pass. */
const TICKS = 100;
/** Microtasks after which nothing goes on by itself. */
const TICKS_MAX = 200_000;

interface Timer {
  readonly at: number;
  readonly id: number;
  readonly run: () => void;
}

/**
 * Time that passes only when nothing else happens. While it is installed,
 * `setTimeout()` and `performance.now()` go by it, so that waits take no time.
 */
export class VirtualTime implements Disposable {
  now = 0;
  readonly #timers: Timer[] = [];
  #next = 1;
  readonly #real = {
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
    now: performance.now,
  };

  constructor() {
    const start = (run: () => void, ms = 0) => {
      const id = this.#next++;
      this.#timers.push({ at: this.now + Math.max(0, ms), id, run });
      return id;
    };
    const clear = (id?: number) => {
      const at = this.#timers.findIndex((timer) => timer.id === id);
      if (at >= 0) this.#timers.splice(at, 1);
    };
    Object.assign(globalThis, { setTimeout: start, clearTimeout: clear });
    performance.now = () => this.now;
  }

  /**
   * Lets time pass until a promise is settled.
   *
   * @param limitMs The longest time.
   * @returns Whether it was in time.
   */
  async until(promise: Promise<unknown>, limitMs: number): Promise<boolean> {
    let isSettled = false;
    const settled = () => void (isSettled = true);
    promise.then(settled, settled);
    const deadline = this.now + limitMs;
    for (;;) {
      const ticks = this.#timers.length > 0 ? TICKS : TICKS_MAX;
      for (let i = 0; i < ticks && !isSettled; i++) await null;
      if (isSettled) return true;
      const timer = this.#takeNext();
      if (timer === null || timer.at > deadline) {
        if (timer !== null) this.#timers.push(timer);
        this.now = deadline;
        return false;
      }
      this.now = Math.max(this.now, timer.at);
      timer.run();
    }
  }

  [Symbol.dispose](): void {
    const { setTimeout, clearTimeout, now } = this.#real;
    Object.assign(globalThis, { setTimeout, clearTimeout });
    performance.now = now;
  }

  #takeNext(): Timer | null {
    let best = -1;
    this.#timers.forEach(({ at, id }, i) => {
      const other = this.#timers[best];
      const isEarlier = other === undefined || at < other.at ||
        (at === other.at && id < other.id);
      if (isEarlier) best = i;
    });
    return best < 0 ? null : this.#timers.splice(best, 1)[0]!;
  }
}
