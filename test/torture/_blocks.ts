/**
 * Blocks that identify themselves: number, sequence and a checksum.
 *
 * @module
 */

/** Bytes of a block: one page, so that none is written in part. */
export const BLOCK: number = 4096;

const MAGIC = 0x6d71_6675;
const BODY_AT = 16;

/** Fills a block. */
export function fillBlock(
  bytes: Uint8Array<ArrayBuffer>,
  at: number,
  block: number,
  sequence: number,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, BLOCK);
  let state = Math.imul(block + 1, 0x9e37_79b1) ^ sequence;
  for (let i = BODY_AT; i < BLOCK; i += 4) {
    state = Math.imul(state ^ state >>> 15, 0x2c1b_3c6d) + 1 | 0;
    view.setInt32(i, state, true);
  }
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, block, true);
  view.setUint32(8, sequence, true);
  view.setUint32(12, checksum(view), true);
}

/**
 * The sequence of a block, 0 if nothing was written there.
 *
 * @throws {Error} If it is another block, or damaged.
 */
export function sequenceOf(
  bytes: Uint8Array<ArrayBuffer>,
  block: number,
): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset + block * BLOCK);
  if (view.getUint32(0, true) === 0) return 0;
  const sequence = view.getUint32(8, true);
  const whole = view.getUint32(0, true) === MAGIC &&
    view.getUint32(4, true) === block &&
    view.getUint32(12, true) === checksum(view);
  if (whole) return sequence;
  throw new Error(`Block ${block} is damaged, its sequence is ${sequence}`);
}

function checksum(view: DataView): number {
  let sum = view.getUint32(4, true) ^ view.getUint32(8, true);
  for (let i = BODY_AT; i < BLOCK; i += 4) {
    sum = Math.imul(sum ^ view.getUint32(i, true), 0x0100_0193) >>> 0;
  }
  return sum >>> 0;
}
