import type { DiskPages } from "./disk_pages.ts";
import { Fifo } from "../kernel/fifo.ts";
import { RangeIndex } from "./range_index.ts";

/**
 * A call on the disk.
 *
 * @category Checking
 */
export interface HistoryCall {
  /** The time at which it began. */
  began: number;
  /** Whether it has ended. */
  over: boolean;
}

/**
 * A write or the zeroing of a range, or a remaining part of one.
 *
 * @category Checking
 */
export interface Overwrite extends HistoryCall {
  /** The time at which it ended; `Infinity` while it may still happen. */
  ended: number;
  /** Its position in bytes. */
  readonly position: number;
  /** The bytes; `null` for zeroes. */
  data: Uint8Array | null;
  /** The number of bytes; 0 after it was settled. */
  length: number;
  /** Whether it may have happened only in part, or not at all. */
  doubtful: boolean;
  /** Whether it ended before every call under way began. */
  old: boolean;
}

/**
 * The outcome of a write.
 *
 * @category Checking
 */
export type WriteOutcome =
  /** It wrote all its bytes. */
  | "done"
  /** It failed; any part of it may have been written. */
  | "failed"
  /** It failed, and may still be carried out later. */
  | "lost";

/** The number of buffers kept for reuse. */
const SPARE_MAX = 256;

/**
 * Writes whose effect is not yet certain because they overlapped in time, in
 * part or entirely failed, or may still be carried out.
 */
export class WriteHistory {
  /** Writes that are not settled. */
  readonly #writes: RangeIndex<Overwrite> = new RangeIndex();
  /**
   * Calls in the order in which they began, from the oldest one under way on.
   */
  readonly #calls: Fifo<HistoryCall> = new Fifo();
  /** Writes in the order in which they ended that are not old. */
  readonly #young: Fifo<Overwrite> = new Fifo();
  /** Writes that may still be carried out. */
  #lost: Overwrite[] = [];
  /** Old writes to be checked again, because an overlapping one is gone. */
  readonly #loosened: Overwrite[] = [];
  readonly #spare: Uint8Array[] = [];
  readonly #disk: DiskPages;
  #now = 0;

  /** Makes a history that settles writes on a disk. */
  constructor(disk: DiskPages) {
    this.#disk = disk;
  }

  /** The time: the number of events so far. */
  get now(): number {
    return this.#now;
  }

  /** When the oldest call under way began. */
  get oldest(): number {
    for (;;) {
      const first = this.#calls.first;
      if (first === undefined) return Infinity;
      if (!first.over) return first.began;
      this.#calls.shift();
    }
  }

  /** A call begins; sets its time. */
  begin(call: HistoryCall): void {
    call.began = ++this.#now;
    this.#calls.push(call);
  }

  /** A call ends. */
  end(call: HistoryCall): void {
    call.over = true;
    this.#now++;
    this.#settleOld();
  }

  /** A write begins. */
  beginWrite(
    position: number,
    data: Uint8Array | null,
    length: number,
  ): Overwrite {
    const write: Overwrite = {
      began: 0,
      over: false,
      ended: Infinity,
      position,
      data: data === null ? null : this.#copy(data, length),
      length,
      doubtful: false,
      old: false,
    };
    this.begin(write);
    this.#writes.add(write);
    return write;
  }

  /** Corrects the length of a write under way. */
  reach(write: Overwrite, length: number): void {
    this.#writes.remove(write);
    this.#loosen(write.position, write.length);
    write.length = length;
    this.#writes.add(write);
  }

  /**
   * A write ends.
   *
   * @param write The result of {@linkcode WriteHistory.beginWrite}.
   * @param count Bytes that were certainly written.
   * @param outcome What is known about the remaining bytes.
   */
  endWrite(write: Overwrite, count: number, outcome: WriteOutcome): void {
    write.ended = ++this.#now;
    const isWhole = count > 0 && count === write.length;
    if (!isWhole) this.#cutShort(write, count, outcome);
    if (count > 0) this.#young.push(write);
    this.end(write);
  }

  /** Lost writes cannot be carried out any more. */
  forgetLost(): void {
    const now = ++this.#now;
    for (const write of this.#lost) {
      write.ended = now;
      this.#young.push(write);
    }
    this.#lost = [];
  }

