/**
 * Decompression of clusters.
 *
 * @module
 */
import {
  inflateRawSync,
  zstdDecompressSync,
  type ZstdOptions,
} from "node:zlib";
import type { Compression } from "./header.ts";
import { zstdFrameLength } from "./zstd_frame.ts";

/**
 * Decompresses a cluster.
 *
 * @param compression How it is compressed.
 * @param stream The stream, and whatever follows it in the file.
 * @param clusterSize The bytes that it has to become.
 * @returns The cluster; `null` if the stream is damaged, or of another size.
 */
export function decompress(
  compression: Compression,
  stream: Uint8Array,
  clusterSize: number,
): Uint8Array | null {
  const options = {
    maxOutputLength: clusterSize,
    // One piece of output with a byte to spare: zlib would else ask for more.
    chunkSize: clusterSize + 1,
  };
  try {
    const cluster = compression === "deflate"
      ? inflateRawSync(stream, options)
      : decompressZstd(stream, options);
    return cluster?.length === clusterSize ? cluster : null;
  } catch {
    return null;
  }
}

/** zlib's function refuses bytes after the frame. */
function decompressZstd(
  stream: Uint8Array,
  options: ZstdOptions,
): Uint8Array | null {
  const length = zstdFrameLength(stream);
  return length === null
    ? null
    : zstdDecompressSync(stream.subarray(0, length), options);
}
