import { futexWait, futexWake } from "../../../../shared_memory/futex.ts";

/** Index of the word that counts wake-ups. */
const DOORBELL = 0;
/** Index of the number of claims up to the last one. */
const END = 1;
/** Index of the number of callers that wait. */
const WAITERS = 2;
const FIRST = 4;
const CLAIMS = 512;
/** Words of a claim: its owner plus 1 or 0, a slice, the first entry, a count. */
const CLAIM_WORDS = 4;

/** What `Claims.add()` returns if there is no room. */
export const NO_CLAIM = -1;

/**
 * Clusters of the disk whose L2 entries are being changed by a request that is
 * in the middle of its data I/O: everything else that would change them waits.
 * Only the owner of the metadata lock looks at claims and makes them.
 */
export class Claims {
  /** Words of shared memory that they take. */
  static readonly WORDS: number = FIRST + CLAIMS * CLAIM_WORDS;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #owner: number;

  /** Wraps the memory, in the thread of a number. */
  constructor(words: Int32Array<SharedArrayBuffer>, thread: number) {
    this.#words = words;
    this.#owner = thread + 1;
  }

  /** The state to hand to {@linkcode Claims.changed}. */
  get seen(): number {
    return Atomics.load(this.#words, DOORBELL);
  }

  /** How many of some entries of a slice are free, from the first one on. */
  freeFrom(slice: number, first: number, count: number): number {
    const words = this.#words;
    const end = Atomics.load(words, END);
    let free = count;
    for (let claim = 0; claim < end; claim++) {
      const at = FIRST + claim * CLAIM_WORDS;
      if (Atomics.load(words, at) === 0) continue;
      if (Atomics.load(words, at + 1) !== (slice | 0)) continue;
      const from = Atomics.load(words, at + 2);
      if (from + Atomics.load(words, at + 3) <= first) continue;
      free = Math.min(free, Math.max(0, from - first));
    }
    return free;
  }

  /** Claims entries; returns the claim, or {@linkcode NO_CLAIM}. */
  add(slice: number, first: number, count: number): number {
    const words = this.#words;
    for (let claim = 0; claim < CLAIMS; claim++) {
      const at = FIRST + claim * CLAIM_WORDS;
      if (Atomics.load(words, at) !== 0) continue;
      Atomics.store(words, at + 1, slice | 0);
      Atomics.store(words, at + 2, first);
      Atomics.store(words, at + 3, count);
      Atomics.store(words, at, this.#owner);
      if (claim >= Atomics.load(words, END)) {
        Atomics.store(words, END, claim + 1);
      }
      return claim;
    }
    return NO_CLAIM;
  }

  /** Gives a claim up. */
  remove(claim: number): void {
    const words = this.#words;
    Atomics.store(words, FIRST + claim * CLAIM_WORDS, 0);
    this.#shrink();
    this.wake();
  }

  /**
   * Gives up the claims of a thread that has ended. The clusters that it was
   * writing to stay in use, because its I/O may still be under way.
   */
  removeAll(thread: number): void {
    for (let claim = 0; claim < CLAIMS; claim++) {
      const at = FIRST + claim * CLAIM_WORDS;
      Atomics.compareExchange(this.#words, at, thread + 1, 0);
    }
    this.#shrink();
    this.wake();
  }

  /** Whether a thread has claims. */
  isOwner(thread: number): boolean {
    for (let claim = 0; claim < CLAIMS; claim++) {
      const at = FIRST + claim * CLAIM_WORDS;
      if (Atomics.load(this.#words, at) === thread + 1) return true;
    }
    return false;
  }

  /** Resolves to 0 once claims have changed since they were seen. */
  async changed(seen: number): Promise<number> {
    const words = this.#words;
    Atomics.add(words, WAITERS, 1);
    try {
      await futexWait(words, DOORBELL, seen);
    } finally {
      Atomics.sub(words, WAITERS, 1);
    }
    return 0;
  }

  #shrink(): void {
    const words = this.#words;
    let end = Atomics.load(words, END);
    while (end > 0) {
      const last = FIRST + (end - 1) * CLAIM_WORDS;
      if (Atomics.load(words, last) !== 0) break;
      end--;
    }
    Atomics.store(words, END, end);
  }

  /** Wakes all that wait, to look again. */
  wake(): void {
    const words = this.#words;
    if (Atomics.load(words, WAITERS) > 0) futexWake(words, DOORBELL);
    else Atomics.add(words, DOORBELL, 1);
  }
}
