/**
 * What words of L1 and L2 tables say.
 *
 * @module
 */
const OFFSET_HIGH = 0x00ff_ffff;
const OFFSET_LOW = 0xffff_fe00;
const COPIED = 0x8000_0000;
const ZERO = 1;

/** The offset in an L1 entry, or of a plain L2 entry. */
export function tableOffset(high: number, low: number): number {
  return (high & OFFSET_HIGH) * 2 ** 32 + ((low & OFFSET_LOW) >>> 0);
}

/** Whether a plain L2 entry has a cluster. */
export function hasPlace(
  high: number,
  low: number,
  hasDataFile: boolean,
): boolean {
  if (tableOffset(high, low) !== 0) return true;
  return hasDataFile && (high & COPIED) !== 0 && (low & ZERO) === 0;
}
