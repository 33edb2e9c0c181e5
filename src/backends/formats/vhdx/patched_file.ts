import type { Answer, Backend, Extent, ImageStat } from "../../backend.ts";
import { FilterBackend } from "../../filter_backend.ts";
import { transferAll } from "../../transfer_all.ts";
import { type FilePatches, firstAfter, ZEROES } from "./patches.ts";

/** A file as the log of an image leaves it, which is only read. */
export class PatchedFile extends FilterBackend implements Backend {
  override readonly writable = false;
  readonly #patches: FilePatches;
  readonly #data: Uint8Array;
  /** Bytes that the file itself has. */
  readonly #end: number;

  /**
   * Puts patches over a file.
   *
   * @param file The file.
   * @param end Its size in bytes.
   */
  constructor(file: Backend, end: number, patches: FilePatches) {
    super(file);
    this.#patches = patches;
    this.#data = new Uint8Array(patches.data);
    this.#end = end;
  }

  override stat(): Answer<ImageStat> {
    const { size } = this.#patches;
    const stat = this.image.stat();
    return "then" in stat
      ? stat.then((below) => ({ ...below, size }))
      : { ...stat, size };
  }

  override read(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Answer {
    const next = this.#nextAfter(position);
    const { starts, size } = this.#patches;
    const isPlain = position + length <= Math.min(
      this.#end,
      starts[next] ?? Infinity,
    );
    if (isPlain) return this.image.read(position, buffer, start, length);
    const there = Math.max(0, Math.min(length, size - position));
    return transferAll(
      there,
      (done) =>
        this.#readPart(position + done, buffer, start + done, there - done),
    );
  }

  override extent(_position: number): Answer<Extent> {
    return { data: true, end: this.#patches.size };
  }

  /** Reads up to where a patch starts or ends, or the file ends. */
  #readPart(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Answer {
    const { starts, ends, sources } = this.#patches;
    const i = this.#nextAfter(position);
    const patchStart = starts[i] ?? Infinity;
    if (patchStart <= position) {
      const here = Math.min(length, ends[i]! - position);
      const source = sources[i]!;
      if (source === ZEROES) {
        buffer.fill(0, start, start + here);
      } else {
        const from = source + position - patchStart;
        buffer.set(this.#data.subarray(from, from + here), start);
      }
      return here;
    }
    const here = Math.min(length, patchStart - position);
    if (position < this.#end) {
      const most = Math.min(here, this.#end - position);
      return this.image.read(position, buffer, start, most);
    }
    // Replaying the log makes the file larger.
    buffer.fill(0, start, start + here);
    return here;
  }

  #nextAfter(position: number): number {
    const { ends } = this.#patches;
    return firstAfter(ends.length, position, (i) => ends[i]!);
  }
}
