import type { Backend, Extent, ImageStat, ZeroOptions } from "./backend.ts";

const ZEROES = new Uint8Array(65536);
/** The part of it that was needed last: most reads are of one length. */
let part = ZEROES;

/**
 * A disk that reads as zeroes and forgets what is written, like QEMU's
 * null-co driver: for measuring everything but the disk.
 */
export class NullBackend implements Backend {
  readonly name: string;
  readonly shared = true;
  readonly writable = true;
  #size: number;

  /**
   * Makes a null disk.
   *
   * @param size Its size in bytes.
   * @param name How messages call it.
   */
  constructor(size: number, name: string = "null") {
    this.name = name;
    this.#size = size;
  }

  stat(): ImageStat {
    return {
      size: this.#size,
      allocated: 0,
      blockSize: 4096,
      times: null,
    };
  }

  read(
    _position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): number {
    // Unlike fill(), set() is fast on shared memory.
    const end = start + length;
    let at = start;
    for (; end - at > ZEROES.length; at += ZEROES.length) {
      buffer.set(ZEROES, at);
    }
    if (part.length !== end - at) part = ZEROES.subarray(0, end - at);
    buffer.set(part, at);
    return length;
  }

  write(
    _position: number,
    _buffer: Uint8Array,
    _start: number,
    length: number,
  ): number {
    return length;
  }

  flush(): number {
    return 0;
  }

  truncate(size: number): number {
    this.#size = size;
    return 0;
  }

  zero(_position: number, _length: number, _options: ZeroOptions): number {
    return 0;
  }

  allocate(_position: number, _length: number): number {
    return 0;
  }

  extent(_position: number): Extent {
    return { data: false, end: Infinity };
  }

  close(): void {}
}
