/**
 * READs of missing pages that are under way: the folios that are locked until
 * they are up to date.
 *
 * @module
 */

/** A READ of consecutive pages. */
export interface PageRead {
  readonly first: number;
  readonly count: number;
  /** Resolves when it has ended. */
  readonly ended: PromiseWithResolvers<void>;
  /** Whether its pages were dropped meanwhile, so that they are read again. */
  isStale: boolean;
}

/** The READs of one file. */
export class PageReads {
  readonly #reads: Set<PageRead> = new Set();

  /** A READ begins. */
  begin(first: number, count: number): PageRead {
    const ended = Promise.withResolvers<void>();
    const read = { first, count, ended, isStale: false };
    this.#reads.add(read);
    return read;
  }

  /** A READ has ended, whether it succeeded or not. */
  end(read: PageRead): void {
    this.#reads.delete(read);
    read.ended.resolve();
  }

  /** The READ of a page; `undefined` if there is none. */
  at(index: number): PageRead | undefined {
    for (const read of this.#reads) {
      if (index >= read.first && index < read.first + read.count) return read;
    }
    return undefined;
  }

  /** The pages from `first` up to, but not including, `end` are dropped. */
  drop(first: number, end: number): void {
    //= mm/truncate.c invalidate_inode_pages2_range(): it waits for a page that
    //= is being read, and drops it then.
    for (const read of this.#reads) {
      if (read.first < end && first < read.first + read.count) {
        read.isStale = true;
      }
    }
  }
}
