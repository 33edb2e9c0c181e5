/** Index of the guard: the one thread that must not enter a call. */
const GUARD = 0;
/**
 * Words from one thread's state to the next one's, and to the first: two cache
 * lines, because CPUs fetch them in pairs.
 */
const STRIDE = 32;

/** States of a thread. */
const OUTSIDE = 0;
const INSIDE = 1;
const ENDED = 2;

/**
 * Limits how many of several threads may be in a system call that may block,
 * however long it takes: all but one, so that one thread always goes on.
 *
 * That one is the guard. A thread that wants to enter as the guard first makes
 * another thread the guard, which must be outside of any call. So threads do
 * not contend for a word as long as the guard has nothing to do, or all are
 * busy; each writes to its own state alone.
 *
 * A thread that enters sets its state and then reads who the guard is. A thread
 * that changes the guard sets it and then reads the state of the new guard. So
 * at least one of the two sees what the other has done.
 */
export class BlockingCalls {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #thread: number;
  /** Index of this thread's state. */
  readonly #own: number;

  /**
   * Wraps the memory for one thread.
   *
   * @param words What {@linkcode BlockingCalls.create} made.
   * @param thread The number of the thread, from 0.
   */
  constructor(words: Int32Array<SharedArrayBuffer>, thread: number) {
    this.#words = words;
    this.#thread = thread;
    this.#own = stateOf(thread);
  }

  /** Makes the memory, for a number of threads. */
  static create(threads: number): Int32Array<SharedArrayBuffer> {
    const bytes = stateOf(threads) * Int32Array.BYTES_PER_ELEMENT;
    return new Int32Array(new SharedArrayBuffer(bytes));
  }

  /** Whether there is no other thread. */
  get isAlone(): boolean {
    return this.#words.length === stateOf(1);
  }

  /**
   * Enters a call, unless this thread is the guard and has to remain it.
   *
   * @param rarely Whether it waits so rarely that a thread without others may
   * enter it; no if left out.
   */
  tryEnter(rarely: boolean = false): boolean {
    const words = this.#words;
    if (this.isAlone) return rarely;
    Atomics.store(words, this.#own, INSIDE);
    if (Atomics.load(words, GUARD) !== this.#thread) return true;
    Atomics.store(words, this.#own, OUTSIDE);
    if (!passOn(words, this.#thread)) return false;
    Atomics.store(words, this.#own, INSIDE);
    // Another thread may have passed it back.
    if (Atomics.load(words, GUARD) !== this.#thread) return true;
    Atomics.store(words, this.#own, OUTSIDE);
    return false;
  }

  /** Leaves a call. */
  leave(): void {
    Atomics.store(this.#words, this.#own, OUTSIDE);
  }

  /** Notes that this thread has ended; called by another one. */
  ended(): void {
    const words = this.#words;
    Atomics.store(words, this.#own, ENDED);
    if (Atomics.load(words, GUARD) !== this.#thread) return;
    if (passOn(words, this.#thread)) return;
    // All others are in calls; one of them is the guard when it returns.
    for (let other = 0; stateOf(other) < words.length; other++) {
      if (Atomics.load(words, stateOf(other)) === ENDED) continue;
      Atomics.compareExchange(words, GUARD, this.#thread, other);
      return;
    }
  }
}

/** Index of a thread's state. */
function stateOf(thread: number): number {
  return STRIDE * (1 + thread);
}

/**
 * Makes another thread the guard, if one is outside of any call.
 *
 * @param guard The guard, which is outside itself.
 * @returns Whether another thread is the guard now.
 */
function passOn(
  words: Int32Array<SharedArrayBuffer>,
  guard: number,
): boolean {
  for (let other = 0; stateOf(other) < words.length; other++) {
    const state = stateOf(other);
    if (other === guard || Atomics.load(words, state) !== OUTSIDE) continue;
    if (Atomics.compareExchange(words, GUARD, guard, other) !== guard) {
      return false;
    }
    if (Atomics.load(words, state) === OUTSIDE) return true;
    // The other thread has entered a call before it saw that it is the guard.
    // If it is no longer the guard, it has passed that on to a third thread.
    if (Atomics.compareExchange(words, GUARD, other, guard) !== other) {
      return true;
    }
  }
  return false;
}
