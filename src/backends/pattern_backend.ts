import type { Backend, Extent, ImageStat } from "./backend.ts";
import { ERRNO } from "../base/errno.ts";

const TWO_32 = 2 ** 32;

/**
 * A read-only disk whose bytes are a function of their offset, as nbdkit's
 * pattern plugin has it: each 8 bytes hold their own position, big-endian. A
 * read that was answered from the wrong place shows at once.
 */
export class PatternBackend implements Backend {
  readonly name: string;
  readonly shared = true;
  readonly writable = false;
  readonly #size: number;

  /**
   * Makes a pattern disk.
   *
   * @param size Its size in bytes.
   * @param name How messages call it.
   */
  constructor(size: number, name: string = "pattern") {
    this.name = name;
    this.#size = size;
  }

  stat(): ImageStat {
    return {
      size: this.#size,
      allocated: this.#size,
      blockSize: 4096,
      times: null,
    };
  }

  read(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): number {
    const view = new DataView(buffer.buffer, buffer.byteOffset + start, length);
    const end = position + length;
    let at = position;
    while (at < end && at % 8 !== 0) {
      view.setUint8(at - position, patternByte(at++));
    }
    for (; at + 8 <= end; at += 8) {
      // setUint32() drops the bits above 32.
      view.setUint32(at - position, at / TWO_32);
      view.setUint32(at - position + 4, at);
    }
    while (at < end) view.setUint8(at - position, patternByte(at++));
    return length;
  }

  write(): number {
    return -ERRNO.EROFS;
  }

  flush(): number {
    return 0;
  }

  truncate(): number {
    return -ERRNO.EROFS;
  }

  zero(): number {
    return -ERRNO.EROFS;
  }

  allocate(): number {
    return -ERRNO.EROFS;
  }

  extent(): Extent {
    return { data: true, end: Infinity };
  }

  close(): void {}
}

/** Byte `at % 8` of the word that starts at a multiple of 8. */
function patternByte(at: number): number {
  const inWord = at % 8;
  return Math.floor((at - inWord) / 256 ** (7 - inWord)) % 256;
}
