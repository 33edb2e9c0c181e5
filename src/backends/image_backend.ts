import type { NewTime } from "../base/timespec.ts";
import { ERRNO } from "../base/errno.ts";
import type {
  Answer,
  Backend,
  Extent,
  ImageStat,
  ZeroOptions,
} from "./backend.ts";

/** The default extent: the whole image, as data. */
const ALL_DATA: Extent = { data: true, end: Infinity };

/**
 * The base class for a disk of your own. `size` and `read` make a read-only disk;
 * everything else has a default. By default one queue serves the disk (`shared`
 * is false), all of it is data, and a flush does nothing. Changes are refused:
 * with EROFS while `writable` is false, then with EOPNOTSUPP where a method is
 * left out.
 *
 * @example A disk full of sevens
 * ```ts
 * import { ImageBackend } from "@mqfuse/mqfuse/backends";
 * import { assertEquals } from "@std/assert";
 *
 * class Sevens extends ImageBackend {
 *   readonly size = 4096;
 *
 *   read(_position: number, buffer: Uint8Array, start: number, length: number) {
 *     buffer.fill(7, start, start + length);
 *     return length;
 *   }
 * }
 *
 * const disk = new Sevens();
 * assertEquals(disk.name, "Sevens");
 * assertEquals(disk.truncate(0), -30); // -EROFS
 * ```
 *
 * @category Disks of your own
 */
export abstract class ImageBackend implements Backend {
  readonly name: string;
  readonly shared: boolean = false;
  readonly writable: boolean = false;

  /**
   * Names the disk.
   *
   * @param name The name in messages; that of its class if left out.
   */
  constructor(name: string = new.target.name) {
    this.name = name;
  }

  /** The image's size in bytes. */
  abstract readonly size: number;

  abstract read(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Answer;

  stat(): Answer<ImageStat> {
    return { size: this.size, allocated: null, blockSize: 4096, times: null };
  }

  write(
    _position: number,
    _buffer: Uint8Array,
    _start: number,
    _length: number,
  ): Answer {
    return this.#refuse();
  }

  flush(): Answer {
    return 0;
  }

  truncate(_size: number): Answer {
    return this.#refuse();
  }

  zero(_position: number, _length: number, _options: ZeroOptions): Answer {
    return this.#refuse();
  }

  allocate(_position: number, _length: number): Answer {
    return this.#refuse();
  }

  extent(_position: number): Answer<Extent> {
    return ALL_DATA;
  }

  setTimes(_atime: NewTime, _mtime: NewTime): Answer {
    return this.#refuse();
  }

  close(): Answer<void> {}

  #refuse(): number {
    return this.writable ? -ERRNO.EOPNOTSUPP : -ERRNO.EROFS;
  }
}
