import type { Answer, Backend } from "../../backend.ts";
import { WindowBackend } from "../../filters/window.ts";

/** A member of an archive, as a file: reads end where it ends. */
export class MemberBackend extends WindowBackend {
  readonly #length: number;

  /** Shows `size` bytes of an archive from `offset` on. */
  constructor(archive: Backend, offset: number, size: number) {
    super(archive, { offset, size });
    this.#length = size;
  }

  override read(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Answer {
    const there = Math.min(length, this.#length - position);
    return there <= 0 ? 0 : super.read(position, buffer, start, there);
  }
}
