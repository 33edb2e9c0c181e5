import type { Backend, Extent, ImageStat } from "./backend.ts";

const EROFS = 30;

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
  readonly #word = new DataView(new ArrayBuffer(8));

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

  read(position: number, into: Uint8Array, length: number): number {
    const word = this.#word;
    for (let i = 0; i < length;) {
      const at = position + i;
      const start = at - at % 8;
      word.setUint32(0, start / 2 ** 32);
      word.setUint32(4, start % 2 ** 32);
      for (let b = at % 8; b < 8 && i < length; b++, i++) {
        into[i] = word.getUint8(b);
      }
    }
    return length;
  }

  write(): number {
    return -EROFS;
  }

  flush(): number {
    return 0;
  }

  truncate(): number {
    return -EROFS;
  }

  zero(): number {
    return -EROFS;
  }

  allocate(): number {
    return -EROFS;
  }

  extent(): Extent {
    return { data: true, end: Infinity };
  }

  close(): void {}
}
