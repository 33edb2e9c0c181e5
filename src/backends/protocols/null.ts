import type { Backend, Extent, ImageStat, ZeroOptions } from "../backend.ts";
import type { ImageDriver } from "../driver.ts";
import { ImageBackend } from "../image_backend.ts";
import { parseSizedDisk, type SizedDisk } from "../sized_disk.ts";

/** A disk of zeroes, for measuring everything but the disk. */
export const NULL: ImageDriver<SizedDisk, SizedDisk> = {
  kind: "protocol",
  name: "null",
  summary: "a disk that reads as zeroes and drops writes",
  usage: "null:SIZE",
  prefixes: ["null:"],
  needs: [],
  parse: parseSizedDisk,
  open: (disk) => ({ attachment: disk, name: disk.name }),
  attach: ({ size, name }) => new NullBackend(size, name),
};

const ZEROES = new Uint8Array(65536);
/**
 * The view of `ZEROES` that the last read used: most reads have the same
 * length.
 */
let part = ZEROES;

/**
 * A disk that reads as zeroes and drops what is written, like QEMU's null-co
 * driver: for measuring everything but the disk.
 *
 * @category Disks
 */
export class NullBackend extends ImageBackend implements Backend {
  override readonly shared = true;
  override readonly writable = true;
  #size: number;

  /**
   * Makes a null disk.
   *
   * @param size Its size in bytes.
   * @param name Its name in messages.
   */
  constructor(size: number, name: string = "null") {
    super(name);
    this.#size = size;
  }

  /** The current size in bytes. */
  get size(): number {
    return this.#size;
  }

  override stat(): ImageStat {
    return { size: this.#size, allocated: 0, blockSize: 4096, times: null };
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

  override write(
    _position: number,
    _buffer: Uint8Array,
    _start: number,
    length: number,
  ): number {
    return length;
  }

  override truncate(size: number): number {
    this.#size = size;
    return 0;
  }

  override zero(
    _position: number,
    _length: number,
    _options: ZeroOptions,
  ): number {
    return 0;
  }

  override allocate(_position: number, _length: number): number {
    return 0;
  }

  override extent(_position: number): Extent {
    return { data: false, end: Infinity };
  }
}
