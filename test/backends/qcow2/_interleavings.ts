/**
 * Runs a reader between the single stores of a writer, in every order.
 *
 * The stores of the writer are recorded first: it must not depend on what the
 * reader does. They are then made again, each before one of the loads of the
 * reader, on memory as it was before. All words are accessed by Atomics, whose
 * accesses have one order in all threads, so these orders are all there are.
 *
 * @module
 */

type Store = readonly [words: Int32Array, index: number, value: number];

/** Records the stores that a function makes by Atomics. */
function storesOf(work: () => void): Store[] {
  const stores: Store[] = [];
  const { store, add, exchange, compareExchange } = Atomics;
  const note = (words: Int32Array, index: number) =>
    void stores.push([words, index, Atomics.load(words, index)]);
  const noting = <A extends [Int32Array, number, ...number[]]>(
    call: (...args: A) => number,
  ) =>
  (...args: A): number => {
    const result = call(...args);
    note(args[0], args[1]);
    return result;
  };
  Object.assign(Atomics, {
    store: noting(store as never),
    add: noting(add as never),
    exchange: noting(exchange as never),
    compareExchange: noting(compareExchange as never),
  });
  try {
    work();
  } finally {
    Object.assign(Atomics, { store, add, exchange, compareExchange });
  }
  return stores;
}

/** Runs a function, and another one before each of its loads by Atomics. */
function beforeLoads(work: () => void, before: () => void): void {
  const { load } = Atomics;
  Object.assign(Atomics, {
    load: (words: never, index: number) => {
      before();
      return load(words, index);
    },
  });
  try {
    work();
  } finally {
    Object.assign(Atomics, { load });
  }
}

/** A reader and a writer on the same memory. */
export interface Threads {
  /** The shared memory. */
  readonly memory: SharedArrayBuffer;
  /** A file, as words that both access by Atomics; none if left out. */
  readonly file?: SharedArrayBuffer;
  /** What the writer does. */
  write(): void;
  /** What the reader does, and checks; it may be called any number of times. */
  read(): void;
}

/**
 * Runs the reader against the writer in many orders: the writer's stores up to
 * one of them happen before one load, those up to another one before a second
 * load, and the rest after the end.
 *
 * @returns How many orders were tried.
 */
export function explore({ memory, file, write, read }: Threads): number {
  const all = file === undefined ? [memory] : [memory, file];
  const now = () => all.map((each) => new Uint8Array(each).slice());
  const set = (bytes: readonly Uint8Array[]) =>
    all.forEach((each, i) => new Uint8Array(each).set(bytes[i]!));
  const before = now();
  const stores = storesOf(write);
  const after = now();
  const reset = () => set(before);
  reset();
  let loads = 0;
  beforeLoads(read, () => loads++);
  let orders = 0;
  for (let first = 0; first <= loads; first++) {
    for (let second = first; second <= loads + 8; second++) {
      for (let cut = 0; cut <= stores.length; cut++) {
        reset();
        let load = 0;
        let made = 0;
        beforeLoads(read, () => {
          const upTo = load >= second ? stores.length : load >= first ? cut : 0;
          for (; made < upTo; made++) {
            const [words, index, value] = stores[made]!;
            words[index] = value;
          }
          load++;
        });
        orders++;
      }
    }
  }
  set(after);
  return orders;
}
