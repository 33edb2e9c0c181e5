/**
 * How a new image takes the bytes of a disk.
 *
 * @module
 */

/**
 * Buffers of a writer whose file may be written by another thread meanwhile:
 * enough for that one to have the next while this one reads.
 */
export const WRITE_BUFFERS = 4;

/** Bytes of a disk in a buffer. */
export interface DiskRun {
  /** Where they belong on the disk; a multiple of the writer's unit. */
  readonly position: number;
  /** Where they are in the buffer. */
  readonly start: number;
  /**
   * How many: whole units, or what the disk has of the last one. Zeroes follow
   * in the buffer then.
   */
  readonly length: number;
}

/** Takes the bytes of a disk, in one thread. */
export interface PartWriter<Result = unknown> {
  /** Bytes that are stored, left out or zeroed as one. */
  readonly unit: number;
  /** Buffers that it may have at once. With one, its calls do not overlap. */
  readonly buffers: number;
  /**
   * Stores runs, in the order of the buffer and of the disk. The buffer is on
   * loan until the end, and may be changed.
   *
   * @throws {UserError} If they cannot be written.
   */
  put(
    buffer: Uint8Array<ArrayBuffer>,
    runs: readonly DiskRun[],
  ): void | Promise<void>;
  /** Makes whole units read as zeroes, which they would not do else. */
  zero(position: number, length: number): void | Promise<void>;
  /**
   * Ends a part, all of which has been stored. The result may have some of other
   * parts too, whose own results then leave it out.
   */
  end(): Result | Promise<Result>;
}
