import { nanosecondsOf, NS_PER_MS, secondsOf } from "../base/timespec.ts";
import type { Ticking } from "./byte_stream.ts";
import { FILE_CALL, type FileSlots, NO_FILE } from "./file_operation.ts";
import type { RingEvents } from "./ring_events.ts";

const TICK_MS = 1000n;
const NONE = -1;

/** Calls owners every second, by one timer of the ring for all of them. */
export class RingTicks {
  readonly #slots: FileSlots;
  readonly #events: RingEvents;
  readonly #freeSlots: number[];
  /** struct __kernel_timespec: seconds and nanoseconds. */
  readonly #time: Uint8Array<ArrayBuffer>;
  #owners: Ticking[] = [];
  #slot = NONE;

  /**
   * Starts no timer yet.
   *
   * @param freeSlots Where it takes a slot from, and puts it back.
   */
  constructor(slots: FileSlots, events: RingEvents, freeSlots: number[]) {
    this.#slots = slots;
    this.#events = events;
    this.#freeSlots = freeSlots;
    const time = TICK_MS * NS_PER_MS;
    const words = [secondsOf(time), BigInt(nanosecondsOf(time))];
    this.#time = new Uint8Array(new BigInt64Array(words).buffer);
  }

  /** Calls an owner from now on, until it wants no more. */
  add(owner: Ticking): void {
    this.#owners.push(owner);
    if (this.#slot === NONE) this.#start();
  }

  /** Takes a completion; returns whether it is that of the timer. */
  completed(slot: number): boolean {
    if (slot !== this.#slot) return false;
    this.#freeSlots.push(slot);
    this.#slot = NONE;
    const owners = this.#owners;
    this.#owners = [];
    for (const owner of owners) {
      if (owner.tick()) this.#owners.push(owner);
    }
    if (this.#owners.length > 0 && this.#slot === NONE) this.#start();
    return true;
  }

  /** The ring is gone. */
  end(): void {
    this.#owners = [];
    this.#slot = NONE;
  }

  #start(): void {
    const slot = this.#freeSlots.pop();
    // Streams are made only while slots are left, and the next one tries again.
    if (slot === undefined) return;
    this.#slot = slot;
    const { TIMER } = FILE_CALL;
    this.#slots.prepare(slot, TIMER, NO_FILE, this.#time, 0, 1, 0);
    this.#events.pushed();
  }
}
