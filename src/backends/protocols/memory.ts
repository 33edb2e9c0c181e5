import { ERRNO } from "../../base/errno.ts";
import { UserError } from "../../base/user_error.ts";
import type { Backend, Extent, ImageStat, ZeroOptions } from "../backend.ts";
import type { ImageDriver } from "../driver.ts";
import { ImageBackend } from "../image_backend.ts";
import { parseSizedDisk, type SizedDisk } from "../sized_disk.ts";

/** Unit of allocation in bytes. */
const CHUNK = 65536;
/** Largest size of a growable disk: address space only, until it is used. */
const GROWABLE_MAX = 2 ** 40;

/**
 * The memory of a disk; plain data for other Workers.
 *
 * @category Disks
 */
export interface MemoryDisk {
  /** The bytes, at least as long as the disk. */
  readonly bytes: SharedArrayBuffer;
  /** One byte for each chunk: 1 if any of the chunk was written. */
  readonly chunks: SharedArrayBuffer;
  /** One 64-bit float: the current size of the disk in bytes. */
  readonly length: SharedArrayBuffer;
}

/**
 * Options of {@linkcode createMemoryDisk}.
 *
 * @category Disks
 */
export interface MemoryDiskOptions {
  /** Whether the disk can grow; no if left out. */
  readonly growable?: boolean;
  /**
   * The size up to which a growable disk can grow, in bytes: further growth fails
   * with ENOSPC. 1 TiB if left out, beyond which it fails with EFBIG.
   */
  readonly limit?: number;
}

/**
 * Reserves the memory of a disk; the system allocates pages as they are written.
 *
 * @param size Size of the disk in bytes.
 * @throws {UserError} If there is not enough memory.
 * @category Disks
 */
export function createMemoryDisk(
  size: number,
  options: MemoryDiskOptions = {},
): MemoryDisk {
  const { growable = false, limit = GROWABLE_MAX } = options;
  const max = Math.max(size, limit);
  const chunks = Math.ceil(size / CHUNK);
  try {
    const length = new SharedArrayBuffer(8);
    new Float64Array(length)[0] = size;
    return {
      length,
      bytes: growable
        ? new SharedArrayBuffer(size, { maxByteLength: max })
        : new SharedArrayBuffer(size),
      chunks: growable
        ? new SharedArrayBuffer(chunks, {
          maxByteLength: Math.ceil(max / CHUNK),
        })
        : new SharedArrayBuffer(chunks),
    };
  } catch (cause) {
    throw new UserError(
      `Cannot make a memory disk of ${size} bytes: not enough memory; use a smaller size or a sparse file`,
      { cause },
    );
  }
}

/** A disk in memory that all threads share. */
export const MEMORY: ImageDriver<MemorySource, MemoryAttachment> = {
  kind: "protocol",
  name: "memory",
  summary: "a disk in memory, empty at first",
  usage: "memory:SIZE",
  prefixes: ["memory:"],
  needs: ["shared memory"],
  parse: parseSizedDisk,
  open({ name, size, limit }, { options: { growable } }) {
    const disk = createMemoryDisk(size, {
      growable,
      ...limit === undefined ? {} : { limit },
    });
    return { attachment: { name, disk }, name };
  },
  attach: ({ name, disk }) => new MemoryBackend(disk, name),
};

/** A disk that is to be made. */
interface MemorySource extends SizedDisk {
  /** As in {@linkcode MemoryDiskOptions}. */
  readonly limit?: number;
}

interface MemoryAttachment {
  readonly name: string;
  readonly disk: MemoryDisk;
}

/**
 * A disk in memory that all Workers share.
 *
 * @category Disks
 */
export class MemoryBackend extends ImageBackend implements Backend {
  override readonly shared = true;
  override readonly writable = true;
  readonly #disk: MemoryDisk;
  readonly #bytes: Uint8Array;
  readonly #chunks: Uint8Array;
  readonly #length: Float64Array;

  /**
   * Wraps the memory of a disk.
   *
   * @param disk Made by {@linkcode createMemoryDisk}.
   * @param name Its name in messages.
   */
  constructor(disk: MemoryDisk, name: string = "memory") {
    super(name);
    this.#disk = disk;
    this.#bytes = new Uint8Array(disk.bytes);
    this.#chunks = new Uint8Array(disk.chunks);
    this.#length = new Float64Array(disk.length);
  }

  /** The current size in bytes. */
  get size(): number {
    return this.#length[0]!;
  }

  override stat(): ImageStat {
    const { size } = this;
    const end = Math.ceil(size / CHUNK);
    let chunks = 0;
    for (let i = 0; i < end; i++) chunks += this.#chunks[i]!;
    return {
      size,
      allocated: chunks * CHUNK,
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
    buffer.set(this.#bytes.subarray(position, position + length), start);
    return length;
  }

  override write(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): number {
    const whole = start === 0 && length === buffer.length;
    const bytes = whole ? buffer : buffer.subarray(start, start + length);
    this.#bytes.set(bytes, position);
    this.#mark(position, length);
    return length;
  }

  override truncate(size: number): number {
    const { bytes, chunks } = this.#disk;
    if (size > bytes.byteLength) {
      if (!bytes.growable) return -ERRNO.ENOSPC;
      if (size > bytes.maxByteLength) {
        const isBounded = bytes.maxByteLength < GROWABLE_MAX;
        return isBounded ? -ERRNO.ENOSPC : -ERRNO.EFBIG;
      }
      try {
        // Chunks first: every byte of the disk has to have one.
        chunks.grow(Math.max(chunks.byteLength, Math.ceil(size / CHUNK)));
        bytes.grow(size);
      } catch {
        return -ERRNO.ENOMEM;
      }
    }
    // Bytes that are cut off must read as zeroes if the disk grows again.
    const old = this.#length[0]!;
    if (size < old) this.zero(size, old - size, { unmap: true });
    this.#length[0] = size;
    return 0;
  }

  override zero(
    position: number,
    length: number,
    { unmap }: ZeroOptions,
  ): number {
    const end = position + length;
    const size = this.#length[0]!;
    let at = position;
    for (let chunk = Math.floor(position / CHUNK); at < end; chunk++) {
      const start = chunk * CHUNK;
      const stop = start + CHUNK;
      const to = Math.min(end, stop);
      if (this.#chunks[chunk] !== 0) {
        this.#bytes.fill(0, at, to);
        const whole = at === start && (to === stop || to === size);
        if (whole && unmap) this.#chunks[chunk] = 0;
      }
      at = to;
    }
    return 0;
  }

  override allocate(position: number, length: number): number {
    this.#mark(position, length);
    return 0;
  }

  override extent(position: number): Extent {
    const chunks = Math.ceil(this.#length[0]! / CHUNK);
    const first = Math.floor(position / CHUNK);
    const data = this.#chunks[first] !== 0;
    let chunk = first + 1;
    while (chunk < chunks && (this.#chunks[chunk] !== 0) === data) chunk++;
    return { data, end: chunk >= chunks ? Infinity : chunk * CHUNK };
  }

  #mark(position: number, length: number): void {
    const last = Math.floor((position + length - 1) / CHUNK);
    for (let i = Math.floor(position / CHUNK); i <= last; i++) {
      this.#chunks[i] = 1;
    }
  }
}
