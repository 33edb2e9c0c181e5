import type { Backend } from "../backend.ts";
import { sectorEnd } from "../size.ts";
import { firstDifference, isZero } from "./compare_bytes.ts";
import type { DiskPart } from "./disk_part.ts";
import { allWritten } from "./must_write.ts";
import { PartReader } from "./part_reader.ts";
import type { DiskRun, PartWriter } from "./part_writer.ts";

/** Bytes of a buffer: they stay in the CPU's cache until written. */
const BUFFER = 1 << 20;

/** What a unit of the disk is. */
const UNIT = {
  /** The target reads so already. */
  SAME: 0,
  ZERO: 1,
  DATA: 2,
} as const;

/** A buffer that is filled, and then written. */
class CopyBuffer {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly runs: DiskRun[] = [];
  /** Where the next bytes go. */
  used = 0;
  /** Settles once its last runs are written; `null` if they are. */
  written: Promise<void> | null = null;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }
}

/** Copies parts of a disk, in one thread. */
export class PartCopier<Result> {
  readonly #source: PartReader;
  readonly #below: PartReader | null;
  readonly #writer: PartWriter<Result>;
  readonly #buffers: readonly CopyBuffer[];
  /**
   * What the target shows without being written, for the bytes of the buffer that
   * is being filled: those of `below`.
   */
  readonly #shown: Uint8Array<ArrayBuffer> | null;
  /** The buffer that is being filled, by its index. */
  #current = 0;
  /** How often a buffer was taken, and how often it was still being written. */
  #taken = 0;
  #waited = 0;
  /** Settles once the last part has been read: they are read in order. */
  #reading: Promise<void> = Promise.resolve();

  private constructor(
    source: PartReader,
    writer: PartWriter<Result>,
    below: PartReader | null,
  ) {
    const size = Math.max(BUFFER, writer.unit);
    this.#source = source;
    this.#writer = writer;
    this.#below = below;
    this.#shown = below === null ? null : new Uint8Array(size);
    this.#buffers = Array.from(
      { length: writer.buffers },
      () => new CopyBuffer(size),
    );
  }

  /**
   * Makes a copier of images that are open in this thread.
   *
   * @param source The disk.
   * @param writer Takes what differs from `below`.
   * @param below What the target reads as without being written; zeroes if
   * `null`.
   */
  static async open<Result>(
    source: Backend,
    writer: PartWriter<Result>,
    below: Backend | null,
  ): Promise<PartCopier<Result>> {
    return new PartCopier(
      // Parts lie within the disk. If it has become shorter since they were
      // made, what is missing is an error.
      new PartReader(source, Infinity),
      writer,
      below === null ? null : new PartReader(below, (await below.stat()).size),
    );
  }

  /** Parts that are copied at once, so that reading need not wait for writes. */
  get depth(): number {
    return this.#buffers.length > 1 ? 2 : 1;
  }

  /** Whether it waits for its writes, most of the time. */
  get waitsForWrites(): boolean {
    return this.depth > 1 && 2 * this.#waited > this.#taken;
  }

  /**
   * Copies a part; up to `depth` of them at once.
   *
   * @throws {UserError} If it cannot be read or written.
   */
  async copy(part: DiskPart): Promise<Result> {
    const read = this.#reading.then(() => this.#read(part));
    // Its caller is told of an error; those that follow are not.
    this.#reading = read.then(() => {}, () => {});
    const writes = await read;
    // Once this has failed, no write may be under way: the file is closed then.
    await allWritten(writes);
    return await this.#writer.end();
  }

  /** Reads a part, and returns the writes that it has begun. */
  async #read(part: DiskPart): Promise<Promise<void>[]> {
    const { unit } = this.#writer;
    const writes: Promise<void>[] = [];
    let buffer = await this.#take();
    try {
      for (const { start, end } of part) {
        for (let at = start; at < end;) {
          if (buffer.bytes.length - buffer.used < unit) {
            writes.push(this.#write(buffer));
            buffer = await this.#take();
          }
          const length = Math.min(buffer.bytes.length - buffer.used, end - at);
          await this.#fill(buffer, at, length);
          at += length;
        }
      }
      writes.push(this.#write(buffer));
    } catch (error) {
      // The next part may use the buffers again only once they are written.
      await Promise.allSettled(writes);
      throw error;
    }
    return writes;
  }

  /** Waits for the next buffer. */
  async #take(): Promise<CopyBuffer> {
    const buffer = this.#buffers[this.#current]!;
    this.#taken++;
    if (buffer.written !== null) {
      this.#waited++;
      await buffer.written;
    }
    buffer.runs.length = 0;
    buffer.used = 0;
    return buffer;
  }

  #write(buffer: CopyBuffer): Promise<void> {
    this.#current = (this.#current + 1) % this.#buffers.length;
    const { bytes, runs } = buffer;
    const put = (async () => {
      if (runs.length > 0) await this.#writer.put(bytes, runs);
    })();
    const over = () => {
      buffer.written = null;
    };
    // An error is told to the part whose bytes it has, not to the next user.
    buffer.written = put.then(over, over);
    return put;
  }

  /** Reads a range to the end of what a buffer has, and tells its units apart. */
  async #fill(
    buffer: CopyBuffer,
    position: number,
    length: number,
  ): Promise<void> {
    const { unit } = this.#writer;
    const { bytes, used } = buffer;
    await this.#source.read(position, bytes, used, length, unit);
    // The target shows the rest of a last sector, which the source reads as zeroes.
    const shown = sectorEnd(length);
    await this.#below?.read(position, this.#shown!, used, shown, unit);
    buffer.used += Math.ceil(length / unit) * unit;
    let from = 0;
    let kind = this.#kindOf(bytes, used, shown);
    for (let at = unit; from < length; at += unit) {
      const next = at < length
        ? this.#kindOf(bytes, used + at, shown - at)
        : null;
      if (next === kind) continue;
      const to = Math.min(at, length);
      const run = { position: position + from, length: to - from };
      if (kind === UNIT.DATA) buffer.runs.push({ ...run, start: used + from });
      if (kind === UNIT.ZERO) await this.#writer.zero(run.position, run.length);
      from = to;
      if (next !== null) kind = next;
    }
  }

  /** What the unit at `at` of a buffer is; `length` bytes are left. */
  #kindOf(
    bytes: Uint8Array<ArrayBuffer>,
    at: number,
    length: number,
  ): typeof UNIT[keyof typeof UNIT] {
    const count = Math.min(this.#writer.unit, length);
    const shown = this.#shown;
    if (shown === null) return isZero(bytes, at, count) ? UNIT.SAME : UNIT.DATA;
    if (firstDifference(bytes, shown, at, count) < 0) return UNIT.SAME;
    return isZero(bytes, at, count) ? UNIT.ZERO : UNIT.DATA;
  }
}
