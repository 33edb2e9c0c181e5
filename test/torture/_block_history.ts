/**
 * What blocks of a disk may hold after a crash: the last change that fsync
 * acknowledged, or a later one.
 *
 * @module
 */
import { assert } from "@std/assert";

const BLOCK = 4096;
const MAGIC = 0x6d717775;

/** The bytes of a block after a change; zeroes after change 0. */
export function blockOf(block: number, change: number): Uint8Array {
  const bytes = new Uint8Array(BLOCK);
  if (change === 0) return bytes;
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < BLOCK; at += 16) {
    view.setUint32(at, MAGIC, true);
    view.setUint32(at + 4, block, true);
    view.setBigUint64(at + 8, BigInt(change), true);
  }
  return bytes;
}

/** The changes of all blocks of a disk. */
export class BlockHistory {
  /** The number of the last change. */
  last: number;
  /** Blocks whose changes were acknowledged, in all. */
  acknowledged = 0;
  readonly #may: Set<number>[];

  /**
   * Begins a history.
   *
   * @param blocks The number of blocks.
   * @param change What all of them hold.
   */
  constructor(blocks: number, change: number) {
    this.last = change;
    this.#may = Array.from({ length: blocks }, () => new Set([change]));
  }

  /**
   * Adds what a writer has printed.
   *
   * @param lines As `_block_writer.py` prints them.
   * @param cutMs When the medium failed: a file system that shuts down
   * acknowledges some writes that it loses.
   */
  add(lines: readonly string[], cutMs: number): void {
    for (const line of lines) {
      const [block, change, time] = line.split(" ").map(Number);
      if (change === undefined) continue;
      const may = this.#may[block!]!;
      this.last = Math.max(this.last, change);
      if (time === undefined) {
        may.add(change);
      } else if (time < cutMs) {
        this.acknowledged++;
        may.clear();
        may.add(change);
      }
    }
  }

  /**
   * Requires that a disk holds what it may, which it then holds.
   *
   * @throws {Error} If a block was lost or damaged.
   */
  check(disk: Uint8Array<ArrayBuffer>): void {
    assert(disk.length === this.#may.length * BLOCK);
    this.#may.forEach((may, block) => {
      const bytes = disk.subarray(block * BLOCK, (block + 1) * BLOCK);
      const found = changeIn(bytes, block);
      if (!may.has(found)) {
        throw new Error(`block ${block} has ${found}, not ${[...may]}`);
      }
      may.clear();
      may.add(found);
    });
  }
}

/** The change that a block holds; an error if it is damaged. */
function changeIn(bytes: Uint8Array<ArrayBuffer>, block: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, BLOCK);
  const change = Number(view.getBigUint64(8, true));
  const wanted = blockOf(block, change);
  const at = bytes.findIndex((byte, i) => byte !== wanted[i]);
  if (at >= 0) throw new Error(`block ${block} is damaged at byte ${at}`);
  return change;
}
