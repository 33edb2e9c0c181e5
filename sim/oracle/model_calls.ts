/**
 * Calls that a {@linkcode DiskModel} follows from their start to their end.
 *
 * @module
 */
import type { SizeChange, SizeWindow } from "./size_model.ts";
import type { Overwrite } from "./write_history.ts";

/**
 * A read that is under way: a `HistoryCall` with the `SizeWindow` of its
 * duration.
 *
 * @category Checking
 */
export interface ModelRead {
  /** @ignore */
  began: number;
  /** @ignore */
  over: boolean;
  /** @ignore */
  sizeMin: number;
  /** @ignore */
  sizeMax: number;
  /** @ignore */
  slot: number;
  /** Its position in bytes. */
  readonly position: number;
  /** Bytes requested. */
  readonly length: number;
}

/**
 * A write that is under way.
 *
 * @category Checking
 */
export interface ModelWrite {
  /**
   * The bytes that it replaces.
   *
   * @ignore
   */
  readonly overwrite: Overwrite;
  /**
   * Bytes that it was asked to write.
   *
   * @ignore
   */
  readonly asked: number;
  /**
   * Sizes that the disk may have had during the call.
   *
   * @ignore
   */
  readonly window: SizeWindow;
  /**
   * The growth that it may cause; `null` if it cannot grow the disk.
   *
   * @ignore
   */
  readonly growth: SizeChange | null;
}

/**
 * A change of the size that is under way.
 *
 * @category Checking
 */
export interface ModelResize {
  /**
   * The range that it sets to zero.
   *
   * @ignore
   */
  readonly overwrite: Overwrite;
  /**
   * The change.
   *
   * @ignore
   */
  readonly change: SizeChange;
  /**
   * Whether the size was known exactly when it began.
   *
   * @ignore
   */
  readonly certain: boolean;
}

/**
 * The disk returned something that no correct disk can return.
 *
 * @category Checking
 */
export class ModelMismatch extends Error {
  /** The position of the first wrong byte, or of the call. */
  readonly position: number;

  /**
   * Makes the error of a wrong answer.
   *
   * @param position The position of the first wrong byte, or of the call.
   * @param message What is wrong, in one sentence.
   */
  constructor(position: number, message: string) {
    super(message);
    this.name = "ModelMismatch";
    this.position = position;
  }
}

/** Fails with the first wrong byte of a read. */
export function failAtByte(
  position: number,
  byte: number,
  expected: readonly number[],
): never {
  const legal = expected.join(" or ");
  throw new ModelMismatch(
    position,
    `Cannot have read ${byte} at ${position}: expected ${legal}`,
  );
}

/** Fails unless a call moved between `least` and `most` bytes. */
export function checkCount(
  did: "read" | "written",
  position: number,
  count: number,
  least: number,
  most: number,
): void {
  if (count >= least && count <= most) return;
  throw new ModelMismatch(
    position,
    `Cannot have ${did} ${count} bytes at ${position}: expected ${least} to ${most}`,
  );
}
