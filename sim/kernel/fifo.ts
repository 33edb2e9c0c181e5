const CAPACITY = 16;

/** A queue of things that leave in the order in which they came. */
export class Fifo<T> {
  /** A ring; its size is a power of two. */
  #items: (T | undefined)[] = new Array(CAPACITY).fill(undefined);
  #head = 0;
  #length = 0;

  /** How many things wait. */
  get length(): number {
    return this.#length;
  }

  /** Appends a thing. */
  push(item: T): void {
    if (this.#length === this.#items.length) this.#grow();
    this.#items[this.#at(this.#length++)] = item;
  }

  /** Puts a thing in front of all others. */
  unshift(item: T): void {
    if (this.#length === this.#items.length) this.#grow();
    this.#head = this.#at(-1);
    this.#items[this.#head] = item;
    this.#length++;
  }

  /** Takes the oldest thing, `undefined` if there is none. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head = this.#at(1);
    this.#length--;
    return item;
  }

  /** The oldest thing, `undefined` if there is none. */
  get first(): T | undefined {
    return this.#items[this.#head];
  }

  /** Takes one out of the middle; whether it was there. */
  remove(item: T): boolean {
    const items = this.takeAll();
    const at = items.indexOf(item);
    if (at >= 0) items.splice(at, 1);
    for (const each of items) this.push(each);
    return at >= 0;
  }

  /** Takes everything, oldest first. */
  takeAll(): T[] {
    const items: T[] = [];
    while (this.#length > 0) items.push(this.shift()!);
    return items;
  }

  #at(index: number): number {
    return (this.#head + index) & (this.#items.length - 1);
  }

  #grow(): void {
    const items = this.takeAll();
    this.#items = new Array(2 * items.length).fill(undefined);
    this.#head = 0;
    for (const item of items) this.push(item);
  }
}
