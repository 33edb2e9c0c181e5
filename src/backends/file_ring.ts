import type { Answer } from "./backend.ts";

/**
 * File I/O that answers later, on a ring that one thread shares with its
 * requests. Every call answers with what the system call returns, or a negated
 * errno; `-EBUSY` at once where too much is in flight.
 */
export interface FileRing {
  /**
   * Reads into the start of a buffer; short only at the end of the file.
   *
   * @param fallback The descriptor to use where `fd` says EINVAL, as direct I/O
   * does of memory that is not aligned; none if left out.
   */
  read(
    fd: number,
    into: Uint8Array,
    length: number,
    position: number,
    fallback?: number,
  ): Answer;
  /** Writes the start of a buffer; short only if the medium is full. */
  write(
    fd: number,
    from: Uint8Array,
    length: number,
    position: number,
    fallback?: number,
  ): Answer;
  /** fdatasync(2). */
  sync(fd: number): Answer;
  /** fallocate(2) with FALLOC_FL_* mode bits. */
  allocate(fd: number, mode: number, position: number, length: number): Answer;
}
