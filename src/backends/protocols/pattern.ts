import type { Backend, ImageStat } from "../backend.ts";
import type { ImageDriver } from "../driver.ts";
import { ImageBackend } from "../image_backend.ts";
import { parseSizedDisk, type SizedDisk } from "../sized_disk.ts";

/** A disk that shows reads from the wrong position. */
export const PATTERN: ImageDriver<SizedDisk, SizedDisk> = {
  kind: "protocol",
  name: "pattern",
  summary: "a read-only disk whose bytes are their own position",
  usage: "pattern:SIZE",
  prefixes: ["pattern:"],
  needs: [],
  parse: parseSizedDisk,
  open: (disk) => ({ attachment: disk, name: disk.name }),
  attach: ({ size, name }) => new PatternBackend(size, name),
};

const TWO_32 = 2 ** 32;

/**
 * A read-only disk whose bytes are a function of their position, like nbdkit's
 * pattern plugin: each 8 bytes hold their own position, big-endian. A read that
 * was answered from the wrong position shows at once.
 *
 * @category Disks
 */
export class PatternBackend extends ImageBackend implements Backend {
  override readonly shared = true;
  /** The size in bytes. */
  readonly size: number;

  /**
   * Makes a pattern disk.
   *
   * @param size Its size in bytes.
   * @param name Its name in messages.
   */
  constructor(size: number, name: string = "pattern") {
    super(name);
    this.size = size;
  }

  override stat(): ImageStat {
    const { size } = this;
    return { size, allocated: size, blockSize: 4096, times: null };
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
}

/** One byte of the word that starts at the multiple of 8 below a position. */
function patternByte(position: number): number {
  const inWord = position % 8;
  return Math.floor((position - inWord) / 256 ** (7 - inWord)) % 256;
}
