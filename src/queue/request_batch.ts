import { ERRNO } from "../base/errno.ts";
import type { RingOwner } from "../event/ring.ts";
import type { RingEvents } from "../event/ring_events.ts";
import type { ReplyError } from "../protocol/reply_error.ts";
import type { BatchSlots } from "./batch_slots.ts";
import type { FuseDevice } from "./fuse_device.ts";
import { SentReplies } from "./sent_replies.ts";
import type { Slot } from "./slot.ts";
import type { SlotPool } from "./slot_pool.ts";

/** Requests in a row that were there at once before a batch is worth it. */
const PATIENCE = 2;
const PATIENCE_MAX = 64;
/** Requests from which a batch takes less time than reading them singly. */
const WORTHWHILE = 3;
/** Milliseconds that serving a batch may take: others could take its rest. */
const LONGEST_MS = 0.2;

/**
 * What a {@linkcode RequestBatch} reads and answers requests by.
 *
 * @category Queues
 */
export interface BatchOptions {
  /** The ring. */
  readonly events: RingEvents;
  /** Its slots for READs and WRITEs. */
  readonly slots: BatchSlots;
  /** The descriptor that they use. The queue closes it. */
  readonly device: FuseDevice;
  /** Receives the error of a reply that the kernel has refused. */
  readonly onRefused: (error: ReplyError) => void;
  /** A clock in milliseconds; `performance.now` if left out. */
  readonly now?: () => number;
}

/**
 * Reads requests ahead and answers them together: one io_uring_enter(2) sends
 * the replies of a batch and reads the next one.
 *
 * How many requests a batch reads follows from how many were there: twice as
 * many as the last time if that was not enough, one more than came if it was,
 * and none if none came. Reading ahead must not keep requests from queues that
 * have nothing to do, so a batch is no longer than what is served in a fraction
 * of a millisecond.
 */
export class RequestBatch implements RingOwner {
  readonly #events: RingEvents;
  readonly #slots: BatchSlots;
  readonly #pool: SlotPool;
  readonly #device: FuseDevice;
  readonly #sent: SentReplies;
  readonly #now: () => number;
  /** The memory of the READs in flight. */
  readonly #reading: (Slot | null)[];
  #inFlight = 0;
  /** Requests that were read; those from `#next` to `#end` wait. */
  readonly #read: Slot[] = [];
  #next = 0;
  #end = 0;
  /** The errno of a failed READ; 0 for none. */
  #errno = 0;
  /** Requests to read next; 0 while they are read singly. */
  #size = 0;
  #largest: number;
  #patience = PATIENCE;
  /** Requests in a row that were read singly and were there at once. */
  #atOnce = 0;
  /** When the batch was read, in milliseconds, and its size. */
  #start = 0;
  #count = 0;
  #usable = true;
  #failure = 0;

  /** Registers on the ring. */
  constructor(
    { events, slots, device, onRefused, now }: BatchOptions,
    pool: SlotPool,
  ) {
    this.#events = events;
    this.#now = now ?? (() => performance.now());
    this.#slots = slots;
    this.#pool = pool;
    this.#device = device;
    this.#sent = new SentReplies(slots.writes, device, onRefused);
    this.#reading = Array.from({ length: slots.reads }, () => null);
    this.#largest = slots.reads;
    events.register(this, slots.first, slots.reads + slots.writes + 1);
  }

  /** Whether requests are read in batches at present. */
  get isActive(): boolean {
    return this.#size > 0;
  }

  /** Whether it can read at all. */
  get isUsable(): boolean {
    return this.#usable;
  }

  /** Whether requests were read and not taken. */
  get hasRead(): boolean {
    return this.#next < this.#end;
  }

