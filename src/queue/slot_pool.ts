/**
 * The slots of a queue over /dev/fuse, within a memory bound.
 *
 * The kernel wants a large slot for each read(2), even if the request is small.
 * So a request that stays outstanding while others do is moved to a small slot,
 * if it and its reply fit. Small slots are cut from slabs, each for one size.
 *
 * @module
 */
import { PAGE_SIZE } from "../base/limits.ts";
import type { AllocateMessages, MessageMemory } from "./message_memory.ts";
import { largeSlotSize, type SizeClass, type Slab, Slot } from "./slot.ts";

/** Bytes of memory of a slab. */
export const SLAB_SIZE = 256 * 1024;
/** Payloads of small slots in bytes. */
const PAYLOADS = [512, 4096, 16384, 65536];
/**
 * Bytes before a payload, in which its request's head and its reply's header
 * lie: as many as align the payload for direct I/O.
 */
const HEADS = [512, PAGE_SIZE, PAGE_SIZE, PAGE_SIZE];
/** Slots of the smallest size that only urgent requests get. */
const RESERVED_SLOTS = 16;
/** Large slots that the bound always leaves room for: one to read into. */
const LARGE_MIN = 2;

/** The options of a {@linkcode SlotPool}. */
export interface SlotPoolOptions {
  /** Largest payload of a READ or WRITE in bytes. */
  readonly maxPayload: number;
  /** Bytes of memory that the slots may take together. */
  readonly memoryMax: number;
  /** Provides memory. */
  readonly allocate: AllocateMessages;
}

/**
 * The least memory in which a queue can serve, in bytes.
 *
 * @param maxPayload Largest payload of a READ or WRITE in bytes.
 */
export function queueMemoryMin(maxPayload: number): number {
  return LARGE_MIN * largeSlotSize(maxPayload) + 2 * SLAB_SIZE;
}

/** The slots of one queue. */
export class SlotPool {
  readonly #options: SlotPoolOptions;
  readonly #largeSize: number;
  /** The memory of each large slot. */
  readonly #large: Map<Slot, MessageMemory> = new Map();
  /** Large slots that are not in use. */
  readonly #freeLarge: Slot[] = [];
  readonly #sizes: readonly SizeClass[];
  /** Slabs of which no slot is in use, without the first one. */
  #idleSlabs = 0;
  /** The slab that is never given back, with the reserved slots. */
  #firstSlab: Slab | null = null;
  /** Bytes that are allocated, or reserved for the least of slots. */
  #used: number;

