/**
 * Decompression of blocks of bytes.
 *
 * @module
 */
import type { ZstdOptions } from "node:zlib";
import { loadZlib } from "./load_zlib.ts";
import { type StreamKind, ZlibHandle } from "./zlib_handle.ts";
import { zstdFrameLength } from "./zstd_frame.ts";

/** zlib; `null` until {@linkcode loadDecompression} has ended. */
let zlib: typeof import("node:zlib") | null = null;

/** The decompressors of this thread, made when first needed. */
const handles = new Map<StreamKind, ZlibHandle | null>();

/**
 * Loads what {@linkcode decompress} needs into this thread.
 *
 * @param what What has the compressed bytes, such as "a qcow2 image".
 * @throws {UserError} If it cannot be loaded.
 */
export async function loadDecompression(what: string): Promise<void> {
  zlib ??= await loadZlib(what);
}

/**
 * Decompresses a block; {@linkcode loadDecompression} must have ended. It is
 * always the whole block, because damage often shows only at its end.
 *
 * @param compression How it is compressed.
 * @param stream The stream, and the bytes that follow it in the file.
 * @param output Where to: the largest block, and room for one more byte.
 * @returns The length of the block; -1 if the stream is damaged, or has a larger
 * one.
 */
export function decompress(
  compression: StreamKind,
  stream: Uint8Array,
  output: Uint8Array,
): number {
  const most = output.length - 1;
  // The byte to spare shows whether a stream goes on after the block.
  const got = handleOf(compression)?.run(stream, output) ?? null;
  if (got === most) return got;
  // The documented functions are not asked about damage again: one that fails
  // keeps its memory, as large as a frame of zstd claims its window to be (up to
  // 128 MiB), until garbage is collected.
  if (got === -1 || (got !== null && got > most)) return -1;
  // What the fast way does not decide, they do: whether a stream that gave less
  // is complete, and everything if it is missing.
  const block = decompressBySync(compression, stream, most);
  if (block === null) return -1;
  output.set(block);
  return block.length;
}

function loaded(): typeof import("node:zlib") {
  if (zlib === null) throw new Error("loadDecompression() was not called");
  return zlib;
}

function handleOf(compression: StreamKind): ZlibHandle | null {
  let handle = handles.get(compression);
  if (handle === undefined) {
    handle = ZlibHandle.create(loaded(), compression);
    handles.set(compression, handle);
  }
  return handle;
}

/** The block; `null` if the stream is damaged, or has a larger one. */
function decompressBySync(
  compression: StreamKind,
  stream: Uint8Array,
  most: number,
): Uint8Array | null {
  const options = {
    maxOutputLength: most,
    // One piece of output with a byte to spare: zlib would else ask for more.
    chunkSize: most + 1,
  };
  try {
    switch (compression) {
      case "deflate":
        return loaded().inflateRawSync(stream, options);
      case "zlib":
        return loaded().inflateSync(stream, options);
      case "zstd":
        return decompressZstd(stream, options);
    }
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
