/**
 * Decompression of clusters.
 *
 * @module
 */
import { inflateRawSync, zstdDecompressSync } from "node:zlib";
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
  try {
    const cluster = compression === "deflate"
      ? inflateRawSync(stream, { maxOutputLength: clusterSize })
      : decompressZstd(stream, clusterSize);
    return cluster?.length === clusterSize ? cluster : null;
  } catch {
    return null;
  }
}

/** zlib's function refuses bytes after the frame. */
function decompressZstd(
  stream: Uint8Array,
  clusterSize: number,
): Uint8Array | null {
  const length = zstdFrameLength(stream);
  if (length === null) return null;
  const options = { maxOutputLength: clusterSize };
  return zstdDecompressSync(stream.subarray(0, length), options);
}
