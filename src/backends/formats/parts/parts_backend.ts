import { ERRNO } from "../../../base/errno.ts";
import type { NewTime } from "../../../base/timespec.ts";
import type {
  Answer,
  Backend,
  Extent,
  ImageStat,
  ZeroOptions,
} from "../../backend.ts";
import { transferAll } from "../../transfer_all.ts";

/** Several images, one after the other, as one. */
export class PartsBackend implements Backend {
  readonly name: string;
  readonly shared: boolean;
  readonly writable: boolean;
  readonly background: boolean;
  readonly needsExclusiveWrite?: NonNullable<Backend["needsExclusiveWrite"]>;
  readonly splice?: NonNullable<Backend["splice"]>;
  readonly #pieces: readonly Backend[];
  /** Where each piece starts, and where the last one ends. */
  readonly #starts: readonly number[];
  /** The piece of the last call: the next one often uses it too. */
  #last = 0;

  /**
   * Joins images.
   *
   * @param name The name in messages.
   * @param pieces The images; their owner closes them after this one.
   * @param sizes Their sizes in bytes, which stay.
   */
  constructor(
    name: string,
    pieces: readonly Backend[],
    sizes: readonly number[],
  ) {
    this.name = name;
    this.#pieces = pieces;
    const starts = [0];
    for (const size of sizes) starts.push(starts.at(-1)! + size);
    this.#starts = starts;
    this.shared = pieces.every(({ shared }) => shared);
    this.writable = pieces.every(({ writable }) => writable);
    this.background = pieces.some(({ background }) => background === true);
    if (pieces.some((piece) => piece.needsExclusiveWrite !== undefined)) {
      this.needsExclusiveWrite = this.#needsExclusiveWrite;
    }
    if (pieces.every(({ splice }) => splice !== undefined)) {
      this.splice = this.#splice;
    }
  }

  /** Times are those of the piece that was changed last. */
  async stat(): Promise<ImageStat> {
    const stats: ImageStat[] = [];
    for (const piece of this.#pieces) stats.push(await piece.stat());
    const size = this.#starts.at(-1)!;
    const newest = stats.reduce((one, other) =>
      (other.times?.mtime ?? 0n) > (one.times?.mtime ?? 0n) ? other : one
    );
    const spaces = stats.map(({ allocated }) => allocated);
    return {
      ...newest,
      size,
      allocated: spaces.reduce((sum, space) =>
        sum === null || space === null ? null : sum + space
      ),
    };
  }

  read(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Answer {
    const i = this.#pieceAt(position);
    const from = this.#starts[i]!;
    if (position + length > this.#starts[i + 1]!) {
      return this.#across(
        position,
        length,
        (piece, at, done, here) => piece.read(at, buffer, start + done, here),
      );
    }
    return this.#pieces[i]!.read(position - from, buffer, start, length);
  }

  write(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Answer {
    const i = this.#pieceAt(position);
    const from = this.#starts[i]!;
    if (position + length > this.#starts[i + 1]!) {
      return this.#across(
        position,
        length,
        (piece, at, done, here) => piece.write(at, buffer, start + done, here),
      );
    }
    return this.#pieces[i]!.write(position - from, buffer, start, length);
  }

  zero(
    position: number,
    length: number,
    options: ZeroOptions,
  ): Answer {
    return this.#each(
      position,
      length,
      (piece, at, here) => piece.zero(at, here, options),
    );
  }

  allocate(position: number, length: number): Answer {
    return this.#each(
      position,
      length,
      (piece, at, here) => piece.allocate(at, here),
    );
  }

  async extent(position: number): Promise<Extent> {
    const i = this.#pieceAt(position);
    const from = this.#starts[i]!;
    const { data, end } = await this.#pieces[i]!.extent(position - from);
    return { data, end: Math.min(from + end, this.#starts[i + 1]!) };
  }

  /** Flushes every piece, also after an error. */
  async flush(): Promise<number> {
    let result = 0;
    for (const piece of this.#pieces) {
      const error = await piece.flush();
      if (result === 0) result = error;
    }
    return result;
  }

  async setTimes(atime: NewTime, mtime: NewTime): Promise<number> {
    for (const piece of this.#pieces) {
      const error = await piece.setTimes(atime, mtime);
      if (error < 0) return error;
    }
    return 0;
  }

  queueEnded(queue: number): void {
    for (const piece of this.#pieces) piece.queueEnded?.(queue);
  }

  truncate(_size: number): Answer {
    return -ERRNO.EINVAL;
  }

  close(): Answer<void> {}

  /** The piece with a position; the last one if that is the end. */
  #pieceAt(position: number): number {
    const starts = this.#starts;
    let low = this.#last;
    if (position >= starts[low]! && position < starts[low + 1]!) return low;
    low = 0;
    let high = this.#pieces.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (position < starts[middle + 1]!) high = middle;
      else low = middle + 1;
    }
    this.#last = low;
    return low;
  }

  /** Calls something for each piece of a range, until one fails. */
  async #each(
    position: number,
    length: number,
    call: (piece: Backend, at: number, length: number) => Answer,
  ): Promise<number> {
    const end = position + length;
    for (let at = position; at < end;) {
      const i = this.#pieceAt(at);
      const here = Math.min(end, this.#starts[i + 1]!) - at;
      const error = await call(
        this.#pieces[i]!,
        at - this.#starts[i]!,
        here,
      );
      if (error < 0) return error;
      at += here;
    }
    return 0;
  }

  /** A transfer that goes on in the next piece. */
  #across(
    position: number,
    length: number,
    call: (piece: Backend, at: number, done: number, here: number) => Answer,
  ): Answer {
    const end = this.#starts.at(-1)!;
    return transferAll(Math.min(length, end - position), (done) => {
      const at = position + done;
      const i = this.#pieceAt(at);
      const here = Math.min(length - done, this.#starts[i + 1]! - at);
      return call(this.#pieces[i]!, at - this.#starts[i]!, done, here);
    });
  }

  #needsExclusiveWrite(position: number, length: number): boolean {
    const end = position + length;
    const last = this.#pieceAt(Math.max(position, end - 1));
    for (let i = this.#pieceAt(position); i <= last; i++) {
      const from = this.#starts[i]!;
      const at = Math.max(position, from);
      const here = Math.min(end, this.#starts[i + 1]!) - at;
      const piece = this.#pieces[i]!;
      if (piece.needsExclusiveWrite?.(at - from, here)) return true;
    }
    return false;
  }

  #splice: NonNullable<Backend["splice"]> = (position, length, pipe) => {
    const i = this.#pieceAt(position);
    if (position + length > this.#starts[i + 1]!) return 0;
    return this.#pieces[i]!.splice!(position - this.#starts[i]!, length, pipe);
  };
}