  /** Makes a pool without slots. */
  constructor(options: SlotPoolOptions) {
    this.#options = options;
    this.#largeSize = largeSlotSize(options.maxPayload);
    this.#used = LARGE_MIN * this.#largeSize + SLAB_SIZE;
    this.#sizes = PAYLOADS.map((payload, i) => ({
      payload,
      head: HEADS[i]!,
      free: [],
      slabs: [],
    }));
  }

  /** Whether a large slot is free without a new allocation. */
  get hasLarge(): boolean {
    return this.#freeLarge.length > 0;
  }

  /**
   * Whether there is room for another request of any size, besides the slot to
   * read into.
   */
  get hasRoom(): boolean {
    return this.#freeLarge.length > 1 || this.#large.size < LARGE_MIN ||
      this.#unused + this.#idleSlabs * SLAB_SIZE >= this.#largeSize;
  }

  /**
   * Allocates slots before they are needed: large ones, and the slab with the
   * reserved ones.
   *
   * @param large How many large slots.
   */
  prepare(large: number): void {
    while (this.#large.size < large) {
      const slot = this.#newLarge();
      if (slot === null) break;
      this.#freeLarge.push(slot);
    }
    if (this.#firstSlab === null) this.#newSlab(this.#sizes[0]!);
  }

  /** Takes a large slot; `null` if there is no room for it. */
  takeLarge(): Slot | null {
    return this.#freeLarge.pop() ?? this.#newLarge();
  }

  /** Makes sure that a large slot is free; `false` if there is no room for it. */
  reserveLarge(): boolean {
    if (this.#freeLarge.length > 0) return true;
    const slot = this.#newLarge();
    if (slot !== null) this.#freeLarge.push(slot);
    return slot !== null;
  }

  /** Takes a large slot if another one stays free; else `null`. */
  takeSpareLarge(): Slot | null {
    if (!this.reserveLarge()) return null;
    return this.#freeLarge.length > 1
      ? this.#freeLarge.pop()!
      : this.#newLarge();
  }

  /**
   * Takes a large slot to read ahead into, which leaves room for others and
   * takes no memory from small slots; else `null`.
   */
  takeExtraLarge(): Slot | null {
    if (this.#freeLarge.length > LARGE_MIN) return this.#freeLarge.pop()!;
    return this.#unused >= LARGE_MIN * this.#largeSize
      ? this.#newLarge()
      : null;
  }

  /**
   * Takes a small slot for a payload.
   *
   * @param payload Bytes.
   * @param urgent Whether to take one of the reserved slots, if need be.
   * @returns `null` if there is none that fits.
   */
  takeSmall(payload: number, urgent: boolean): Slot | null {
    for (const size of this.#sizes) {
      if (payload > size.payload) continue;
      const slot = this.#takeOf(size, urgent);
      if (slot !== null) return slot;
    }
    return null;
  }

  /** Takes a slot back. */
  free(slot: Slot): void {
    const { slab } = slot;
    if (slab === null) {
      this.#freeLarge.push(slot);
      return;
    }
    slab.size.free.push(slot);
    if (--slab.busy === 0 && slab !== this.#firstSlab) this.#idleSlabs++;
  }

  /** Gives all memory back; no slot may be in use, now or later. */
  release(): void {
    for (const memory of this.#large.values()) memory.release();
    this.#large.clear();
    for (const { slabs, free } of this.#sizes) {
      free.length = 0;
      for (const { memory } of slabs.splice(0)) memory.release();
    }
    this.#freeLarge.length = 0;
  }

  /** Bytes that may be allocated. */
  get #unused(): number {
    return this.#options.memoryMax - this.#used;
  }

  #takeOf(size: SizeClass, urgent: boolean): Slot | null {
    const isSmallest = size === this.#sizes[0];
    const kept = isSmallest && !urgent ? RESERVED_SLOTS : 0;
    if (size.free.length <= kept && !this.#newSlab(size)) return null;
    const slot = size.free.pop()!;
    const slab = slot.slab!;
    if (slab.busy++ === 0 && slab !== this.#firstSlab) this.#idleSlabs--;
    return slot;
  }

  #newLarge(): Slot | null {
    const size = this.#largeSize;
    const isReserved = this.#large.size < LARGE_MIN;
    if (!isReserved && !this.#makeRoom(size)) return null;
    const memory = this.#options.allocate(size);
    if (memory === null) return null;
    if (!isReserved) this.#used += size;
    const slot = Slot.large(memory.bytes, this.#options.maxPayload);
    this.#large.set(slot, memory);
    return slot;
  }

  /** Cuts small slots from new memory; whether that was possible. */
  #newSlab(size: SizeClass): boolean {
    const isReserved = this.#firstSlab === null && size === this.#sizes[0];
    if (!isReserved && !this.#makeRoom(SLAB_SIZE)) return false;
    const memory = this.#options.allocate(SLAB_SIZE);
    if (memory === null) return false;
    const slab = { memory, size, busy: 0 };
    if (isReserved) {
      this.#firstSlab = slab;
    } else {
      this.#used += SLAB_SIZE;
      this.#idleSlabs++;
    }
    size.slabs.push(slab);
    const stride = size.head + size.payload;
    for (let at = 0; at + stride <= SLAB_SIZE; at += stride) {
      const bytes = memory.bytes.subarray(at, at + stride);
      size.free.push(Slot.small(slab, bytes, size.head));
    }
    return true;
  }

  /** Gives back what is not in use, until there is room for new memory. */
  #makeRoom(bytes: number): boolean {
    while (this.#unused < bytes && this.#idleSlabs > 0) this.#giveBackSlab();
    while (this.#unused < bytes && this.#freeLarge.length > 1) {
      if (this.#large.size === LARGE_MIN) break;
      this.#giveBackLarge();
    }
    return this.#unused >= bytes;
  }

  #giveBackSlab(): void {
    for (const { slabs, free } of this.#sizes) {
      const isIdle = (each: Slab) =>
        each.busy === 0 && each !== this.#firstSlab;
      const slab = slabs.find(isIdle);
      if (slab === undefined) continue;
      slabs.splice(slabs.indexOf(slab), 1);
      const rest = free.filter((slot) => slot.slab !== slab);
      free.splice(0, free.length, ...rest);
      this.#idleSlabs--;
      this.#used -= SLAB_SIZE;
      return slab.memory.release();
    }
  }

  #giveBackLarge(): void {
    const slot = this.#freeLarge.pop()!;
    this.#large.get(slot)!.release();
    this.#large.delete(slot);
    this.#used -= this.#largeSize;
  }
}
