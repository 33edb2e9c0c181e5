/**
 * The seek table at the end of a file in the seekable format of zstd
 * (contrib/seekable_format/zstd_seekable_compression_format.md in zstd's source):
 * a skippable frame that says how long each frame is, compressed and not.
 *
 * @module
 */
import type { Backend } from "../../backend.ts";
import { readFully } from "../../read_fully.ts";
import { SIZE_MAX } from "../../size.ts";
import { refusal } from "./refusal.ts";

/** The first bytes of the skippable frame. */
const SKIPPABLE_MAGIC = 0x184d_2a5e;
/** The last bytes of the file. */
const SEEKABLE_MAGIC = 0x8f92_eab1;
/** The first bytes of a frame. */
const FRAME_MAGIC = 0xfd2f_b528;
/** Bytes of the skippable frame's header, and of what ends it. */
const HEADER = 8;
const FOOTER = 9;
/** Bits of the descriptor. */
const CHECKSUMS = 0x80;
const RESERVED = 0x7c;

/** Bounds of what a table may say. */
const LIMIT = {
  /** Frames: 64 MiB of memory for their places. */
  FRAMES: 4 << 20,
  /** Bytes of a frame, which is decompressed into memory as a whole. */
  FRAME: 16 << 20,
} as const;

/** What makes files of this format. */
const MAKE_ONE =
  "make a seekable file of it, as 't2sz -r -s 1M FILE' does, or decompress it with 'zstd -d'";

/** Where the frames of a file are. Bytes. */
export interface SeekTable {
  /** How many frames have bytes of the disk. */
  readonly frames: number;
  /** The size of the disk. */
  readonly size: number;
  /** Bytes that the largest frame gives. */
  readonly largest: number;
  /**
   * Two numbers for each frame, and two after them: where its bytes start in the
   * disk, and where it starts in the file. Doubles.
   */
  readonly places: SharedArrayBuffer;
}

/**
 * Reads the seek table of a file.
 *
 * @param file The file.
 * @param name Its name in errors.
 * @throws {UserError} If it has none, or one that makes no sense.
 */
export async function readSeekTable(
  file: Backend,
  name: string,
): Promise<SeekTable> {
  const { size } = await file.stat();
  const footer = await readPart(file, size - FOOTER, FOOTER, name);
  if (footer?.getUint32(5, true) !== SEEKABLE_MAGIC) {
    throw await withoutTable(file, name);
  }
  const frames = footer.getUint32(0, true);
  const descriptor = footer.getUint8(4);
  if ((descriptor & RESERVED) !== 0) {
    throw refusal(name, `its seek table has the descriptor ${descriptor}`);
  }
  if (frames > LIMIT.FRAMES) {
    const advice = "make larger frames";
    throw refusal(name, `it has ${frames} frames, which are too many`, advice);
  }
  const entrySize = (descriptor & CHECKSUMS) === 0 ? 8 : 12;
  const length = frames * entrySize + FOOTER;
  const start = size - HEADER - length;
  const table = await readPart(file, start, HEADER + length, name);
  const isThere = table?.getUint32(0, true) === SKIPPABLE_MAGIC &&
    table.getUint32(4, true) === length;
  if (!isThere) throw refusal(name, "its seek table makes no sense");
  return placesOf(table, frames, entrySize, start, name);
}

/** Bytes of a file; `null` if it has not all of them. */
async function readPart(
  file: Backend,
  at: number,
  length: number,
  name: string,
): Promise<DataView | null> {
  if (at < 0) return null;
  const bytes = new Uint8Array(length);
  const got = await readFully(file, at, bytes, 0, length);
  if (got < 0) throw refusal(name, "its seek table cannot be read");
  return got === length ? new DataView(bytes.buffer) : null;
}

/** Whether a file begins like one of zstd. */
export function isZstd(start: Uint8Array): boolean {
  if (start.length < 4) return false;
  const view = new DataView(start.buffer, start.byteOffset, start.length);
  const magic = view.getUint32(0, true);
  // Skippable frames have sixteen numbers.
  return magic === FRAME_MAGIC || magic >>> 4 === 0x184_d2a5;
}

/** Whether a file ends like one with a seek table. */
export function hasSeekTable(end: Uint8Array): boolean {
  if (end.length < FOOTER) return false;
  const view = new DataView(end.buffer, end.byteOffset, end.length);
  return view.getUint32(end.length - 4, true) === SEEKABLE_MAGIC;
}

/** Why a file has no seek table. */
async function withoutTable(file: Backend, name: string): Promise<Error> {
  const start = await readPart(file, 0, 4, name);
  return start !== null && isZstd(new Uint8Array(start.buffer))
    ? refusal(
      name,
      "it has no seek table, so it can only be read in order",
      MAKE_ONE,
    )
    : refusal(
      name,
      "it does not begin like a file of zstd",
      "name its format, or leave the prefix out if it is raw",
    );
}

function placesOf(
  table: DataView,
  frames: number,
  entrySize: number,
  end: number,
  name: string,
): SeekTable {
  const places = new SharedArrayBuffer(16 * (frames + 1));
  const words = new Float64Array(places);
  let [position, host, largest, count] = [0, 0, 0, 0];
  for (let i = 0; i < frames; i++) {
    const at = HEADER + i * entrySize;
    const size = table.getUint32(at + 4, true);
    // An empty frame has nothing of the disk.
    if (size > 0) {
      words[2 * count] = position;
      words[2 * count + 1] = host;
      count++;
    }
    host += table.getUint32(at, true);
    position += size;
    largest = Math.max(largest, size);
  }
  words[2 * count] = position;
  words[2 * count + 1] = host;
  if (host > end || position > SIZE_MAX) {
    throw refusal(name, "its seek table puts frames after their end");
  }
  if (largest > LIMIT.FRAME) {
    const why =
      `it has a frame of ${largest} bytes, all of which one read would decompress`;
    throw refusal(name, why, MAKE_ONE);
  }
  return { frames: count, size: position, largest, places };
}
