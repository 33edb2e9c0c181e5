/**
 * Blocks of an object in memory that all threads of an export share.
 *
 * A block is fetched by one thread, for all. Who copies a block says so in a
 * word of its own first (a hazard pointer), and who takes a slot for another
 * block looks at these words after it has removed the old number: so at least
 * one of the two sees what the other does, and no copy is torn.
 *
 * @module
 */
import { ClockHand } from "../../shared_memory/clock_hand.ts";
import { futexWait } from "../../shared_memory/futex.ts";

/** Bytes of a block. */
export const BLOCK: number = 16 * 1024;
/** The number of the owner that fetches nothing. */
const NO_OWNER = 0;
/** Slots of a set. */
const WAYS = 8;
/** Threads that may use a cache. */
const OWNERS_MAX = 256;
/** Words between two threads' hazard pointers: a cache line each. */
const STRIDE = 16;
/** Looks at a set's lock before giving up: its holder does little. */
const LOCK_LOOKS = 10_000;

/** Words of the memory as a whole. */
const CONTROL = {
  SETS: 0,
  /** Counts blocks that have come, or whose fetch has failed. */
  DOORBELL: 1,
  /** Threads that wait for that. */
  WAITERS: 2,
  /** Whether the object is another one than before. */
  CHANGED: 3,
  WORDS: 16,
} as const;

/** Words of a set, before those of its slots. */
const SET = { LOCK: 0, HAND: 1, WORDS: 2 } as const;

/** Words of a slot. */
const SLOT = {
  /** The block's number plus 1; 0 if it is empty. */
  TAG: 0,
  /** Who fetches it; 0 if its bytes are there. */
  OWNER: 1,
  /** Not 0 if it was used since the clock hand passed it; 0 if it is empty. */
  USED: 2,
  WORDS: 3,
} as const;

const SET_STRIDE = SET.WORDS + WAYS * SLOT.WORDS;
const HAZARDS = CONTROL.WORDS;
const FIRST_SET = HAZARDS + OWNERS_MAX * STRIDE;
/** Words before the sets of any memory of this kind. */
const HEAD_BYTES = 4 * FIRST_SET;

/** What becomes of a claim: a slot from 0 on, or one of these. */
export const CLAIM = {
  /** The block is there. */
  THERE: -1,
  /** Another fetch brings it. */
  UNDER_WAY: -2,
  /** There is no slot for it at the moment. */
  NO_ROOM: -3,
} as const;

/** A cache of blocks, as one thread sees it. */
export class BlockCache {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #data: Uint8Array<SharedArrayBuffer>;
  readonly #sets: number;
  readonly #owner: number;
  readonly #hazard: number;
  readonly #clock: ClockHand;

  /**
   * Makes the memory of a cache.
   *
   * @param bytes How much it may take; a few blocks if that is less.
   * @param blocks How many blocks there are: it takes no more.
   */
  static create(bytes: number, blocks: number): SharedArrayBuffer {
    const setBytes = 4 * SET_STRIDE + WAYS * BLOCK;
    const sets = Math.max(
      1,
      Math.min(Math.floor(bytes / setBytes), Math.ceil(blocks / WAYS)),
    );
    const memory = new SharedArrayBuffer(HEAD_BYTES + sets * setBytes);
    new Int32Array(memory)[CONTROL.SETS] = sets;
    return memory;
  }

  /**
   * Wraps the memory of a cache.
   *
   * @param memory Of {@linkcode BlockCache.create}.
   * @param owner The number of this thread, from 1 on.
   */
  constructor(memory: SharedArrayBuffer, owner: number) {
    this.#owner = owner;
    this.#hazard = HAZARDS + owner % OWNERS_MAX * STRIDE;
    this.#sets = new Int32Array(memory, 0, 1)[0]!;
    const words = FIRST_SET + this.#sets * SET_STRIDE;
    this.#words = new Int32Array(memory, 0, words);
    this.#data = new Uint8Array(memory, 4 * words);
    this.#clock = new ClockHand(
      this.#words,
      { ways: WAYS, stride: SLOT.WORDS, used: SLOT.USED },
      {
        mayGo: (at) => Atomics.load(this.#words, at + SLOT.OWNER) === NO_OWNER,
        take: (at) => this.#empty(at),
      },
    );
  }

  /** How many blocks fit. */
  get slots(): number {
    return this.#sets * WAYS;
  }

