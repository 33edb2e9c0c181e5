import { DiskPages } from "./disk_pages.ts";
import { illegalByte } from "./legal_bytes.ts";
import {
  checkCount,
  failAtByte,
  ModelMismatch,
  type ModelRead,
  type ModelResize,
  type ModelWrite,
} from "./model_calls.ts";
import { type SizeChange, SizeModel } from "./size_model.ts";
import { WriteHistory, type WriteOutcome } from "./write_history.ts";

/** Longer than any disk. */
const ENDLESS = 2 ** 50;

/**
 * How a {@linkcode DiskModel} is made.
 *
 * @category Checking
 */
export interface DiskModelOptions {
  /** Size of the disk in bytes. */
  readonly size: number;
  /** Whether a write beyond the end grows the disk; no if left out. */
  readonly growable?: boolean;
  /** Whether calls may be short without an error; no if left out. */
  readonly mayFail?: boolean;
  /** Fills in the initial bytes from a position on; zeroes if left out. */
  readonly initial?: (position: number, into: Uint8Array) => void;
}

/**
 * The bytes that a disk may legally return, given when each call began and
 * ended. Where writes overlapped in time, either one's byte is legal until a
 * read that began after both has returned one of them.
 *
 * @example Find a lost write
 * ```ts
 * import { DiskModel, ModelMismatch } from "@mqfuse/mqfuse/sim";
 * import { assertThrows } from "@std/assert";
 *
 * const model = new DiskModel({ size: 4096 });
 * const write = model.beginWrite(0, Uint8Array.of(1, 2));
 * model.endWrite(write, 2);
 * const read = model.beginRead(0, 2);
 * assertThrows(() => model.endRead(read, Uint8Array.of(1, 0)), ModelMismatch);
 * ```
 *
 * @category Checking
 */
export class DiskModel {
  readonly #mayFail: boolean;
  readonly #settled: DiskPages;
  readonly #history: WriteHistory;
  readonly #sizes: SizeModel;
  /** The farthest end of any call so far. */
  #farthest = 0;

  /** Makes the model of a disk that is not in use yet. */
  constructor(options: DiskModelOptions) {
    this.#mayFail = options.mayFail ?? false;
    this.#settled = new DiskPages(options.initial);
    this.#history = new WriteHistory(this.#settled);
    this.#sizes = new SizeModel(options.size, options.growable ?? false);
  }

  /** Size of the disk in bytes; the largest possible one if it is uncertain. */
  get size(): number {
    return this.#sizes.size;
  }

  /** A read begins. */
  beginRead(position: number, length: number): ModelRead {
    const read: ModelRead = {
      began: 0,
      over: false,
      position,
      length,
      sizeMin: 0,
      sizeMax: 0,
      slot: 0,
    };
    this.#history.begin(read);
    this.#sizes.open(read);
    return read;
  }

  /**
   * A read ends.
   *
   * @param read The result of {@linkcode DiskModel.beginRead}.
   * @param bytes The bytes read; `null` if the read failed.
   * @throws {ModelMismatch} If no correct disk can return these bytes.
   */
  endRead(read: ModelRead, bytes: Uint8Array | null): void {
    this.#sizes.close(read);
    try {
      if (bytes !== null) {
        this.#checkLength(read, bytes.length);
        this.#checkBytes(read, bytes);
      }
    } finally {
      this.#history.end(read);
    }
  }

  /** A write begins; `null` stands for zeroes. */
  beginWrite(
    position: number,
    data: Uint8Array | null,
    length: number = data?.length ?? 0,
  ): ModelWrite {
    this.#farthest = Math.max(this.#farthest, position + length);
    // Zeroing never grows the disk.
    const growth = data === null
      ? null
      : this.#sizes.begin(position + length, true);
    const overwrite = this.#history.beginWrite(position, data, length);
    const window = { sizeMin: 0, sizeMax: 0, slot: 0 };
    this.#sizes.open(window);
    return { growth, overwrite, asked: length, window };
  }

  /**
   * A write ends.
   *
   * @param write The result of {@linkcode DiskModel.beginWrite}.
   * @param count Bytes written; negative if the write failed, in which case any
   * part of it may have reached the disk.
   * @param lost Whether a failed write may still reach the disk later.
   * @throws {ModelMismatch} If no correct disk can write that many bytes.
   */
  endWrite(write: ModelWrite, count: number, lost: boolean = false): void {
    const { overwrite, asked, window, growth } = write;
    const { position } = overwrite;
    if (overwrite.data === null) return this.#endZero(write, count, lost);
    const most = growth === null
      ? fits(asked, position, window.sizeMax)
      : asked;
    const least = this.#mayFail ? 0 : fits(asked, position, window.sizeMin);
    const isWrong = count > most || count >= 0 && count < least;
    const done = isWrong ? 0 : Math.max(0, count);
    const outcome = lost
      ? "lost"
      : count < 0 || this.#mayFail
      ? "failed"
      : "done";
    if (growth !== null) {
      const whole = done > 0 && done === asked;
      this.#sizes.end(growth, whole ? position + done : null, lost);
    }
    this.#sizes.close(window);
    this.#history.endWrite(overwrite, done, outcome);
    if (isWrong) checkCount("written", position, count, least, most);
  }

