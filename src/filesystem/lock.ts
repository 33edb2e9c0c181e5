/**
 * Locks of files, as values.
 *
 * @module
 */

/**
 * A lock of fcntl(2) on a range of a file, or of flock(2) on the whole of it.
 *
 * @category Writing a file system
 */
export interface Lock {
  /** `shared` for reading, `exclusive` for writing, `none` to unlock. */
  readonly kind: LockKind;
  /** Where the range starts, in bytes. */
  readonly start: bigint;
  /** Its last byte; 2^63 - 1 for the end of the file, wherever that is. */
  readonly end: bigint;
  /**
   * Whose lock it is: a number that the kernel gives a process, or an open file
   * if `isFlock` is set.
   */
  readonly owner: bigint;
  /** The id of the process, for fcntl(2) with F_GETLK. */
  readonly pid: number;
  /** Whether it is a lock of flock(2), which those of fcntl(2) do not concern. */
  readonly isFlock: boolean;
}

/**
 * What a lock excludes.
 *
 * @category Writing a file system
 */
export type LockKind = "shared" | "exclusive" | "none";

// <asm-generic/fcntl.h>: F_RDLCK, F_WRLCK, F_UNLCK.
const KINDS: readonly LockKind[] = ["shared", "exclusive", "none"];

/** The end of a lock up to the end of the file: OFFSET_MAX of the kernel. */
export const LOCK_END_MAX = 2n ** 63n - 1n;

/** The kind of a lock on the wire; `null` for an unknown number. */
export function lockKindOf(type: number): LockKind | null {
  return KINDS[type] ?? null;
}

/** The number of a kind on the wire. */
export function lockType(kind: LockKind): number {
  return KINDS.indexOf(kind);
}
