/**
 * Decompression of clusters.
 *
 * @module
 */
import type { ZstdOptions } from "node:zlib";
import type { Compression } from "./header.ts";
import { loadZlib } from "./load_zlib.ts";
import { ZlibHandle } from "./zlib_handle.ts";
import { zstdFrameLength } from "./zstd_frame.ts";

/** zlib; `null` until {@linkcode loadDecompression} has ended. */
let zlib: typeof import("node:zlib") | null = null;

/** The decompressors of this thread, made when first needed. */
const handles = new Map<Compression, ZlibHandle | null>();

/**
 * Loads what {@linkcode decompress} needs into this thread.
 *
 * @throws {UserError} If it cannot be loaded.
 */
export async function loadDecompression(): Promise<void> {
  zlib ??= await loadZlib();
}

/**
 * Decompresses a cluster; {@linkcode loadDecompression} must have ended. It is
 * always the whole cluster, because damage often shows only at its end.
 *
 * @param compression How it is compressed.
 * @param stream The stream, and the bytes that follow it in the file.
 * @param output Where to: a cluster, and room for one more byte.
 * @returns Whether `output` has it; not if the stream is damaged, or of another
 * size.
 */
export function decompress(
  compression: Compression,
  stream: Uint8Array,
  output: Uint8Array,
): boolean {
  const clusterSize = output.length - 1;
  // The byte to spare shows whether a stream goes on after the cluster.
  const got = handleOf(compression)?.decompress(stream, output);
  if (got === clusterSize) return true;
  // What the fast way does not take, the documented functions decide.
  const cluster = decompressBySync(compression, stream, clusterSize);
  if (cluster !== null) output.set(cluster);
  return cluster !== null;
}

function loaded(): typeof import("node:zlib") {
  if (zlib === null) throw new Error("loadDecompression() was not called");
  return zlib;
}

function handleOf(compression: Compression): ZlibHandle | null {
  let handle = handles.get(compression);
  if (handle === undefined) {
    handle = ZlibHandle.create(loaded(), compression);
    handles.set(compression, handle);
  }
  return handle;
}

/** The cluster; `null` if the stream is damaged, or of another size. */
function decompressBySync(
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
      ? loaded().inflateRawSync(stream, options)
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
    : loaded().zstdDecompressSync(stream.subarray(0, length), options);
}
