/**
 * File I/O on a queue's ring, answered later without an allocation.
 *
 * @module
 */
import { ERRNO } from "../base/errno.ts";
import { FILE_CALL, type FileCall, type FuseRing } from "./fuse_ring.ts";

const NO_FILE = -1;

type Done = (result: number) => unknown;

/**
 * File calls that a ring makes; the ring's queue brings their completions.
 *
 * Answers are pooled: each is to be waited for once, by `await` or by one call
 * of `then()`, which gives nothing to chain on.
 */
export class RingFiles {
  readonly #ring: FuseRing;
  readonly #calls: RingCall[];
  readonly #free: RingCall[];
  #inFlight = 0;
  #gone = false;

  readonly #prepared: () => void;

  /**
   * Makes the calls of a ring's slots.
   *
   * @param ring The ring.
   * @param prepared Hears of each call that is to be submitted.
   */
  constructor(ring: FuseRing, prepared: () => void) {
    this.#ring = ring;
    this.#prepared = prepared;
    this.#free = [];
    this.#calls = Array.from(
      { length: ring.fileSlots },
      (_, slot) => new RingCall(ring, slot, this.#free),
    );
    this.#free.push(...this.#calls);
  }

  /** Calls whose completion has not come yet. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /**
   * Reads into the start of a buffer; a positive answer of less than `length`
   * says that the file has ended.
   *
   * @param fallback The descriptor to use where `fd` says EINVAL.
   * @returns The bytes read or a negative errno; `-EBUSY` at once if too much
   * is in flight.
   */
  read(
    fd: number,
    into: Uint8Array,
    length: number,
    position: number,
    fallback: number = NO_FILE,
  ): number | PromiseLike<number> {
    const kind = FILE_CALL.READ;
    return this.#start(kind, fd, into, 0, length, position, fallback);
  }

  /**
   * Writes the start of a buffer.
   *
   * @param fallback The descriptor to use where `fd` says EINVAL.
   * @returns The bytes written, fewer if the medium refused the rest, or a
   * negative errno; `-EBUSY` at once if too much is in flight.
   */
  write(
    fd: number,
    from: Uint8Array,
    length: number,
    position: number,
    fallback: number = NO_FILE,
  ): number | PromiseLike<number> {
    const kind = FILE_CALL.WRITE;
    return this.#start(kind, fd, from, 0, length, position, fallback);
  }

  /** fdatasync(2). 0 or a negative errno. */
  sync(fd: number): number | PromiseLike<number> {
    return this.#start(FILE_CALL.SYNC, fd, null, 0, 0, 0);
  }

  /** fallocate(2) with FALLOC_FL_* mode bits. 0 or a negative errno. */
  allocate(
    fd: number,
    mode: number,
    position: number,
    length: number,
  ): number | PromiseLike<number> {
    return this.#start(FILE_CALL.ALLOCATE, fd, null, mode, length, position);
  }

  /** Notes a completion; for the queue that takes them. */
  completed(slot: number, result: number): void {
    const call = this.#calls[slot]!;
    if (call.goesOn(result)) return;
    this.#inFlight--;
    call.settle();
  }

  /** The ring is gone: whatever is in flight fails, and whatever comes. */
  abandon(): void {
    this.#gone = true;
    if (this.#inFlight === 0) return;
    for (const call of this.#calls) {
      if (!call.busy) continue;
      this.#inFlight--;
      call.fail(-ERRNO.ECANCELED);
    }
  }

  #start(
    kind: FileCall,
    fd: number,
    buffer: Uint8Array | null,
    start: number,
    length: number,
    position: number,
    fallback: number = NO_FILE,
  ): number | RingCall {
    if (this.#gone) return -ERRNO.ENODEV;
    const call = this.#free.pop();
    if (call === undefined) return -ERRNO.EBUSY;
    this.#inFlight++;
    call.begin(kind, fd, buffer, start, length, position, fallback);
    this.#ring.file(call.slot, kind, fd, buffer, start, length, position);
    this.#prepared();
    return call;
  }
}

/** One slot for file calls, and the answer of the call in it. */
class RingCall implements PromiseLike<number> {
  readonly slot: number;
  readonly #ring: FuseRing;
  readonly #free: RingCall[];
  #kind: FileCall = FILE_CALL.READ;
  #fd = NO_FILE;
  #fallback = NO_FILE;
  #buffer: Uint8Array | null = null;
  #length = 0;
  #position = 0;
  #done = 0;
  #busy = false;
  #settled = false;
  #result = 0;
  #heard: Done | null = null;

  constructor(ring: FuseRing, slot: number, free: RingCall[]) {
    this.#ring = ring;
    this.slot = slot;
    this.#free = free;
  }

  /** Whether it waits for a completion. */
  get busy(): boolean {
    return this.#busy;
  }

  begin(
    kind: FileCall,
    fd: number,
    buffer: Uint8Array | null,
    start: number,
    length: number,
    position: number,
    fallback: number,
  ): void {
    this.#kind = kind;
    this.#fallback = fallback === fd ? NO_FILE : fallback;
    this.#fd = fd;
    this.#buffer = buffer;
    this.#length = buffer === null ? start : length;
    this.#position = position;
    this.#done = 0;
    this.#busy = true;
    this.#settled = false;
    this.#heard = null;
  }

  /** Takes a completion in; whether the call needs another one. */
  goesOn(result: number): boolean {
    if (result === -ERRNO.EINTR || result === -ERRNO.EAGAIN) {
      this.#ring.repeat(this.#ring.tag);
      return true;
    }
    if (this.#kind > FILE_CALL.WRITE) {
      this.#result = result;
      return false;
    }
    if (result === -ERRNO.EINVAL && this.#fallback !== NO_FILE) {
      this.#fd = this.#fallback;
      this.#fallback = NO_FILE;
      return this.#again();
    }
    if (result > 0) {
      this.#done += result;
      if (this.#done < this.#length) return this.#again();
    }
    const failed = result < 0 &&
      (this.#done === 0 || this.#kind === FILE_CALL.READ);
    const nothing = result === 0 && this.#done === 0 &&
      this.#kind === FILE_CALL.WRITE;
    this.#result = failed ? result : nothing ? -ERRNO.EIO : this.#done;
    return false;
  }

  /** Asks for what is left. */
  #again(): true {
    this.#ring.file(
      this.slot,
      this.#kind,
      this.#fd,
      this.#buffer,
      this.#done,
      this.#length - this.#done,
      this.#position + this.#done,
    );
    return true;
  }

  fail(result: number): void {
    this.#result = result;
    this.settle();
  }

  settle(): void {
    this.#busy = false;
    this.#settled = true;
    this.#buffer = null;
    if (this.#heard !== null) this.#tell(this.#heard);
  }

  then<A = number, B = never>(
    onFulfilled?: ((result: number) => A | PromiseLike<A>) | null,
    _onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): PromiseLike<A | B> {
    const heard = onFulfilled ?? ignore;
    if (this.#settled) this.#tell(heard);
    else this.#heard = heard;
    return SPENT;
  }

  #tell(heard: Done): void {
    const result = this.#result;
    this.#heard = null;
    this.#free.push(this);
    heard(result);
  }
}

function ignore(): void {}

/** What `then()` gives: nobody may wait for a pooled answer twice. */
const SPENT: PromiseLike<never> = {
  then() {
    throw new TypeError("Cannot wait twice for an answer of a ring");
  },
};
