/**
 * Decompressed blocks in memory that all threads share, so that each is
 * decompressed once for all of them.
 *
 * A slot counts its readers; one that is filled has none. A thread that ends in
 * the middle of a copy leaves its slot unused for good, and harms nothing else.
 *
 * @module
 */
import { ClockHand } from "../../shared_memory/clock_hand.ts";

/** Slots that a block can be in. */
const WAYS = 8;

/** Words of a slot. */
const SLOT_WORDS = 8;
const SLOT = {
  /** How many read it; -1 while it is filled. */
  READERS: 0,
  /** The file of the block plus 1; 0 if the slot is empty. */
  FILE: 1,
  /** Where its stream is in the file: the lower and the upper 32 bits. */
  HOST_LOW: 4,
  HOST_HIGH: 5,
  /** Bytes of the block. */
  LENGTH: 2,
  /** Not 0 if it was used since the clock hand passed it. */
  USED: 3,
} as const;

/** Words before the slots: how many sets there are, and a hand for each. */
const CONTROL_WORDS = 1;

/** Tries to become a reader before giving up: others only count too. */
const TRIES = 100;

/** A cache of decompressed blocks, as one thread sees it. */
export class StreamCache {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #bytes: Uint8Array<SharedArrayBuffer>;
  readonly #blockSize: number;
  readonly #sets: number;
  /** The first word of the slots. */
  readonly #slots: number;
  readonly #clock: ClockHand;

  /**
   * Makes the memory of a cache.
   *
   * @param bytes How much it may take.
   * @param blocks How many blocks there are: it does not take more.
   * @param blockSize Bytes of the largest block.
   * @returns `null` if not even a few blocks fit.
   */
  static create(
    bytes: number,
    blocks: number,
    blockSize: number,
  ): SharedArrayBuffer | null {
    const setBytes = 4 + WAYS * (4 * SLOT_WORDS + blockSize);
    const wanted = Math.ceil(blocks / WAYS);
    const sets = Math.min(Math.floor(bytes / setBytes), wanted);
    if (sets < 1) return null;
    const memory = new SharedArrayBuffer(4 * CONTROL_WORDS + sets * setBytes);
    new Int32Array(memory)[0] = sets;
    return memory;
  }

  /**
   * Wraps the memory of a cache.
   *
   * @param memory Of {@linkcode StreamCache.create}.
   * @param blockSize As there.
   */
  constructor(memory: SharedArrayBuffer, blockSize: number) {
    const sets = new Int32Array(memory, 0, 1)[0]!;
    this.#sets = sets;
    this.#blockSize = blockSize;
    this.#slots = CONTROL_WORDS + sets;
    const words = this.#slots + sets * WAYS * SLOT_WORDS;
    this.#words = new Int32Array(memory, 0, words);
    this.#bytes = new Uint8Array(memory, 4 * words);
    this.#clock = new ClockHand(
      this.#words,
      { ways: WAYS, stride: SLOT_WORDS, used: SLOT.USED },
      { mayGo: () => true, take: (at) => this.#close(at) },
    );
  }

  /**
   * Copies bytes of a block.
   *
   * @param file The number of the file that has its stream.
   * @param host Where that is in the file.
   * @param from The first byte.
   * @param length How many.
   * @param buffer Where to.
   * @param start The first byte of the buffer.
   * @returns Whether the block is there, and has them.
   */
  copy(
    file: number,
    host: number,
    from: number,
    length: number,
    buffer: Uint8Array,
    start: number,
  ): boolean {
    const words = this.#words;
    const first = this.#setOf(file, host) * WAYS;
    for (let slot = first; slot < first + WAYS; slot++) {
      const at = this.#slots + slot * SLOT_WORDS;
      if (!this.#has(at, file, host) || !this.#enter(at)) continue;
      // It may have become another block's before this thread was counted.
      const isThere = this.#has(at, file, host) &&
        from + length <= Atomics.load(words, at + SLOT.LENGTH);
      if (isThere) {
        const begin = slot * this.#blockSize + from;
        buffer.set(this.#bytes.subarray(begin, begin + length), start);
        Atomics.store(words, at + SLOT.USED, 1);
      }
      Atomics.sub(words, at + SLOT.READERS, 1);
      if (isThere) return true;
    }
    return false;
  }

  /**
   * Keeps a block, in place of one that was not used for long; does nothing if
   * every slot for it is being read.
   */
  add(file: number, host: number, block: Uint8Array): void {
    const words = this.#words;
    const set = this.#setOf(file, host);
    const first = this.#slots + set * WAYS * SLOT_WORDS;
    const at = this.#clock.take(CONTROL_WORDS + set, first);
    if (at < 0) return;
    Atomics.store(words, at + SLOT.FILE, 0);
    const slot = (at - this.#slots) / SLOT_WORDS;
    this.#bytes.set(block, slot * this.#blockSize);
    Atomics.store(words, at + SLOT.LENGTH, block.length);
    Atomics.store(words, at + SLOT.HOST_LOW, host | 0);
    Atomics.store(words, at + SLOT.HOST_HIGH, highOf(host));
    Atomics.store(words, at + SLOT.FILE, file + 1);
    Atomics.store(words, at + SLOT.USED, 1);
    Atomics.store(words, at + SLOT.READERS, 0);
  }

  /** Keeps readers out of a slot that is to be filled, unless it has some. */
  #close(at: number): boolean {
    return Atomics.compareExchange(this.#words, at + SLOT.READERS, 0, -1) === 0;
  }

  #has(at: number, file: number, host: number): boolean {
    const words = this.#words;
    return Atomics.load(words, at + SLOT.FILE) === file + 1 &&
      Atomics.load(words, at + SLOT.HOST_LOW) === (host | 0) &&
      Atomics.load(words, at + SLOT.HOST_HIGH) === highOf(host);
  }

  /** Counts this thread as a reader of a slot, unless it is being filled. */
  #enter(at: number): boolean {
    const words = this.#words;
    for (let i = 0; i < TRIES; i++) {
      const readers = Atomics.load(words, at + SLOT.READERS);
      if (readers < 0) return false;
      const before = Atomics.compareExchange(
        words,
        at + SLOT.READERS,
        readers,
        readers + 1,
      );
      if (before === readers) return true;
    }
    return false;
  }

  #setOf(file: number, host: number): number {
    const mixed = Math.imul(host ^ highOf(host) ^ file << 20, 0x9e37_79b1);
    return ((mixed ^ mixed >>> 15) >>> 0) % this.#sets;
  }
}

function highOf(host: number): number {
  return Math.floor(host / 2 ** 32) | 0;
}
