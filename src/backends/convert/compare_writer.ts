import type { PartWriter } from "./part_copier.ts";

/** Bytes that are told apart. */
const UNIT = 4096;

/** Writes nothing, and tells the first place that it had to write to. */
export class CompareWriter implements PartWriter<number | null> {
  readonly unit = UNIT;
  #first: number | null = null;

  put(position: number): void {
    this.#first ??= position;
  }

  zero(position: number): void {
    this.#first ??= position;
  }

  /** The position of the first difference, to 4 KiB; `null` without one. */
  end(): number | null {
    const first = this.#first;
    this.#first = null;
    return first;
  }
}
