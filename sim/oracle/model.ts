import { DiskPages } from "./disk_pages.ts";
import { illegalByte } from "./legal_bytes.ts";
import { type SizeChange, SizeModel, type SizeWindow } from "./size_model.ts";
import {
  type HistoryCall,
  type Overwrite,
  WriteHistory,
  type WriteOutcome,
} from "./write_history.ts";

/** Longer than any disk. */
const ENDLESS = 2 ** 50;

/** How a {@linkcode DiskModel} is made. */
export interface DiskModelOptions {
  /** Size of the disk in bytes. */
  readonly size: number;
  /** Whether a write behind the end makes it larger; no if left out. */
  readonly growable?: boolean;
  /** Whether calls may do less than they were asked for; no if left out. */
  readonly mayFail?: boolean;
  /** Fills in what the disk holds at a position; zeroes if left out. */
  readonly initial?: (position: number, into: Uint8Array) => void;
}

/** A read that is under way. */
export interface ModelRead extends HistoryCall, SizeWindow {
  /** Where it reads. */
  readonly position: number;
  /** Bytes that it asks for. */
  readonly length: number;
}

/** A write that is under way. */
export interface ModelWrite {
  /** What it writes. */
  readonly overwrite: Overwrite;
  /** Bytes that it was asked to write. */
  readonly asked: number;
  /** The sizes that the disk may have had meanwhile. */
  readonly window: SizeWindow;
  /** Whether it may make the disk larger. */
  readonly growth: SizeChange | null;
}

/** A change of the size that is under way. */
export interface ModelResize {
  /** What it makes zero. */
  readonly overwrite: Overwrite;
  /** The change. */
  readonly change: SizeChange;
  /** Whether the size was known when it began. */
  readonly certain: boolean;
}

/** A disk that was read or written in a way that no disk can be. */
export class ModelMismatch extends Error {
  /** Where the first wrong byte lies, or the read itself. */
  readonly position: number;

  /** Describes what is wrong. */
  constructor(position: number, message: string) {
    super(message);
    this.name = "ModelMismatch";
    this.position = position;
  }
}

/**
 * What a disk must hold after what was done to it, told when each call begins
 * and ends. Where writes overlapped in time, either one's byte is right, and
 * so it is for a read meanwhile; the first read afterwards decides.
 */
export class DiskModel {
  readonly #options: DiskModelOptions;
  readonly #settled: DiskPages;
  readonly #history: WriteHistory;
  readonly #sizes: SizeModel;
  /** Where the image was found cut short, in the order of time. */
  #cuts: Overwrite[] = [];
  /** The farthest end that anything had. */
  #farthest = 0;

  /** Makes the model of a disk that nobody uses yet. */
  constructor(options: DiskModelOptions) {
    this.#options = options;
    this.#settled = new DiskPages(options.initial);
    this.#history = new WriteHistory(this.#settled);
    this.#sizes = new SizeModel(options.size, options.growable ?? false);
  }

  /** Size of the disk in bytes; the largest that is possible. */
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
   * @param read What {@linkcode DiskModel.beginRead} returned.
   * @param bytes What was read; `null` if it failed.
   * @throws {ModelMismatch} If that cannot be.
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
    // Zeroes never make a disk larger.
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
   * @param write What {@linkcode DiskModel.beginWrite} returned.
   * @param count Bytes written; negative if it failed, which leaves open what
   * of it took place.
   * @param lost Whether what failed may still take place later.
   * @throws {ModelMismatch} If that cannot be.
   */
  endWrite(write: ModelWrite, count: number, lost: boolean = false): void {
    const { overwrite, asked, window, growth } = write;
    const { position } = overwrite;
    if (overwrite.data === null) return this.#endZero(write, count, lost);
    const fits = (size: number) =>
      Math.max(0, Math.min(asked, size - position));
    const most = growth === null ? fits(window.sizeMax) : asked;
    const least = this.#options.mayFail ? 0 : fits(window.sizeMin);
    const isWrong = count > most || count >= 0 && count < least;
    const done = isWrong ? 0 : Math.max(0, count);
    const outcome = lost
      ? "lost"
      : count < 0 || this.#options.mayFail
      ? "failed"
      : "done";
    if (growth !== null) {
      const whole = done > 0 && done === asked;
      this.#sizes.end(growth, whole ? position + done : null, lost);
    }
    this.#sizes.close(window);
    this.#history.endWrite(overwrite, done, outcome);
    if (!isWrong) return;
    throw new ModelMismatch(
      position,
      `Cannot have written ${count} bytes at ${position}: expected ${least} to ${most}`,
    );
  }