  /** A write-back has failed and may still be carried out. */
  mayComeLate(position: number, data: Uint8Array): void {
    this.endWrite(this.beginWrite(position, data), -1, true);
  }

  /** Zeroing stops at the end of the disk, wherever that was. */
  #endZero(write: ModelWrite, count: number, lost: boolean): void {
    const { overwrite, asked, window } = write;
    const { position } = overwrite;
    this.#sizes.close(window);
    this.#history.reach(overwrite, fits(asked, position, window.sizeMax));
    const done = count < 0 ? 0 : fits(asked, position, window.sizeMin);
    this.#history.endWrite(overwrite, done, lost ? "lost" : "failed");
  }

  /** A change of the size begins. */
  beginResize(size: number): ModelResize {
    const certain = this.#sizes.certain;
    const from = Math.min(size, this.#sizes.least);
    this.#farthest = Math.max(this.#farthest, size, this.#sizes.size);
    const change = this.#sizes.begin(size, false)!;
    // A write beyond the new end during the call may be cut off too.
    const overwrite = this.#history.beginWrite(from, null, ENDLESS);
    return { overwrite, change, certain };
  }

  /** A change of the size ends. */
  endResize(
    { overwrite, change, certain }: ModelResize,
    outcome: WriteOutcome,
  ): void {
    const done = outcome === "done";
    const length = Math.max(0, this.#farthest - overwrite.position);
    this.#history.reach(overwrite, length);
    this.#sizes.end(change, done ? change.size : null, outcome === "lost");
    const isExact = done && certain && this.#sizes.certain;
    if (isExact) {
      this.#history.endWrite(overwrite, length, "done");
    } else {
      const rest = outcome === "lost" ? "lost" : "failed";
      this.#history.endWrite(overwrite, 0, rest);
    }
  }

  /** Reserving the space of a range begins. */
  beginReserve(position: number, length: number): SizeChange {
    const end = position + length;
    this.#farthest = Math.max(this.#farthest, end);
    return this.#sizes.beginGrowth(end);
  }

  /** Reserving space ends; the disk reaches to the end of the range. */
  endReserve(change: SizeChange, outcome: WriteOutcome): void {
    const size = outcome === "done" ? change.size : null;
    this.#sizes.end(change, size, outcome === "lost");
  }

  /** The size has changed while no other call was under way. */
  resize(size: number): void {
    this.endResize(this.beginResize(size), "done");
  }

  /**
   * A process has seen the size while no call was under way.
   *
   * @throws {ModelMismatch} If the disk cannot have this size.
   */
  sawSize(size: number): void {
    if (this.#sizes.seen(size)) return;
    throw new ModelMismatch(
      size,
      `Cannot have a size of ${size}: expected ${this.#sizes.size}`,
    );
  }

  /** Failed writes that could still reach the disk cannot any more. */
  forgetLost(): void {
    this.#history.forgetLost();
    this.#sizes.forgetLost();
  }

  #checkLength(read: ModelRead, got: number): void {
    const { position, length, sizeMin, sizeMax } = read;
    const least = this.#mayFail ? 0 : fits(length, position, sizeMin);
    checkCount("read", position, got, least, fits(length, position, sizeMax));
  }

  #checkBytes({ began, position }: ModelRead, bytes: Uint8Array): void {
    const undecided = this.#history.near(position, bytes.length);
    if (undecided.length === 0 && this.#settled.holds(position, bytes)) return;
    for (let i = 0; i < bytes.length;) {
      const at = position + i;
      const settled = this.#settled.at(at, bytes.length - i);
      const rest = bytes.subarray(i, i + settled.length);
      const wrong = illegalByte(undecided, began, at, rest, settled);
      if (wrong !== null) {
        const byte = bytes[wrong.position - position]!;
        failAtByte(wrong.position, byte, wrong.expected);
      }
      i += settled.length;
    }
    const read = { began, position, length: bytes.length };
    if (this.#history.decide(read)) {
      this.#settled.put(position, bytes, bytes.length);
    }
  }
}

/** Bytes of a range that lie inside a disk of a size. */
function fits(
  length: number,
  position: number,
  size: number,
): number {
  return Math.max(0, Math.min(length, size - position));
}
