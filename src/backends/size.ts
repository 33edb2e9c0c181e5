/**
 * The sizes of images, and how people write them: `1G`, `25M`, `4096`.
 *
 * @module
 */
import { UserError } from "../base/user_error.ts";

/**
 * The largest image: 2^53 - 1 bytes, up to which numbers are exact.
 *
 * @category Sizes
 */
export const SIZE_MAX: number = Number.MAX_SAFE_INTEGER;

const SECTOR = 512;

/**
 * The end of the last sector in which an image has bytes. QEMU counts a raw image
 * in whole sectors, and so do its maps of images above one.
 */
export function sectorEnd(size: number): number {
  return Math.ceil(size / SECTOR) * SECTOR;
}

const UNITS: Record<string, bigint> = {
  "": 1n,
  b: 1n,
  k: 1n << 10n,
  m: 1n << 20n,
  g: 1n << 30n,
  t: 1n << 40n,
  p: 1n << 50n,
  e: 1n << 60n,
};

/**
 * Parses a size: digits and a suffix for powers of 1024, `k`, `M`, `G`, `T`,
 * `P` or `E` in either case.
 *
 * @example
 * ```ts
 * import { parseSize } from "@mqfuse/mqfuse/backends";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseSize("1M"), 1048576);
 * ```
 *
 * @param text The size as text.
 * @returns Bytes, from 0 to {@linkcode SIZE_MAX}.
 * @throws {UserError} If it is not a size, or too large.
 * @category Sizes
 */
export function parseSize(text: string): number {
  const match = /^(\d+)([bkmgtpe]?)$/i.exec(text);
  if (match === null) {
    throw new UserError(
      `Cannot read size "${text}": expected digits and one of k, M, G, T, P, E, such as 512M`,
    );
  }
  const bytes = BigInt(match[1]!) * UNITS[match[2]!.toLowerCase()]!;
  if (bytes > BigInt(SIZE_MAX)) {
    throw new UserError(
      `Cannot use size "${text}": the largest is 2^53 - 1 bytes (8 PiB)`,
    );
  }
  return Number(bytes);
}

/**
 * Formats a size for people: `1 GiB`, `1.5 MiB`, `512 B`.
 *
 * @param bytes A number of bytes, from 0.
 * @category Sizes
 */
export function formatSize(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let unit = 0;
  let value = bytes;
  // 1023.5 and more would be rounded to 1024 of the smaller unit.
  while (value >= 1023.5 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = Number.isInteger(value) || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit]}`;
}
