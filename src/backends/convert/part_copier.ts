import { ERRNO, errnoName } from "../../base/errno.ts";
import { UserError } from "../../base/user_error.ts";
import type { Backend } from "../backend.ts";
import { readFully } from "../read_fully.ts";
import { firstDifference, isZero } from "./compare_bytes.ts";
import type { DiskPart } from "./disk_part.ts";

/** Bytes that are read at once: they stay in the CPU's cache until written. */
const STEP = 1 << 20;

/** Takes the bytes of a disk, in one thread. */
export interface PartWriter<Result = unknown> {
  /** Bytes that are stored, left out or zeroed as one. */
  readonly unit: number;
  /**
   * Stores whole units, or what the disk has of the last one: zeroes follow in
   * the buffer then.
   *
   * @throws {UserError} If they cannot be written.
   */
  put(
    position: number,
    buffer: Uint8Array<ArrayBuffer>,
    start: number,
    length: number,
  ): void | Promise<void>;
  /** Makes whole units read as zeroes, which they would not do else. */
  zero(position: number, length: number): void | Promise<void>;
  /** Ends a part. */
  end(): Result | Promise<Result>;
}

/** What a unit of the disk is. */
const UNIT = {
  /** The target reads so already. */
  SAME: 0,
  ZERO: 1,
  DATA: 2,
} as const;

/** An image that is read part by part. */
class PartReader {
  readonly buffer: Uint8Array<ArrayBuffer>;

  constructor(
    readonly image: Backend,
    readonly size: number,
    step: number,
  ) {
    this.buffer = new Uint8Array(step);
  }

  /** Reads a range; zeroes follow the end of the image. */
  async read(position: number, length: number, unit: number): Promise<void> {
    const there = Math.max(0, Math.min(length, this.size - position));
    const got = await readFully(this.image, position, this.buffer, 0, there);
    if (got !== there) {
      const error = got < 0 ? -got : ERRNO.EIO;
      throw new UserError(
        `Cannot read ${this.image.name} at byte ${position} (${
          errnoName(error)
        }): a part of it is missing or damaged, or its storage fails; compare it with its source`,
      );
    }
    this.buffer.fill(0, there, Math.ceil(length / unit) * unit);
  }
}

/** Copies parts of a disk, in one thread. */
export class PartCopier<Result> {
  readonly #source: PartReader;
  readonly #below: PartReader | null;
  readonly #writer: PartWriter<Result>;

  /**
   * Prepares to copy.
   *
   * @param source The disk.
   * @param size Its size.
   * @param writer Takes what differs from `below`.
   * @param below What the target reads as without being written; zeroes if
   * `null`.
   */
  private constructor(
    source: PartReader,
    writer: PartWriter<Result>,
    below: PartReader | null,
  ) {
    this.#source = source;
    this.#writer = writer;
    this.#below = below;
  }

  /** Makes a copier of images that are open in this thread. */
  static async open<Result>(
    source: Backend,
    writer: PartWriter<Result>,
    below: Backend | null,
  ): Promise<PartCopier<Result>> {
    const step = Math.max(STEP, writer.unit);
    return new PartCopier(
      // Parts lie within the disk. If it has become shorter since they were
      // made, what is missing is an error.
      new PartReader(source, Infinity, step),
      writer,
      below === null
        ? null
        : new PartReader(below, (await below.stat()).size, step),
    );
  }

  /**
   * Copies a part.
   *
   * @throws {UserError} If it cannot be read or written.
   */
  async copy(part: DiskPart): Promise<Result> {
    const step = this.#source.buffer.length;
    for (const { start, end } of part) {
      for (let at = start; at < end; at += step) {
        await this.#step(at, Math.min(step, end - at));
      }
    }
    return await this.#writer.end();
  }

  async #step(position: number, length: number): Promise<void> {
    const { unit } = this.#writer;
    await this.#source.read(position, length, unit);
    await this.#below?.read(position, length, unit);
    let from = 0;
    let kind = this.#kindOf(0, length);
    for (let at = unit; from < length; at += unit) {
      const next = at < length ? this.#kindOf(at, length) : null;
      if (next === kind) continue;
      const to = Math.min(at, length);
      await this.#store(kind, position, from, to - from);
      from = to;
      if (next !== null) kind = next;
    }
  }

  #kindOf(at: number, length: number): typeof UNIT[keyof typeof UNIT] {
    const { buffer } = this.#source;
    const bytes = Math.min(this.#writer.unit, length - at);
    const below = this.#below;
    if (below === null) {
      return isZero(buffer, at, bytes) ? UNIT.SAME : UNIT.DATA;
    }
    if (firstDifference(buffer, below.buffer, at, bytes) < 0) return UNIT.SAME;
    return isZero(buffer, at, bytes) ? UNIT.ZERO : UNIT.DATA;
  }

  async #store(
    kind: typeof UNIT[keyof typeof UNIT],
    position: number,
    from: number,
    length: number,
  ): Promise<void> {
    const at = position + from;
    if (kind === UNIT.ZERO) await this.#writer.zero(at, length);
    if (kind !== UNIT.DATA) return;
    await this.#writer.put(at, this.#source.buffer, from, length);
  }
}