  /** Unsettled writes that overlap a range. */
  near(position: number, length: number): readonly Overwrite[] {
    return this.#writes.near(position, length);
  }

  /**
   * A read may decide what overlapping writes have left.
   *
   * @param read When it began, and its range.
   * @returns Whether it came after every overlapping write, so that it decides.
   */
  decide(read: { began: number; position: number; length: number }): boolean {
    const { began, position, length } = read;
    const before = Math.min(this.oldest, began);
    const near = this.near(position, length);
    if (!near.every(({ ended }) => ended < before)) return false;
    for (const write of near) this.#subtract(write, position, length);
    return true;
  }

  /**
   * Reduces a write to the bytes that were certainly written, and keeps the
   * others as doubtful.
   */
  #cutShort(write: Overwrite, count: number, outcome: WriteOutcome): void {
    this.#writes.remove(write);
    this.#loosen(write.position + count, write.length - count);
    if (outcome !== "done" && count < write.length) {
      const rest = part(write, count, write.length);
      rest.doubtful = true;
      this.#writes.add(rest);
      if (outcome === "failed") this.#young.push(rest);
      else {
        rest.ended = Infinity;
        this.#lost.push(rest);
      }
    }
    write.data = write.data?.subarray(0, count) ?? null;
    write.length = count;
    if (count > 0) this.#writes.add(write);
  }

  /**
   * Settles writes that ended before every call under way began. A write that
   * overlaps another one of its own time stays, because either may have won,
   * until a later write or a read decides.
   */
  #settleOld(): void {
    const { oldest } = this;
    for (;;) {
      const write = this.#young.first;
      if (write === undefined || write.ended >= oldest) break;
      this.#young.shift();
      write.old = true;
      if (write.length === 0 || write.doubtful) continue;
      if (this.#writes.isAlone(write)) this.#settleOne(write);
      else {
        this.#coverOlder(write);
        this.#loosened.push(write);
      }
    }
    while (this.#loosened.length > 0) this.#trySettle(this.#loosened.pop()!);
  }

  /** Removes the parts of older writes that a later one has overwritten. */
  #coverOlder(later: Overwrite): void {
    const { position, length } = later;
    for (const write of this.near(position, length)) {
      if (write.ended < later.began) this.#subtract(write, position, length);
    }
  }

  #trySettle(write: Overwrite): void {
    if (write.doubtful || write.length === 0) return;
    const { position, length } = write;
    for (const other of this.near(position, length)) {
      if (other !== write && other.began < write.ended) return;
    }
    this.#settleOne(write);
    this.#loosen(position, length);
  }

  #settleOne(write: Overwrite): void {
    const { position, data, length } = write;
    this.#remove(write);
    // A buffer that is not shared with another part of the write is reused.
    if (data !== null && data.length === data.buffer.byteLength) {
      const spare = this.#disk.exchange(position, data);
      if (this.#spare.length < SPARE_MAX) this.#spare.push(spare);
    } else this.#disk.put(position, data, length);
  }

  /** Schedules old writes near a range that has changed for another check. */
  #loosen(position: number, length: number): void {
    for (const write of this.near(position, length)) {
      if (write.old) this.#loosened.push(write);
    }
  }

  /** Removes a range from a write. */
  #subtract(write: Overwrite, position: number, length: number): void {
    const from = position - write.position;
    const before = part(write, 0, Math.min(from, write.length));
    const after = part(write, Math.max(0, from + length), write.length);
    for (const piece of [before, after]) {
      if (piece.length === 0) continue;
      piece.old = true;
      this.#writes.add(piece);
      this.#loosened.push(piece);
    }
    this.#remove(write);
    this.#loosen(position, length);
  }

  #remove(write: Overwrite): void {
    this.#writes.remove(write);
    write.length = 0;
    write.data = null;
  }

  #copy(data: Uint8Array, length: number): Uint8Array {
    const spare = this.#spare.pop();
    const copy = spare?.length === length ? spare : new Uint8Array(length);
    copy.set(data.length === length ? data : data.subarray(0, length));
    return copy;
  }
}

/** A part of a write, as a write of its own. */
function part(write: Overwrite, from: number, to: number): Overwrite {
  return {
    ...write,
    position: write.position + from,
    data: write.data?.subarray(from, Math.max(from, to)) ?? null,
    length: Math.max(0, to - from),
  };
}
