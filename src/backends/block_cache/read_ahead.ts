/**
 * Notices programs that read one block after another, whichever threads serve
 * them, and says what to fetch before they ask for it.
 *
 * @module
 */

/** Sequences that are followed at once. */
const STREAMS = 8;
/** Blocks of the first window. */
const FIRST_WINDOW = 8;
const LOCK_LOOKS = 1000;

const CONTROL = { LOCK: 0, CLOCK: 1, WORDS: 2 } as const;

/** Words of a sequence. */
const STREAM = {
  /** The block that follows what was read. */
  NEXT: 0,
  /** The block that follows what was asked for ahead. */
  AHEAD: 1,
  /** How many blocks to stay ahead; 0 before a second read. */
  WINDOW: 2,
  /** When it was used last. */
  STAMP: 3,
  WORDS: 4,
} as const;

/** Blocks to fetch ahead: from `from` up to, not with, `to`. */
export interface Ahead {
  readonly from: number;
  readonly to: number;
}

/** What programs read, as one thread sees it. */
export class ReadAhead {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #owner: number;
  readonly #most: number;

  /** Makes the memory. */
  static create(): SharedArrayBuffer {
    return new SharedArrayBuffer(4 * (CONTROL.WORDS + STREAMS * STREAM.WORDS));
  }

  /**
   * Wraps the memory.
   *
   * @param owner The number of this thread, from 1 on.
   * @param most Blocks to be ahead at most.
   */
  constructor(memory: SharedArrayBuffer, owner: number, most: number) {
    this.#words = new Int32Array(memory);
    this.#owner = owner;
    this.#most = most;
  }

  /**
   * Notes that blocks were read.
   *
   * @param first The first of them.
   * @param last The last of them.
   * @returns What to fetch ahead; `null` if nothing.
   */
  read(first: number, last: number): Ahead | null {
    const words = this.#words;
    if (this.#most < FIRST_WINDOW || !this.#lock()) return null;
    try {
      const at = this.#streamFor(first, last + 1);
      const now = Atomics.add(words, CONTROL.CLOCK, 1);
      Atomics.store(words, at + STREAM.STAMP, now);
      return this.#advance(at, first, last + 1);
    } finally {
      Atomics.store(words, CONTROL.LOCK, 0);
    }
  }

  /** Releases what a thread has locked that has ended. */
  threadEnded(owner: number): void {
    Atomics.compareExchange(this.#words, CONTROL.LOCK, owner, 0);
  }

  #advance(at: number, first: number, next: number): Ahead | null {
    const words = this.#words;
    const window = words[at + STREAM.WINDOW]!;
    const before = words[at + STREAM.NEXT]!;
    if (next > before) words[at + STREAM.NEXT] = next;
    // A second read of the same block begins no sequence.
    if (window === 0 && next <= before) return null;
    if (window === 0) {
      words[at + STREAM.AHEAD] = next;
      const wanted = Math.max(FIRST_WINDOW, 2 * (next - first));
      words[at + STREAM.WINDOW] = Math.min(this.#most, wanted);
    } else if (words[at + STREAM.AHEAD]! - next >= window / 2) return null;
    else words[at + STREAM.WINDOW] = Math.min(this.#most, 2 * window);
    const from = Math.max(next, words[at + STREAM.AHEAD]!);
    const to = next + words[at + STREAM.WINDOW]!;
    if (from >= to) return null;
    words[at + STREAM.AHEAD] = to;
    return { from, to };
  }

  /** The sequence that a read goes on with, or the oldest one for a new one. */
  #streamFor(first: number, end: number): number {
    const words = this.#words;
    let oldest: number = CONTROL.WORDS;
    for (let stream = 0; stream < STREAMS; stream++) {
      const at = CONTROL.WORDS + stream * STREAM.WORDS;
      const next = words[at + STREAM.NEXT]!;
      const window = words[at + STREAM.WINDOW]!;
      // Several threads serve a program, so reads come a little out of order.
      const least = next - Math.max(1, window);
      const most = window === 0 ? next : words[at + STREAM.AHEAD]!;
      if (next > 0 && first >= least && first <= most) return at;
      const age = words[at + STREAM.STAMP]! - words[oldest + STREAM.STAMP]!;
      if ((age | 0) < 0) oldest = at;
    }
    // It becomes a sequence with the next read that follows.
    words[oldest + STREAM.NEXT] = end;
    words[oldest + STREAM.AHEAD] = end;
    words[oldest + STREAM.WINDOW] = 0;
    return oldest;
  }

  #lock(): boolean {
    for (let looks = 0; looks < LOCK_LOOKS; looks++) {
      const before = Atomics.compareExchange(
        this.#words,
        CONTROL.LOCK,
        0,
        this.#owner,
      );
      if (before === 0) return true;
    }
    return false;
  }
}
