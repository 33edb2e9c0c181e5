/** A map that does not keep its values: an entry is there while its value is. */
export class WeakValues<K, V extends object> {
  readonly #entries = new Map<K, WeakRef<V>>();
  readonly #registry = new FinalizationRegistry<K>((key) => {
    if (this.get(key) === undefined) this.#entries.delete(key);
  });

  /** The value of a key. */
  get(key: K): V | undefined {
    return this.#entries.get(key)?.deref();
  }

  /** Sets the value of a key. */
  set(key: K, value: V): void {
    this.#entries.set(key, new WeakRef(value));
    this.#registry.register(value, key);
  }

  /** Removes a key. */
  delete(key: K): void {
    this.#entries.delete(key);
  }
}
