import type { BlockCache } from "../../block_cache/block_cache.ts";
import type { ReadAhead } from "../../block_cache/read_ahead.ts";
import type { FetchFailure } from "./fetch.ts";

/** Blocks that outlive the process. */
export interface BlockStore {
  /** Fills memory with a block; whether it has it. */
  load(block: number, into: Uint8Array): boolean;
  /** Keeps a block, if that is possible. */
  save(block: number, bytes: Uint8Array): void;
}

/** What a reader is made of. */
export interface ReaderParts {
  /** The size of the object in bytes. */
  readonly size: number;
  readonly cache: BlockCache;
  readonly readAhead: ReadAhead;
  readonly store: BlockStore | null;
  /** Blocks that a request asks for at least. */
  readonly leastBlocks: number;
  /** Told why reads fail, once for each reason in a row. */
  failed(failure: FetchFailure): void;
}
