/** The number of no handle. */
export const NO_HANDLE = 0;

/**
 * What open files and directories stand for, by the numbers (`fh`) that the
 * kernel has for them.
 */
export class HandleTable<T> {
  readonly #open = new Map<number, T>();
  #last = NO_HANDLE;

  /** The number of open ones. */
  get size(): number {
    return this.#open.size;
  }

  /** Gives a handle a number, which is never that of another one. */
  add(handle: T): number {
    this.#open.set(++this.#last, handle);
    return this.#last;
  }

  /** The handle of a number; `undefined` for {@linkcode NO_HANDLE}. */
  get(fh: number): T | undefined {
    return fh === NO_HANDLE ? undefined : this.#open.get(fh);
  }

  /** Takes a handle out. */
  remove(fh: number): T | undefined {
    const handle = this.get(fh);
    this.#open.delete(fh);
    return handle;
  }
}