  /** Whether the object is another one than before, so that nothing counts. */
  get isChanged(): boolean {
    return Atomics.load(this.#words, CONTROL.CHANGED) !== 0;
  }

  /** Notes that the object has changed; whether that was not known yet. */
  noteChanged(): boolean {
    return Atomics.exchange(this.#words, CONTROL.CHANGED, 1) === 0;
  }

  /**
   * Copies a part of a block, if the block is there.
   *
   * @param from The first byte within the block.
   * @param into Takes the bytes, from `start` on.
   */
  copy(
    block: number,
    from: number,
    length: number,
    into: Uint8Array,
    start: number,
  ): boolean {
    const words = this.#words;
    const at = this.#find(block);
    if (at < 0) return false;
    const slot = this.#slotOf(at);
    Atomics.store(words, this.#hazard, slot + 1);
    const isThere = Atomics.load(words, at + SLOT.TAG) === block + 1 &&
      Atomics.load(words, at + SLOT.OWNER) === NO_OWNER;
    if (isThere) {
      const first = slot * BLOCK + from;
      into.set(this.#data.subarray(first, first + length), start);
      if (Atomics.load(words, at + SLOT.USED) === 0) {
        Atomics.store(words, at + SLOT.USED, 1);
      }
    }
    Atomics.store(words, this.#hazard, 0);
    return isThere;
  }

  /** Whether a block is there or under way. */
  has(block: number): boolean {
    return this.#find(block) >= 0;
  }

  /**
   * Claims a slot for a block, to be filled and then published or abandoned.
   *
   * @returns The slot, or one of {@linkcode CLAIM}.
   */
  claim(block: number): number {
    const words = this.#words;
    const set = this.#setOf(block);
    if (!this.#lock(set)) return CLAIM.NO_ROOM;
    try {
      const found = this.#find(block);
      if (found >= 0) {
        return Atomics.load(words, found + SLOT.OWNER) === NO_OWNER
          ? CLAIM.THERE
          : CLAIM.UNDER_WAY;
      }
      const at = this.#clock.take(set + SET.HAND, set + SET.WORDS);
      if (at < 0) return CLAIM.NO_ROOM;
      Atomics.store(words, at + SLOT.OWNER, this.#owner);
      Atomics.store(words, at + SLOT.USED, 1);
      Atomics.store(words, at + SLOT.TAG, block + 1);
      return this.#slotOf(at);
    } finally {
      this.#unlock(set);
    }
  }

  /** The memory of a slot that this thread has claimed. */
  memoryOf(slot: number): Uint8Array<SharedArrayBuffer> {
    return this.#data.subarray(slot * BLOCK, (slot + 1) * BLOCK);
  }

  /** The bytes of a claimed slot are there, for every thread. */
  publish(slot: number): void {
    Atomics.store(this.#words, this.#wordOf(slot) + SLOT.OWNER, NO_OWNER);
    this.wake();
  }

  /** The bytes of a claimed slot do not come. */
  abandon(slot: number): void {
    this.#giveUp(this.#wordOf(slot));
    this.wake();
  }

  /** Counts what was published or abandoned; read it before a look. */
  get changes(): number {
    return Atomics.load(this.#words, CONTROL.DOORBELL);
  }

  /** Resolves once something was published or abandoned after `changes`. */
  async changed(changes: number): Promise<void> {
    const words = this.#words;
    Atomics.add(words, CONTROL.WAITERS, 1);
    try {
      await futexWait(words, CONTROL.DOORBELL, changes);
    } finally {
      Atomics.sub(words, CONTROL.WAITERS, 1);
    }
  }

  /** Lets all threads that wait look again. */
  wake(): void {
    const words = this.#words;
    Atomics.add(words, CONTROL.DOORBELL, 1);
    // Who begins to wait after this sees the new count.
    if (Atomics.load(words, CONTROL.WAITERS) > 0) {
      Atomics.notify(words, CONTROL.DOORBELL);
    }
  }

  /** Releases everything of a thread that has ended. */
  threadEnded(owner: number): void {
    const words = this.#words;
    Atomics.store(words, HAZARDS + owner % OWNERS_MAX * STRIDE, 0);
    for (let set = FIRST_SET; set < words.length; set += SET_STRIDE) {
      for (let way = 0; way < WAYS; way++) {
        const at = set + SET.WORDS + way * SLOT.WORDS;
        if (Atomics.load(words, at + SLOT.OWNER) === owner) this.#giveUp(at);
      }
      Atomics.compareExchange(words, set + SET.LOCK, owner, 0);
    }
    this.wake();
  }

  /** The first word of the slot that has a block; -1 if none has it. */
  #find(block: number): number {
    const words = this.#words;
    let at = this.#setOf(block) + SET.WORDS;
    for (let way = 0; way < WAYS; way++, at += SLOT.WORDS) {
      if (Atomics.load(words, at + SLOT.TAG) === block + 1) return at;
    }
    return -1;
  }

  /** Empties a slot of a locked set, unless a thread copies its bytes. */
  #empty(at: number): boolean {
    const words = this.#words;
    const tag = Atomics.exchange(words, at + SLOT.TAG, 0);
    if (!this.#isCopied(this.#slotOf(at))) return true;
    Atomics.store(words, at + SLOT.TAG, tag);
    return false;
  }

  /** Leaves a slot empty that was to be filled. */
  #giveUp(at: number): void {
    const words = this.#words;
    Atomics.store(words, at + SLOT.TAG, 0);
    Atomics.store(words, at + SLOT.USED, 0);
    Atomics.store(words, at + SLOT.OWNER, NO_OWNER);
  }

  /** Whether a thread copies the bytes of a slot. */
  #isCopied(slot: number): boolean {
    for (let owner = 0; owner < OWNERS_MAX; owner++) {
      const hazard = Atomics.load(this.#words, HAZARDS + owner * STRIDE);
      if (hazard === slot + 1) return true;
    }
    return false;
  }

  #setOf(block: number): number {
    return FIRST_SET + block % this.#sets * SET_STRIDE;
  }

  #slotOf(at: number): number {
    const set = Math.floor((at - FIRST_SET) / SET_STRIDE);
    const inSet = at - FIRST_SET - set * SET_STRIDE - SET.WORDS;
    return set * WAYS + inSet / SLOT.WORDS;
  }

  #wordOf(slot: number): number {
    return FIRST_SET + Math.floor(slot / WAYS) * SET_STRIDE + SET.WORDS +
      slot % WAYS * SLOT.WORDS;
  }

  #lock(set: number): boolean {
    const words = this.#words;
    for (let looks = 0; looks < LOCK_LOOKS; looks++) {
      const before = Atomics.compareExchange(words, set, 0, this.#owner);
      if (before === 0) return true;
    }
    return false;
  }

  #unlock(set: number): void {
    Atomics.store(this.#words, set + SET.LOCK, 0);
  }
}
