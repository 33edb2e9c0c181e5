const CAPACITY = 16;

/** A first-in, first-out queue. */
export class Fifo<T> {
  /** A circular buffer whose size is a power of two. */
  #items: (T | undefined)[] = new Array(CAPACITY).fill(undefined);
  #head = 0;
  #length = 0;

  /** The number of items. */
  get length(): number {
    return this.#length;
  }

  /** Appends an item. */
  push(item: T): void {
    if (this.#length === this.#items.length) this.#grow();
    this.#items[this.#at(this.#length++)] = item;
  }

  /** Inserts an item at the front. */
  unshift(item: T): void {
    if (this.#length === this.#items.length) this.#grow();
    this.#head = this.#at(-1);
    this.#items[this.#head] = item;
    this.#length++;
  }

  /** Removes the oldest item; `undefined` if there is none. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head = this.#at(1);
    this.#length--;
    return item;
  }

  /** The oldest item; `undefined` if there is none. */
  get first(): T | undefined {
    return this.#items[this.#head];
  }

  /** Removes an item anywhere; returns whether it was there. */
  remove(item: T): boolean {
    const items = this.takeAll();
    const at = items.indexOf(item);
    if (at >= 0) items.splice(at, 1);
    for (const each of items) this.push(each);
    return at >= 0;
  }

  /** Removes all items, oldest first. */
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
