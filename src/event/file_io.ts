import type { ByteStream, StreamOwner } from "./byte_stream.ts";
import type { Completion } from "./completion.ts";

/**
 * Asynchronous file I/O on the event source of one thread.
 *
 * A call returns a completion of its system call's result: a count of bytes or
 * a negative errno; `-ENODEV` at once after the event source was closed. Buffers
 * are on loan until the completion. Any number of operations may be in flight:
 * what the event source has no room for waits, and reads never wait for
 * operations of other kinds.
 */
export interface FileIo {
  /**
   * Reads `length` bytes at `position` of a file into `buffer`, from byte
   * `start` of the buffer on; fewer only before an error or the end of the file.
   *
   * @param fallback The descriptor to use after an error of `fd`: direct I/O
   * fails for memory that is not aligned, and as a whole if one of its sectors
   * is bad; none if left out.
   */
  read(
    fd: number,
    buffer: Uint8Array,
    start: number,
    length: number,
    position: number,
    fallback?: number,
  ): number | Completion<number>;
  /**
   * Writes `length` bytes of `buffer`, from its byte `start` on, at `position`
   * of a file; fewer only if the medium refused the rest.
   *
   * @param fallback The descriptor to use if `fd` returns EINVAL; none if left
   * out.
   */
  write(
    fd: number,
    buffer: Uint8Array,
    start: number,
    length: number,
    position: number,
    fallback?: number,
  ): number | Completion<number>;
  /** fdatasync(2). */
  sync(fd: number): number | Completion<number>;
  /** fallocate(2) with FALLOC_FL_* mode bits. */
  allocate(
    fd: number,
    mode: number,
    position: number,
    length: number,
  ): number | Completion<number>;
  /**
   * Whether this thread may make a call itself that may block: no operation of
   * it is in flight, and another thread serves the same requests. The caller
   * calls `unblock()` after the call. A call by itself takes less time than an
   * operation, which another thread makes if it may block.
   *
   * @param rarely Whether the call waits only if memory is short at that moment,
   * and for no longer than the medium takes: a thread that serves alone may make
   * it too. No if left out.
   */
  mayBlock(rarely?: boolean): boolean;
  /** Notes the end of a call that `mayBlock()` allowed. */
  unblock(): void;
  /**
   * Makes a stream of a connected, blocking socket; `null` if this I/O has none.
   * Left out if it never has.
   */
  stream?(
    fd: number,
    owner: StreamOwner,
    calls: SocketCalls,
  ): ByteStream | null;
  /** ftruncate(2); EINVAL from kernels before 6.9, whose io_uring lacks it. */
  truncate(fd: number, size: number): number | Completion<number>;
}

/** System calls on a socket. */
export interface SocketCalls {
  /**
   * shutdown(2) in both directions.
   *
   * @param discards As that of {@linkcode ByteStream.close}.
   */
  shutdown(fd: number, discards: boolean): void;
  /** close(2). */
  close(fd: number): void;
}

/** Limits how many threads may be in calls that may block. */
export interface BlockingLimit {
  /**
   * Enters a call, unless all other threads are in one.
   *
   * @param rarely Whether a thread without others may enter it; no if left out.
   */
  tryEnter(rarely?: boolean): boolean;
  /** Leaves a call. */
  leave(): void;
}
