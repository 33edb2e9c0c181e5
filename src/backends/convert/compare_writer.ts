import type { DiskRun, PartWriter } from "./part_writer.ts";

/** Bytes that are told apart. */
const UNIT = 4096;

/** Writes nothing, and tells the first place that it had to write to. */
export class CompareWriter implements PartWriter<number | null> {
  readonly unit = UNIT;
  readonly buffers = 1;
  #first: number | null = null;

  put(_buffer: Uint8Array, runs: readonly DiskRun[]): void {
    this.#found(runs[0]!.position);
  }

  zero(position: number): void {
    this.#found(position);
  }

  /** The position of the first difference, to 4 KiB; `null` without one. */
  end(): number | null {
    const first = this.#first;
    this.#first = null;
    return first;
  }

  /** `zero()` comes before `put()` of a buffer, whose data may lie before. */
  #found(position: number): void {
    this.#first = Math.min(this.#first ?? Infinity, position);
  }
}
