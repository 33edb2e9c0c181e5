/**
 * Compression of clusters.
 *
 * @module
 */
import type { Compression } from "./header.ts";
import { loadZlib } from "../../compression/load_zlib.ts";
import { zstdFrameLength } from "../../compression/zstd_frame.ts";

/** Compresses a cluster; `null` if that makes it no smaller. */
export type CompressCluster = (
  cluster: Uint8Array<ArrayBuffer>,
) => Uint8Array<ArrayBuffer> | null;

/**
 * Deflate's window: QEMU's, and no reader has to have more.
 */
const WINDOW_BITS = 12;
/** As QEMU's: the most that zlib can use. */
const MEMORY_LEVEL = 9;

/**
 * Loads a compressor into this thread.
 *
 * @param compression How clusters are compressed.
 * @throws {UserError} If it cannot be loaded.
 */
export async function loadCompression(
  compression: Compression,
): Promise<CompressCluster> {
  const { deflateRawSync, zstdCompressSync } = await loadZlib("a qcow2 image");
  const smaller = (stream: Uint8Array, { length }: Uint8Array) =>
    stream.length < length ? new Uint8Array(stream) : null;
  if (compression === "zstd") {
    return (cluster) => {
      const frames = zstdCompressSync(cluster);
      // An empty frame may follow, which belongs to no cluster.
      const length = zstdFrameLength(frames) ?? frames.length;
      return smaller(frames.subarray(0, length), cluster);
    };
  }
  return (cluster) => {
    const stream = deflateRawSync(cluster, {
      windowBits: WINDOW_BITS,
      memLevel: MEMORY_LEVEL,
      // In one piece.
      chunkSize: Math.max(64, cluster.length),
    });
    return smaller(stream, cluster);
  };
}
