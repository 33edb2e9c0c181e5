import { ERRNO } from "../../../base/errno.ts";
import { FALLOC_FL } from "../../../base/file_flags.ts";
import type { Answer } from "../../backend.ts";

/** A multiple of the sector size of every block device. */
const SECTOR = 4096;
/** Written where the medium cannot zero a range by itself. */
const ZEROES = new Uint8Array(65536);

/** The calls that zeroing a range of a file needs. */
export interface ZeroCalls {
  /** fallocate(2). */
  fallocate(mode: number, position: number, length: number): Answer;
  /** Writes the first `length` bytes of a buffer; a count or `-errno`. */
  write(position: number, buffer: Uint8Array, length: number): Answer;
}

/**
 * Zeroes a range of a file.
 *
 * @param unmap Whether to free its space: it then fails rather than write
 * zeroes where the medium cannot do that.
 * @returns 0 or `-errno`.
 */
export async function zeroRange(
  calls: ZeroCalls,
  position: number,
  length: number,
  unmap: boolean,
): Promise<number> {
  const mode = FALLOC_FL.KEEP_SIZE |
    (unmap ? FALLOC_FL.PUNCH_HOLE : FALLOC_FL.ZERO_RANGE);
  const end = position + length;
  let first = position;
  let last = end;
  let result = await calls.fallocate(mode, position, length);
  if (result === -ERRNO.EINVAL) {
    // A block device zeroes whole sectors only; the rest is written.
    first = Math.min(end, Math.ceil(position / SECTOR) * SECTOR);
    last = Math.max(first, Math.floor(end / SECTOR) * SECTOR);
    result = first === last
      ? 0
      : await calls.fallocate(mode, first, last - first);
  }
  // A discard must fail rather than write zeroes.
  const refused = result === -ERRNO.EINVAL ||
    (result === -ERRNO.EOPNOTSUPP && !unmap);
  if (refused) return await writeZeroes(calls, position, end);
  if (result < 0) return result;
  result = await writeZeroes(calls, position, first);
  return result < 0 ? result : await writeZeroes(calls, last, end);
}

/** Writes zeroes from one position to another. */
async function writeZeroes(
  calls: ZeroCalls,
  from: number,
  to: number,
): Promise<number> {
  for (let at = from; at < to;) {
    const length = Math.min(ZEROES.length, to - at);
    const put = await calls.write(at, ZEROES, length);
    if (put < 0) return put;
    at += put;
  }
  return 0;
}
