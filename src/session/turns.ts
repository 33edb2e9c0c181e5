/** Does one thing after another, in the order in which they were asked for. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Resolves once nothing is left to do, however it ended. */
  get done(): Promise<unknown> {
    return this.#last;
  }

  /** Does something when everything before it has ended; returns its result. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }
}
