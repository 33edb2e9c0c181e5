import type { Backend } from "../../../backend.ts";
import { type Geometry, geometryOf } from "../geometry.ts";
import type { Qcow2Header } from "../header.ts";
import { readFully } from "../../../read_fully.ts";

/** Bytes to which QEMU rounds the size of a file up. */
const SECTOR = 512;

/** An image whose tables are checked. */
export class CheckedImage {
  readonly geometry: Geometry;
  /** Refcounts of a block. */
  readonly perBlock: number;

  /**
   * Wraps an open image.
   *
   * @param file Its file.
   * @param header Its header.
   * @param name Its name in errors.
   * @param length The size of the file in bytes.
   */
  constructor(
    readonly file: Backend,
    readonly header: Qcow2Header,
    readonly name: string,
    length: number,
  ) {
    this.geometry = geometryOf(header);
    this.length = Math.ceil(length / SECTOR) * SECTOR;
    this.perBlock = this.clusterSize * 8 / 2 ** header.refcountOrder;
  }

  /** The size of the file in bytes. */
  readonly length: number;

  get clusterSize(): number {
    return this.geometry.clusterSize;
  }

  /** The clusters of the file. */
  get clusters(): number {
    return Math.ceil(this.length / this.clusterSize);
  }

  /** Reads bytes, with zeroes after the end of the file; `null` on an error. */
  async read(
    at: number,
    length: number,
  ): Promise<Uint8Array<ArrayBuffer> | null> {
    const bytes = new Uint8Array(length);
    if (at >= this.length) return bytes;
    const got = await readFully(this.file, at, bytes, 0, length);
    return got < 0 ? null : bytes;
  }

  /** Reads 64-bit entries, as pairs of words; `null` on an error. */
  async readWords(at: number, length: number): Promise<Int32Array | null> {
    const bytes = await this.read(at, length);
    if (bytes === null) return null;
    const view = new DataView(bytes.buffer);
    const words = new Int32Array(length / 4);
    for (let i = 0; i < words.length; i++) words[i] = view.getInt32(4 * i);
    return words;
  }
}
