import { andThen, isLater } from "./answer.ts";
import type { Caller, Dirent, Entries, May } from "./file_system.ts";

/** Positions 0 and 1 are those of `.` and `..`. */
export const DOTS = [".", ".."] as const;

/**
 * One open directory. Its entries are read once, as far as a program wants them,
 * and kept while it is open: so positions (cookies) stay valid while names are
 * added and removed. After a rewinddir(3) they are read anew.
 */
export class DirectoryStream<N> {
  readonly #open: (caller: Caller) => May<Entries<N>>;
  readonly #items: Dirent<N>[] = [];
  /** Their names: one that is replaced meanwhile may come again. */
  readonly #names = new Set<string>();
  #iterator: Iterator<Dirent<N>> | AsyncIterator<Dirent<N>> | null = null;
  #isAtEnd = false;
  /** Whether the listing was begun by an earlier request. */
  isStale = false;

  /**
   * Opens a directory.
   *
   * @param open Begins to read the entries.
   */
  constructor(open: (caller: Caller) => May<Entries<N>>) {
    this.#open = open;
  }

  /** Begins a request that reads from a position. */
  start(position: number): May<void> {
    this.isStale = position > 0 && this.#iterator !== null;
    // `.` fits into every reply, so a program that reads on is not here again.
    if (position > 0) return;
    return andThen(this.close(), () => {
      this.#items.length = 0;
      this.#names.clear();
      this.#isAtEnd = false;
    });
  }

  /** The entry with an index, less the dots; `null` beyond the last one. */
  item(index: number, caller: Caller): May<Dirent<N> | null> {
    const known = this.#items[index];
    if (known !== undefined) return known;
    if (this.#isAtEnd) return null;
    if (this.#iterator !== null) {
      return this.#next(this.#iterator, index, caller);
    }
    return andThen(this.#open(caller), (entries) => {
      this.#iterator = iterate(entries);
      return this.#next(this.#iterator, index, caller);
    });
  }

  /** Ends the listing: the iterator of the file system is told. */
  close(): May<void> {
    const iterator = this.#iterator;
    this.#iterator = null;
    if (this.#isAtEnd) return;
    return andThen(iterator?.return?.() as May<unknown>, () => {});
  }

  #next(
    iterator: Iterator<Dirent<N>> | AsyncIterator<Dirent<N>>,
    index: number,
    caller: Caller,
  ): May<Dirent<N> | null> {
    for (;;) {
      const result = iterator.next();
      if (isLater(result)) {
        return result.then((result) => this.#take(result, index, caller));
      }
      if (this.#add(result)) return null;
      const item = this.#items[index];
      if (item !== undefined) return item;
    }
  }

  /** Takes what came later, and goes on if that was not far enough. */
  #take(
    result: IteratorResult<Dirent<N>>,
    index: number,
    caller: Caller,
  ): May<Dirent<N> | null> {
    return this.#add(result) ? null : this.item(index, caller);
  }

  /** Keeps the next entry; returns whether there is none. */
  #add(result: IteratorResult<Dirent<N>>): boolean {
    if (result.done) {
      this.#isAtEnd = true;
    } else if (!this.#names.has(result.value[0])) {
      this.#names.add(result.value[0]);
      this.#items.push(result.value);
    }
    return this.#isAtEnd;
  }
}

function iterate<N>(
  entries: Entries<N>,
): Iterator<Dirent<N>> | AsyncIterator<Dirent<N>> {
  return Symbol.asyncIterator in entries
    ? entries[Symbol.asyncIterator]()
    : entries[Symbol.iterator]();
}