  /** Something that failed before anybody was told may still take place. */
  mayComeLate(position: number, data: Uint8Array): void {
    this.endWrite(this.beginWrite(position, data), -1, true);
  }

  /** Zeroes end at the end of the disk, wherever that was. */
  #endZero(write: ModelWrite, count: number, lost: boolean): void {
    const { overwrite, asked, window } = write;
    const { position } = overwrite;
    const fits = (size: number) =>
      Math.max(0, Math.min(asked, size - position));
    this.#sizes.close(window);
    this.#history.reach(overwrite, fits(window.sizeMax));
    const done = count < 0 ? 0 : fits(window.sizeMin);
    this.#history.endWrite(overwrite, done, lost ? "lost" : "failed");
  }

  /** A change of the size begins. */
  beginResize(size: number): ModelResize {
    const certain = this.#sizes.certain;
    const from = Math.min(size, this.#sizes.least);
    this.#farthest = Math.max(this.#farthest, size, this.#sizes.size);
    const change = this.#sizes.begin(size, false)!;
    // Whatever is written behind the end meanwhile may be cut off too.
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

  /** The size has changed, while nothing else was under way. */
  resize(size: number): void {
    this.endResize(this.beginResize(size), "done");
  }

  /**
   * Somebody has seen the size, while nothing was under way.
   *
   * @throws {ModelMismatch} If it cannot be.
   */
  sawSize(size: number): void {
    if (this.#sizes.seen(size)) return;
    throw new ModelMismatch(
      size,
      `Cannot have a size of ${size}: expected ${this.#sizes.size}`,
    );
  }

  /**
   * The backend has found the image cut short: reads that are under way may
   * find zeroes there, as an export makes of that.
   */
  cut(position: number, length: number): void {
    const oldest = this.#history.oldest;
    this.#cuts = this.#cuts.filter(({ began }) => began >= oldest);
    this.#cuts.push({
      began: this.#history.now,
      over: false,
      ended: Infinity,
      position,
      data: null,
      length,
      doubtful: true,
      old: false,
    });
  }

  /** What failed and could take place at any time cannot any more. */
  forgetLost(): void {
    this.#history.forgetLost();
    this.#sizes.forgetLost();
  }

  #checkLength(read: ModelRead, got: number): void {
    const { position, length } = read;
    const fits = (size: number) =>
      Math.max(0, Math.min(length, size - position));
    const max = fits(read.sizeMax);
    const min = this.#options.mayFail ? 0 : fits(read.sizeMin);
    if (got < min || got > max) {
      throw new ModelMismatch(
        position,
        `Cannot have read ${got} bytes at ${position}: expected ${min} to ${max}`,
      );
    }
  }

  #checkBytes({ began, position }: ModelRead, bytes: Uint8Array): void {
    const undecided = this.#history.near(position, bytes.length);
    if (undecided.length === 0 && this.#settled.holds(position, bytes)) return;
    const cuts = this.#cuts.filter((cut) =>
      cut.began >= began && cut.position < position + bytes.length &&
      position < cut.position + cut.length
    );
    const possible = [...undecided, ...cuts];
    for (let i = 0; i < bytes.length;) {
      const at = position + i;
      const settled = this.#settled.at(at, bytes.length - i);
      const rest = bytes.subarray(i, i + settled.length);
      const wrong = illegalByte(possible, began, at, rest, settled);
      if (wrong !== null) refuse(wrong, bytes[wrong.position - position]!);
      i += settled.length;
    }
    if (cuts.length > 0) return;
    const read = { began, position, length: bytes.length };
    if (this.#history.decide(read)) {
      this.#settled.put(position, bytes, bytes.length);
    }
  }
}

function refuse(
  { position, expected }: { position: number; expected: readonly number[] },
  byte: number,
): never {
  throw new ModelMismatch(
    position,
    `Cannot have read ${byte} at ${position}: expected ${
      expected.join(" or ")
    }`,
  );
}
