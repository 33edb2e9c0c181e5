/** A queue of things that leave in the order in which they came. */
export class Fifo<T> {
  #items: T[] = [];
  #head = 0;

  /** How many things wait. */
  get length(): number {
    return this.#items.length - this.#head;
  }

  /** Appends a thing. */
  push(item: T): void {
    this.#items.push(item);
  }

  /** Puts a thing in front of all others. */
  unshift(item: T): void {
    if (this.#head > 0) this.#items[--this.#head] = item;
    else this.#items.unshift(item);
  }

  /** Takes the oldest thing, `undefined` if there is none. */
  shift(): T | undefined {
    if (this.#head === this.#items.length) return undefined;
    const item = this.#items[this.#head++];
    // What was taken goes in batches, so that taking stays cheap.
    if (this.#head >= 1024 || this.#head === this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** The oldest thing, `undefined` if there is none. */
  get first(): T | undefined {
    return this.#items[this.#head];
  }

  /** Takes one out of the middle; whether it was there. */
  remove(item: T): boolean {
    const at = this.#items.indexOf(item, this.#head);
    if (at < 0) return false;
    this.#items.splice(at, 1);
    return true;
  }

  /** Takes everything, oldest first. */
  takeAll(): T[] {
    const items = this.#items.slice(this.#head);
    this.#items = [];
    this.#head = 0;
    return items;
  }
}
