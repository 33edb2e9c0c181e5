/**
 * Operations on files, each a system call in a slot of an io_uring that is
 * repeated until it has transferred all bytes.
 *
 * @module
 */
import { ERRNO } from "../base/errno.ts";
import { Completion } from "./completion.ts";
import type { CompletedOperation } from "./ring_events.ts";

/** The descriptor of no file. */
export const NO_FILE = -1;

/** System calls on a file. */
export const FILE_CALL = {
  /** pread(2). */
  READ: 0,
  /** pwrite(2). */
  WRITE: 1,
  /** fdatasync(2). */
  SYNC: 2,
  /** fallocate(2). */
  ALLOCATE: 3,
  /** ftruncate(2). */
  TRUNCATE: 4,
  /** No call: completes after the time in a buffer, struct __kernel_timespec. */
  TIMER: 5,
} as const;

/** One of {@linkcode FILE_CALL}. */
export type FileCall = typeof FILE_CALL[keyof typeof FILE_CALL];

/** A range of a ring's slots for system calls on files. */
export interface FileSlots {
  /** The first slot of the ring. */
  readonly first: number;
  /** How many there are: calls that may be in flight at once. */
  readonly count: number;
  /**
   * Fills a slot in and pushes it.
   *
   * @param slot From 0, below `count`.
   * @param call Which system call.
   * @param fd The file's descriptor.
   * @param buffer For READ and WRITE; it must not move until the completion.
   * @param start First byte in the buffer; the mode of ALLOCATE.
   * @param length Bytes.
   * @param position Where in the file; the size of TRUNCATE.
   */
  prepare(
    slot: number,
    call: FileCall,
    fd: number,
    buffer: Uint8Array | null,
    start: number,
    length: number,
    position: number,
  ): void;
  /** Pushes a slot once more as it is. */
  repeat(slot: number): void;
  /**
   * Makes a system call in the calling thread, which waits if the file does. The
   * parameters are those of `prepare()`.
   *
   * @returns A count of bytes, 0, or a negative errno.
   */
  makeHere(
    call: FileCall,
    fd: number,
    buffer: Uint8Array | null,
    start: number,
    length: number,
    position: number,
  ): number;
}

/** What takes operations back. */
export interface OperationOwner {
  /** Takes a settled operation, for another use. */
  release(operation: FileOperation): void;
}

/** Operations in the order in which they came. */
export class OperationList {
  #first: FileOperation | null = null;
  #last: FileOperation | null = null;

  get isEmpty(): boolean {
    return this.#first === null;
  }

  add(operation: FileOperation): void {
    if (this.#last === null) this.#first = operation;
    else this.#last.next = operation;
    this.#last = operation;
  }

  /** Removes the first one; `null` if there is none. */
  shift(): FileOperation | null {
    const first = this.#first;
    if (first === null) return null;
    this.#first = first.next;
    if (first.next === null) this.#last = null;
    first.next = null;
    return first;
  }
}

/** One operation: a system call, repeated until all bytes are transferred. */
export class FileOperation implements CompletedOperation {
  /** Its result, once its last call has completed. */
  result = 0;
  /** The operation that waits behind this one. */
  next: FileOperation | null = null;
  readonly #slots: FileSlots;
  readonly #owner: OperationOwner;
  #slot = 0;
  #completion: Completion<number> | null = null;
  #call: FileCall = FILE_CALL.READ;
  #fd = NO_FILE;
  #fallback = NO_FILE;
  #buffer: Uint8Array | null = null;
  #start = 0;
  #length = 0;
  #position = 0;
  /** Bytes that earlier calls have transferred. */
  #done = 0;

  constructor(slots: FileSlots, owner: OperationOwner) {
    this.#slots = slots;
    this.#owner = owner;
  }

  get isRead(): boolean {
    return this.#call === FILE_CALL.READ;
  }

  /** Sets the first call; the parameters are those of `FileSlots.prepare()`. */
  set(
    call: FileCall,
    fd: number,
    buffer: Uint8Array | null,
    start: number,
    length: number,
    position: number,
  ): void {
    this.#call = call;
    this.#fd = fd;
    this.#buffer = buffer;
    this.#start = start;
    this.#length = length;
    this.#position = position;
    this.#done = 0;
  }

  /** Starts the operation, which still needs a slot. */
  start(fallback: number): Completion<number> {
    this.#fallback = fallback === this.#fd ? NO_FILE : fallback;
    return this.#completion = Completion.start();
  }

  /** Makes the first call in a slot. */
  run(slot: number): void {
    this.#slot = slot;
    this.#push();
  }

  /** Takes the result of a call; whether the operation needs another one. */
  continues(result: number): boolean {
    if (result === -ERRNO.EINTR || result === -ERRNO.EAGAIN) {
      this.#slots.repeat(this.#slot);
      return true;
    }
    //= io_uring/io-wq.c io_acct_cancel_pending_work(): there is no thread for
    //= the call, and none can be started. Nothing here cancels a call.
    if (result === -ERRNO.ECANCELED) return this.continues(this.#makeHere());
    if (this.#call > FILE_CALL.WRITE) return this.#ends(result);
    const { isRead } = this;
    const failsHere = result === -ERRNO.EINVAL || (isRead && result < 0);
    if (failsHere && this.#fallback !== NO_FILE) {
      this.#fd = this.#fallback;
      this.#fallback = NO_FILE;
      this.#push();
      return true;
    }
    if (result > 0) {
      this.#done += result;
      if (this.#done < this.#length) {
        this.#push();
        return true;
      }
    }
    // Bytes that were transferred before the error count.
    if (result < 0 && this.#done === 0) return this.#ends(result);
    const isStuck = !isRead && this.#done === 0;
    return this.#ends(isStuck ? -ERRNO.EIO : this.#done);
  }

  settle(): void {
    const completion = this.#completion!;
    this.#completion = null;
    this.#buffer = null;
    // Before a step runs, which may start another operation.
    this.#owner.release(this);
    completion.complete(this.result);
  }

  #ends(result: number): false {
    this.result = result;
    return false;
  }

  /** Makes the call for the rest in this thread. */
  #makeHere(): number {
    const result = this.#slots.makeHere(
      this.#call,
      this.#fd,
      this.#buffer,
      this.#start + this.#done,
      this.#length - this.#done,
      this.#position + this.#done,
    );
    // From the file itself, as from a network file system.
    return result === -ERRNO.ECANCELED ? -ERRNO.EIO : result;
  }

  /** Pushes the call for the rest. */
  #push(): void {
    this.#slots.prepare(
      this.#slot,
      this.#call,
      this.#fd,
      this.#buffer,
      this.#start + this.#done,
      this.#length - this.#done,
      this.#position + this.#done,
    );
  }
}
