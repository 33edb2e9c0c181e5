import { futexWait, futexWake } from "./futex.ts";

/** Index of the owner: its number as a holder plus 1, 0 if none. */
const OWNER = 0;
/** Index of the word that counts wake-ups. */
const DOORBELL = 1;
/** Index of the number of threads of which a caller waits. */
const WAITERS = 2;
/** Index of a bit for each holder from which the lock was taken. */
const REVOKED = 16;
/** Bits of a word. */
const BITS = 32;

/** Looks at the owner before sleeping: it often holds the lock for less. */
const SPINS = 400;
/** Callers of one thread in a row, while one of another thread waits. */
const ROW_MAX = 32;
/** The longest time that a thread makes way for another one. */
const WAY_MS = 1;
/**
 * How long a thread sleeps at a time: if the lock is not released in that, its
 * callers wait by promises.
 */
const NAP_MS = 0.5;
/** Times that it sleeps in a row, where another thread was faster each time. */
const NAPS_MAX = 8;

/** Called when a caller has the lock. */
type Granted = (result: 0) => void;

/**
 * A lock in shared memory that one caller holds at a time. Waiting for it does
 * not block the thread, because the holder may need this thread to finish, apart
 * from a short sleep if it is mostly held for microseconds: to get it by a promise
 * takes longer than that, and then each caller finds others that wait already.
 *
 * Callers of the same thread get it in their order, without a wake-up: their
 * first one waits for other threads on behalf of all of them.
 */
export class SharedMutex {
  /** Holders that there may be. */
  static readonly HOLDERS_MAX = 512;
  /** Words of shared memory that it takes. */
  static readonly WORDS: number = REVOKED + SharedMutex.HOLDERS_MAX / BITS;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #holder: number;
  readonly #owner: number;
  readonly #isBrief: boolean;
  /** The callers of this thread that wait, in their order. */
  readonly #queue: Granted[] = [];
  /** Whether the first of them waits for other threads. */
  #isWaiting = false;
  /** How many waits for other threads have ended. */
  #waits = 0;
  /** Callers of this thread that had the lock since another thread could. */
  #row = 0;

  /**
   * Wraps the memory of a lock. A thread has one object for it.
   *
   * @param words {@linkcode SharedMutex.WORDS} words, zero when it is made.
   * @param holder The number of this thread.
   * @param isBrief Whether it is mostly held for microseconds; not if left out.
   */
  constructor(
    words: Int32Array<SharedArrayBuffer>,
    holder: number,
    isBrief: boolean = false,
  ) {
    this.#words = words;
    this.#holder = holder;
    this.#owner = holder + 1;
    this.#isBrief = isBrief;
  }

  /** Whether some caller holds it. */
  get isHeld(): boolean {
    return Atomics.load(this.#words, OWNER) !== 0;
  }

  /** Whether a caller of this thread holds it. */
  get #holds(): boolean {
    return Atomics.load(this.#words, OWNER) === this.#owner;
  }

  /** Takes the lock if it is free. */
  tryLock(): boolean {
    const words = this.#words;
    if (Atomics.compareExchange(words, OWNER, 0, this.#owner) !== 0) {
      return false;
    }
    // The order matters: who revokes sets the bit first, and then looks who is the
    // owner.
    if (!this.#isRevoked) return true;
    this.#release();
    return false;
  }

  /** Takes the lock; returns 0 at once, or a promise of it. */
  lock(): 0 | Promise<0> {
    const isFirst = this.#queue.length === 0;
    const naps = isFirst && this.#isBrief;
    const hasLock = this.#look() || (naps && this.#nap());
    if (hasLock && isFirst) return 0;
    return new Promise((granted) => {
      this.#queue.push(granted);
      if (hasLock) this.#grant();
      else if (!this.#holds) this.#waitForOthers();
    });
  }

  /** Looks at the lock for as long as another thread holds it, at most. */
  #look(): boolean {
    for (let spins = 0; spins < SPINS; spins++) {
      const owner = Atomics.load(this.#words, OWNER);
      if (owner === 0 && this.tryLock()) return true;
      // Another request of this thread has it: it goes on only afterwards.
      if (owner === this.#owner) break;
    }
    return false;
  }

  /** Sleeps until another thread releases the lock, if that is soon. */
  #nap(): boolean {
    const words = this.#words;
    let hasLock = false;
    Atomics.add(words, WAITERS, 1);
    for (let naps = 0; naps < NAPS_MAX; naps++) {
      const seen = Atomics.load(words, DOORBELL);
      if (this.#holds) break;
      hasLock = this.tryLock();
      if (hasLock || this.#isRevoked) break;
      if (Atomics.wait(words, DOORBELL, seen, NAP_MS) === "timed-out") break;
    }
    Atomics.sub(words, WAITERS, 1);
    return hasLock;
  }

  /** Releases the lock. */
  unlock(): void {
    if (this.#handOver()) return;
    this.#row = 0;
    const others = this.#release();
    if (this.#queue.length > 0) this.#waitForOthers(others);
  }

  /** Gives the lock to other threads; returns whether any waits. */
  #release(): boolean {
    const words = this.#words;
    // After a revocation it belongs to another holder.
    Atomics.compareExchange(words, OWNER, this.#owner, 0);
    // Read after the release: who is counted later sees that the lock is free.
    const others = Atomics.load(words, WAITERS) > 0;
    if (others) futexWake(words, DOORBELL);
    return others;
  }

  /** Gives the lock to the next caller of this thread, if it is its turn. */
  #handOver(): boolean {
    const words = this.#words;
    if (this.#queue.length === 0 || this.#isWaiting) return false;
    if (Atomics.load(words, OWNER) !== this.#owner) return false;
    if (this.#row >= ROW_MAX && Atomics.load(words, WAITERS) > 0) return false;
    this.#row++;
    this.#queue.shift()!(0);
    return true;
  }

  /**
   * Takes the lock from a thread that has ended. If that thread runs on for a
   * while, it cannot take the lock again, because no call would release it.
   *
   * @returns Whether it held the lock, which this thread now holds instead.
   */
  revoke(holder: number): boolean {
    const words = this.#words;
    Atomics.or(words, REVOKED + Math.floor(holder / BITS), 1 << holder % BITS);
    const owner = holder + 1;
    const before = Atomics.compareExchange(words, OWNER, owner, this.#owner);
    // It may have released the lock, and not have lived to wake who waits.
    futexWake(words, DOORBELL);
    return before === owner;
  }

  get #isRevoked(): boolean {
    const at = REVOKED + Math.floor(this.#holder / BITS);
    return (Atomics.load(this.#words, at) >>> this.#holder % BITS & 1) !== 0;
  }

  /**
   * Waits until no other thread has the lock, for the first caller that waits.
   *
   * @param makeWay Whether another thread may take it first.
   */
  async #waitForOthers(makeWay = false): Promise<void> {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    const words = this.#words;
    const wait = this.#waits;
    Atomics.add(words, WAITERS, 1);
    if (makeWay) {
      const seen = Atomics.load(words, DOORBELL);
      await futexWait(words, DOORBELL, seen, WAY_MS);
    }
    while (wait === this.#waits) {
      const seen = Atomics.load(words, DOORBELL);
      if (this.tryLock()) this.#grant();
      // Then its callers wait for good.
      else if (this.#isRevoked) break;
      else await futexWait(words, DOORBELL, seen);
    }
    Atomics.sub(words, WAITERS, 1);
  }

  /** Ends the wait for other threads: the first caller that waits has the lock. */
  #grant(): void {
    this.#isWaiting = false;
    this.#waits++;
    this.#queue.shift()!(0);
  }
}