  /** Whether requests were read and not taken, or replies wait to be sent. */
  get isBusy(): boolean {
    return this.#next < this.#end ||
      (this.#sent.count > 0 && this.#events.needsSubmit);
  }

  /**
   * Tests whether a READ that finds no request completes at once. If it waits in
   * the ring, nothing is ever read here again.
   *
   * @returns Whether it does.
   */
  probe(): boolean {
    this.fetch();
    if (this.#inFlight === 0) return true;
    this.#usable = false;
    this.#slots.cancel(0);
    while (this.#inFlight > 0 && this.#failure === 0) this.#events.wait(true);
    return false;
  }

  /** Notes a request that was read singly, and whether it was there at once. */
  noteSingle(atOnce: boolean): void {
    this.#atOnce = atOnce ? this.#atOnce + 1 : 0;
    if (this.#atOnce >= this.#patience && this.#usable) {
      this.#size = Math.min(WORTHWHILE, this.#largest);
      this.#atOnce = 0;
    }
  }

  /** Takes the next request that was read; `null` if there is none. */
  take(): Slot | null {
    return this.#next < this.#end ? this.#read[this.#next++]! : null;
  }

  /** Takes the errno with which reading failed; 0 for none. */
  takeErrno(): number {
    const errno = this.#errno;
    this.#errno = 0;
    return errno;
  }

  /**
   * Sends what waits, and reads requests; all that were read before have been
   * taken.
   *
   * @returns Whether requests came.
   */
  fetch(): boolean {
    this.#limit();
    this.#next = this.#end = 0;
    // The READs may use this memory: the ring makes WRITEs before them.
    this.#sent.release(this.#pool);
    const asked = this.#push(Math.max(1, this.#size));
    this.#submit();
    const came = this.#end;
    this.#adapt(came, came === asked);
    this.#count = came;
    if (came > 1) this.#start = this.#now();
    return came > 0;
  }

  /**
   * Sends what waits, and reads one request by read(2), which tells errors.
   *
   * @returns Whether it came.
   */
  readOne(): boolean {
    //= io_uring/rw.c io_file_supports_nowait(): a READ in the ring looks only
    //= for POLLIN. Once the connection has ended, poll(2) returns POLLERR alone.
    this.flush();
    this.#next = this.#end = 0;
    const slot = this.#pool.takeLarge();
    if (slot !== null) this.#note(slot, this.#device.read(slot.incoming));
    this.noteSingle(this.#end > 0);
    return this.#end > 0;
  }

  /** Queues a reply, whose memory is given back once it is sent. */
  reply(slot: Slot): void {
    if (this.#sent.isFull) this.#submit();
    const index = this.#sent.add(slot);
    this.#slots.write(index, slot.outgoing, slot.reply.length);
    this.#events.pushed();
  }

  /** Sends what waits. */
  flush(): void {
    if (this.#sent.count > 0) this.#submit();
  }

  /** Gives the memory of replies back that the ring has sent since. */
  reclaim(): void {
    if (!this.#events.needsSubmit) this.#sent.release(this.#pool);
  }

  completed(slot: number, result: number): void {
    const { reads, writes } = this.#slots;
    if (slot >= reads + writes) return;
    if (slot >= reads) return this.#sent.failed(slot - reads, -result);
    const memory = this.#reading[slot]!;
    this.#reading[slot] = null;
    this.#inFlight--;
    this.#note(memory, result);
  }

  ringFailed(errno: number): void {
    this.#failure = this.#errno = errno;
  }

  ringClosed(): void {
    this.#usable = false;
    this.#size = 0;
    this.#next = this.#end = 0;
  }

  /** Pushes READs, as far as there is memory; returns how many. */
  #push(count: number): number {
    for (let i = 0; i < count; i++) {
      const slot = i === 0
        ? this.#pool.takeLarge()
        : this.#pool.takeExtraLarge();
      if (slot === null) return i;
      this.#reading[i] = slot;
      this.#inFlight++;
      this.#slots.read(i, slot.incoming);
    }
    return count;
  }

  /** Notes the result of a READ. */
  #note(slot: Slot, result: number): void {
    if (result >= 0) {
      slot.received = result;
      slot.batched = true;
      this.#read[this.#end++] = slot;
      return;
    }
    this.#pool.free(slot);
    if (result !== -ERRNO.EAGAIN && result !== -ERRNO.ECANCELED) {
      this.#errno = -result;
    }
  }

  #submit(): void {
    do this.#events.exchange(); while (
      // EAGAIN and EBUSY leave some.
      this.#events.needsSubmit && this.#failure === 0
    );
    this.#sent.release(this.#pool);
  }

  /** Chooses the size of the next batch by what the last READs brought. */
  #adapt(came: number, isEnough: boolean): void {
    if (this.#size === 0) return;
    if (came >= WORTHWHILE) {
      this.#size = Math.min(isEnough ? 2 * came : came + 1, this.#largest);
    } else {
      this.#size = 0;
      this.#patience = Math.min(2 * this.#patience, PATIENCE_MAX);
    }
  }

  /** Limits the next batch by how long the last one took. */
  #limit(): void {
    if (this.#count < WORTHWHILE) return;
    const isSlow = this.#now() - this.#start > LONGEST_MS;
    if (isSlow) {
      this.#largest = this.#count >> 1;
      if (this.#largest < WORTHWHILE) {
        this.#largest = WORTHWHILE;
        this.#size = 0;
        this.#patience = Math.min(2 * this.#patience, PATIENCE_MAX);
      }
    } else {
      this.#largest = Math.min(2 * this.#largest, this.#slots.reads);
      this.#patience = PATIENCE;
    }
    this.#size = Math.min(this.#size, this.#largest);
  }
}
