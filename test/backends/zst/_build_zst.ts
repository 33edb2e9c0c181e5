import { zstdCompressSync } from "node:zlib";
import { zstdFrameLength } from "../../../src/backends/compression/zstd_frame.ts";

/** How a seekable file is made. */
export interface ZstPlan {
  /** Bytes of each frame; the last one is repeated. */
  readonly frames: readonly number[];
  /** Whether the table has checksums, which nothing looks at. */
  readonly hasChecksums?: boolean;
}

/** A file in the seekable format of zstd, of some bytes. */
export function buildZst(
  bytes: Uint8Array,
  { frames, hasChecksums = false }: ZstPlan,
): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const entries: [number, number][] = [];
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const size = frames[Math.min(i, frames.length - 1)]!;
    const part = bytes.subarray(at, at + size);
    at += part.length;
    const whole = zstdCompressSync(part);
    const frame = whole.subarray(0, zstdFrameLength(whole)!);
    parts.push(frame);
    entries.push([frame.length, part.length]);
  }
  const entrySize = hasChecksums ? 12 : 8;
  const length = entries.length * entrySize + 9;
  const table = new Uint8Array(8 + length);
  const view = new DataView(table.buffer);
  view.setUint32(0, 0x184d2a5e, true);
  view.setUint32(4, length, true);
  entries.forEach(([compressed, size], i) => {
    view.setUint32(8 + i * entrySize, compressed, true);
    view.setUint32(12 + i * entrySize, size, true);
  });
  view.setUint32(table.length - 9, entries.length, true);
  view.setUint8(table.length - 5, hasChecksums ? 0x80 : 0);
  view.setUint32(table.length - 4, 0x8f92eab1, true);
  return new Uint8Array(
    [...parts, table].reduce<number[]>((all, part) => {
      for (const byte of part) all.push(byte);
      return all;
    }, []),
  );
}
