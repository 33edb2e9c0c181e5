import { decompress } from "../compression/decompress.ts";
import type { StreamKind } from "../compression/zlib_handle.ts";
import type { Mapping } from "./mapping.ts";
import type { DecompressedBlocks } from "./read_sources.ts";
import type { StreamCache } from "./stream_cache.ts";

/** No block. */
const NONE = -1;
/** Where a block's stream is in the bytes that were read for it. */
export type FindStream = (
  bytes: Uint8Array,
  mapping: Mapping,
) => Uint8Array | null;

/** How the streams of a format are. */
export interface StreamRules {
  /**
   * Finds the stream in what was read of the file; `null` if there is none. It is
   * all of it if left out.
   */
  readonly find?: FindStream;
  /** Whether a block may be shorter than it should be; not if left out. */
  readonly mayBeShort?: boolean;
}

/**
 * The blocks of an image that is only read: the last one that this thread has
 * decompressed, and those that all threads keep.
 */
export class StreamBlocks implements DecompressedBlocks {
  readonly #compression: StreamKind;
  readonly #find: FindStream;
  readonly #mayBeShort: boolean;
  readonly #cache: StreamCache | null;
  /** The last block, and a byte to spare; made when first needed. */
  #block = new Uint8Array(0);
  #file = NONE;
  #host = NONE;
  #length = 0;

  /**
   * Makes the blocks of one thread.
   *
   * @param compression How they are compressed.
   * @param cache Keeps them for all threads; `null` if none fits.
   * @param how How their streams are found, and what they may give.
   */
  constructor(
    compression: StreamKind,
    cache: StreamCache | null,
    { find = (bytes) => bytes, mayBeShort = false }: StreamRules = {},
  ) {
    this.#compression = compression;
    this.#cache = cache;
    this.#find = find;
    this.#mayBeShort = mayBeShort;
  }

  copy(mapping: Mapping, buffer: Uint8Array, start: number): boolean {
    const { file, host, inBlock, length } = mapping;
    if (host !== this.#host || file !== this.#file) {
      return this.#cache !== null &&
        this.#cache.copy(file, host, inBlock, length, buffer, start);
    }
    if (inBlock + length > this.#length) return false;
    buffer.set(this.#block.subarray(inBlock, inBlock + length), start);
    return true;
  }

  add(mapping: Mapping, bytes: Uint8Array): boolean {
    const { file, host, blockLength, inBlock, length } = mapping;
    this.#host = NONE;
    const stream = this.#find(bytes, mapping);
    if (stream === null) return false;
    if (this.#block.length < blockLength + 1) {
      this.#block = new Uint8Array(blockLength + 1);
    }
    const output = this.#block.subarray(0, blockLength + 1);
    const got = decompress(this.#compression, stream, output);
    const least = this.#mayBeShort ? inBlock + length : blockLength;
    if (got < least) return false;
    this.#file = file;
    this.#host = host;
    this.#length = got;
    this.#cache?.add(file, host, output.subarray(0, got));
    return true;
  }
}
