import type { Backend, Extent, ImageStat, ZeroOptions } from "./backend.ts";

/** Bytes whose allocation is noted together. */
const CHUNK = 65536;
const ENOSPC = 28;
const ENOMEM = 12;
/** How far a growable disk can grow; address space only, until it is used. */
const GROWABLE_MAX = 2 ** 40;

/** The memory of a disk; plain data for other Workers. */
export interface MemoryDisk {
  /** The bytes, at least as long as the disk. */
  readonly bytes: SharedArrayBuffer;
  /** One byte a chunk: 1 where something was written. */
  readonly chunks: SharedArrayBuffer;
}

/** How {@linkcode createMemoryDisk} makes a disk. */
export interface MemoryDiskOptions {
  /** Whether it can become larger than it is; no if left out. */
  readonly growable?: boolean;
}

/**
 * Reserves the memory of a disk; the system hands it out when it is written.
 *
 * @param size Size of the disk in bytes.
 * @throws {RangeError} If there is not so much memory.
 */
export function createMemoryDisk(
  size: number,
  options: MemoryDiskOptions = {},
): MemoryDisk {
  const growable = options.growable ?? false;
  const max = Math.max(size, GROWABLE_MAX);
  try {
    return {
      bytes: growable
        ? new SharedArrayBuffer(size, { maxByteLength: max })
        : new SharedArrayBuffer(size),
      chunks: new SharedArrayBuffer(
        Math.ceil((growable ? max : size) / CHUNK),
      ),
    };
  } catch (cause) {
    throw new RangeError(
      `Cannot make a memory disk of ${size} bytes: not enough memory; use a smaller size or a sparse file`,
      { cause },
    );
  }
}

/** A disk in memory, one memory for all Workers that serve it. */
export class MemoryBackend implements Backend {
  readonly name: string;
  readonly shared = true;
  readonly writable = true;
  readonly #size: number;
  readonly #disk: MemoryDisk;
  readonly #bytes: Uint8Array;
  readonly #chunks: Uint8Array;

  /**
   * Looks at the memory of a disk.
   *
   * @param disk What {@linkcode createMemoryDisk} made.
   * @param name How messages call it.
   */
  constructor(disk: MemoryDisk, name: string = "memory") {
    this.name = name;
    this.#disk = disk;
    this.#size = disk.bytes.byteLength;
    this.#bytes = new Uint8Array(disk.bytes);
    this.#chunks = new Uint8Array(disk.chunks);
  }

  stat(): ImageStat {
    let chunks = 0;
    const end = Math.ceil(this.#disk.bytes.byteLength / CHUNK);
    for (let i = 0; i < end; i++) chunks += this.#chunks[i]!;
    return {
      size: this.#size,
      allocated: chunks * CHUNK,
      blockSize: 4096,
      times: null,
    };
  }

  read(position: number, into: Uint8Array, length: number): number {
    into.set(this.#bytes.subarray(position, position + length));
    return length;
  }

  write(position: number, from: Uint8Array, length: number): number {
    this.#bytes.set(from.subarray(0, length), position);
    this.#mark(position, length);
    return length;
  }

  flush(): number {
    return 0;
  }

  truncate(size: number): number {
    const { bytes } = this.#disk;
    if (size > bytes.byteLength) {
      if (!bytes.growable || size > bytes.maxByteLength) return -ENOSPC;
      try {
        bytes.grow(size);
      } catch {
        return -ENOMEM;
      }
    }
    // What is cut off must read as zeroes if the disk grows again.
    return this.zero(size, bytes.byteLength - size);
  }

  zero(position: number, length: number, _options?: ZeroOptions): number {
    const end = position + length;
    const first = Math.ceil(position / CHUNK);
    const last = Math.floor(end / CHUNK);
    let at = position;
    for (let chunk = Math.floor(position / CHUNK); at < end; chunk++) {
      const stop = Math.min(end, (chunk + 1) * CHUNK);
      if (this.#chunks[chunk] !== 0) {
        this.#bytes.fill(0, at, stop);
        if (chunk >= first && chunk < last) this.#chunks[chunk] = 0;
      }
      at = stop;
    }
    return 0;
  }

  allocate(position: number, length: number): number {
    this.#mark(position, length);
    return 0;
  }

  extent(position: number): Extent {
    const chunks = Math.ceil(this.#disk.bytes.byteLength / CHUNK);
    const first = Math.floor(position / CHUNK);
    const data = this.#chunks[first] !== 0;
    let chunk = first + 1;
    while (chunk < chunks && (this.#chunks[chunk] !== 0) === data) chunk++;
    return { data, end: chunk === chunks ? Infinity : chunk * CHUNK };
  }

  close(): void {}

  #mark(position: number, length: number): void {
    const last = Math.floor((position + length - 1) / CHUNK);
    for (let i = Math.floor(position / CHUNK); i <= last; i++) {
      this.#chunks[i] = 1;
    }
  }
}
