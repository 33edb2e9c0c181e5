import type { DecompressedBlocks } from "./read_sources.ts";

/** For a format that compresses nothing. */
export const NO_BLOCKS: DecompressedBlocks = {
  copy: () => false,
  add: () => false,
};
