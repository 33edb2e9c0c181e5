import type { DiskPages } from "./disk_pages.ts";
import { Fifo } from "../kernel/fifo.ts";
import { RangeIndex } from "./range_index.ts";

/** A call on the disk. */
export interface HistoryCall {
  /** When it began. */
  began: number;
  /** Whether it has come back. */
  over: boolean;
}

/** A write, or a range that was made zero, or what is left of one. */
export interface Overwrite extends HistoryCall {
  /** When it ended; `Infinity` while it may still take place. */
  ended: number;
  /** Where it writes. */
  readonly position: number;
  /** What it writes; `null` for zeroes. */
  data: Uint8Array | null;
  /** Bytes that it writes; 0 once it counts no more. */
  length: number;
  /** Whether it may have taken place only in part, or not at all. */
  doubtful: boolean;
  /** Whether it ended before everything that is under way began. */
  old: boolean;
}

/** How a write came out. */
export type WriteOutcome =
  /** It did what it says. */
  | "done"
  /** It failed, and may have done a part. */
  | "failed"
  /** It failed, and may still take place at any time. */
  | "lost";

/** Buffers that are kept to be used again. */
const SPARE_MAX = 256;

/**
 * Writes that did not come one after another, until it is known what they
 * left behind.
 */
export class WriteHistory {
  /** Writes that are not settled. */
  readonly #writes: RangeIndex<Overwrite> = new RangeIndex();
  /** Calls in the order in which they began, from the oldest under way on. */
  readonly #calls: Fifo<HistoryCall> = new Fifo();
  /** Writes in the order in which they ended, up to the first that is old. */
  readonly #young: Fifo<Overwrite> = new Fifo();
  /** Writes that may still take place. */
  #lost: Overwrite[] = [];
  /** Old writes near which something has gone since they were looked at. */
  readonly #loosened: Overwrite[] = [];
  readonly #spare: Uint8Array[] = [];
  readonly #disk: DiskPages;
  #now = 0;

  /** Makes a history that brings to a disk what is known of it. */
  constructor(disk: DiskPages) {
    this.#disk = disk;
  }

  /** The time: how much has begun and ended so far. */
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

  /** A call begins: notes when. */
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

  /** Notes how far a write under way goes. */
  reach(write: Overwrite, length: number): void {
    this.#writes.remove(write);
    this.#loosen(write.position, write.length);
    write.length = length;
    this.#writes.add(write);
  }

  /**
   * A write ends.
   *
   * @param count Bytes that it has written for certain.
   * @param outcome What is known of the others.
   */
  endWrite(write: Overwrite, count: number, outcome: WriteOutcome): void {
    write.ended = ++this.#now;
    const isWhole = count > 0 && count === write.length;
    if (!isWhole) this.#cutShort(write, count, outcome);
    if (count > 0) this.#young.push(write);
    this.end(write);
  }

  /** What failed and could take place at any time cannot any more. */
  forgetLost(): void {
    const now = ++this.#now;
    for (const write of this.#lost) {
      write.ended = now;
      this.#young.push(write);
    }
    this.#lost = [];
  }

  /** Writes that are not settled and touch a range. */
  near(position: number, length: number): readonly Overwrite[] {
    return this.#writes.near(position, length);
  }

  /**
   * Notes what a read has found, which decides what was left open.
   *
   * @param read When the read began, where, and what it found.
   * @returns Whether the read came after every write near it.
   */
  decide(read: { began: number; position: number; length: number }): boolean {
    const { began, position, length } = read;
    const before = Math.min(this.oldest, began);
    const near = this.near(position, length);
    if (!near.every(({ ended }) => ended < before)) return false;
    for (const write of near) this.#subtract(write, position, length);
    return true;
  }

  /** Keeps of a write what it did for certain, and notes what is in doubt. */
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
   * Settles what ended before everything that is under way began, unless it
   * overlaps another write of its own time: then either may have won, until a
   * later write or a read decides.
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

  /** Takes away what lies below a write that came after it. */
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
    // A buffer that no other piece of the write has a share of is used again.
    if (data !== null && data.length === data.buffer.byteLength) {
      const spare = this.#disk.exchange(position, data);
      if (this.#spare.length < SPARE_MAX) this.#spare.push(spare);
    } else this.#disk.put(position, data, length);
  }

  /** Has old writes looked at again near which something has gone. */
  #loosen(position: number, length: number): void {
    for (const write of this.near(position, length)) {
      if (write.old) this.#loosened.push(write);
    }
  }

  /** Takes a range out of a write. */
  #subtract(write: Overwrite, position: number, length: number): void {
    const from = position - write.position;
    const before = part(write, 0, Math.min(from, write.length));
    const behind = part(write, Math.max(0, from + length), write.length);
    for (const piece of [before, behind]) {
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
