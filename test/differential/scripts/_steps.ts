/**
 * Steps that many scripts share, on a file called "a".
 *
 * @module
 */
import type { Step } from "../step.ts";

/** Bytes in a mebibyte. */
export const MIB: number = 1 << 20;
/** FALLOC_FL_KEEP_SIZE. */
export const KEEP_SIZE = 1;
/** FALLOC_FL_PUNCH_HOLE. */
export const PUNCH_HOLE = 2;
/** stat(2) of the mounted file. */
export const STAT: Step = ["stat", ""];
/** fstat(2) of the file. */
export const FSTAT: Step = ["fstat", "a"];
/** close(2) of the file. */
export const CLOSE: Step = ["close", "a"];
/** A mount of a disk that is read-only and not all zeroes. */
export const PATTERN = { backend: "pattern", writable: false } as const;

/** open(2) of the mounted file. */
export function open(flags: number, as: string = "a"): Step {
  return ["open", as, "", flags];
}

/** pread(2). */
export function pread(offset: number, size: number): Step {
  return ["pread", "a", size, offset];
}

/** pwrite(2). */
export function pwrite(offset: number, size: number, fill: number = 1): Step {
  return ["pwrite", "a", size, offset, fill];
}

/** fallocate(2). */
export function allocate(mode: number, offset: number, size: number): Step {
  return ["fallocate", "a", mode, offset, size];
}
