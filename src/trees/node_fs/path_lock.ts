/**
 * Keeps paths valid while they are used: a rename waits for the calls that use
 * paths, and those that come after it wait for the rename.
 */
export class PathLock {
  #users = 0;
  /** Ends when the last rename that has begun or waits is done. */
  #renamed: Promise<void> = Promise.resolve();
  #isRenaming = 0;
  #whenUnused: (() => void) | null = null;

  /** Runs a call that uses paths. */
  async use<T>(call: () => Promise<T>): Promise<T> {
    while (this.#isRenaming > 0) await this.#renamed;
    this.#users++;
    try {
      return await call();
    } finally {
      if (--this.#users === 0) this.#whenUnused?.();
    }
  }

  /** Runs a call that changes paths, by itself. */
  async change<T>(call: () => Promise<T>): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = this.#renamed;
    this.#isRenaming++;
    this.#renamed = before.then(() => promise);
    try {
      await before;
      if (this.#users > 0) {
        await new Promise<void>((resolve) => this.#whenUnused = resolve);
        this.#whenUnused = null;
      }
      return await call();
    } finally {
      this.#isRenaming--;
      resolve();
    }
  }
}
