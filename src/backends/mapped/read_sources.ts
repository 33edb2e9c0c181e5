import { Completion, type Step } from "../../event/completion.ts";
import { ERRNO } from "../../base/errno.ts";
import type { Answer, Backend } from "../backend.ts";
import type { DamageSigns } from "./damage_signs.ts";
import type { Mapping } from "./mapping.ts";
import type { SliceBuffer } from "./slice_buffer.ts";

/** The image below, for what this one has not allocated. */
export interface BackingImage {
  /** The image in this thread. */
  readonly backend: Backend;
  /** Its size; what lies after it reads as zeroes. */
  readonly size: number;
}

/** A file that mappings lead to. */
export interface SourceFile {
  /** The file in this thread. */
  readonly backend: Backend;
  /** Its size when it was opened. */
  readonly end: number;
  /**
   * Where its last cluster would end: the rest of that reads as zeroes. What is
   * mapped to later places is lost.
   */
  readonly zeroEnd: number;
  /** Whether its holes are holes of the disk; not if left out. */
  readonly hasHoles?: boolean;
}

/** Finds out what ranges of a disk are made of, in one thread. */
export interface Lookup {
  /**
   * Maps the start of a range of the disk.
   *
   * @param position Where it starts; inside the disk.
   * @param length How long it is.
   * @param mapping Takes what the first bytes are made of, as many as are known.
   * @returns Whether it is known; if not, a part of a table has to be read.
   */
  map(position: number, length: number, mapping: Mapping): boolean;
  /**
   * Prepares to read the part of a table that `map()` misses: it sets `file` and
   * `host`, from where `bytes` has to be filled.
   */
  prepare(position: number, into: SliceBuffer): void;
  /**
   * Caches a part of a table that has been read, and maps a range by it: also if
   * it could not be cached.
   *
   * @returns Whether it is mapped; if not, there was a newer state of it
   * meanwhile, and the caller maps once more.
   */
  mapRead(
    read: SliceBuffer,
    position: number,
    length: number,
    mapping: Mapping,
  ): boolean;
  /** Releases what the thread of a queue has locked that has ended. */
  queueEnded(queue: number): void;
}

/** What was decompressed. */
export interface DecompressedBlocks {
  /**
   * Copies bytes of a block to a buffer.
   *
   * @param mapping Which bytes: all that it is valid for.
   * @returns Whether the block is kept.
   */
  copy(mapping: Mapping, buffer: Uint8Array, start: number): boolean;
  /**
   * Decompresses a block and keeps it.
   *
   * @param mapping Which.
   * @param stream Its stream, with bytes that may follow it.
   * @returns Whether the stream has such a block.
   */
  add(mapping: Mapping, stream: Uint8Array): boolean;
}

/** What one thread reads an image from. */
export interface ReadSources {
  /** Takes damage of the tables. */
  readonly damage: DamageSigns;
  /** The files that mappings and tables lead to. */
  readonly files: readonly SourceFile[];
  readonly backing: BackingImage | null;
  /** Bytes that are read of a table at once. */
  readonly sliceSize: number;
  /** Bytes of the unit in which the disk is allocated. */
  readonly clusterSize: number;
  readonly lookup: Lookup;
  readonly blocks: DecompressedBlocks;
}

/**
 * The result of reading where there must be bytes: the end of a file is an error
 * there, because it has lost what the tables say it has.
 */
export function notAtEnd(answer: Answer): Answer {
  if (typeof answer !== "number") {
    return Completion.of(answer).after(NOT_AT_END);
  }
  return answer === 0 ? -ERRNO.EIO : answer;
}

const NOT_AT_END: Step<number, number> = {
  run: (got) => got === 0 ? -ERRNO.EIO : got,
};
