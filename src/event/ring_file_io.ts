/**
 * File I/O on an io_uring, completed without an allocation.
 *
 * @module
 */
import { ERRNO } from "../base/errno.ts";
import { Completion } from "./completion.ts";
import type { FileIo } from "./file_io.ts";
import type { RingOwner } from "./ring.ts";
import type { CompletedOperation, RingEvents } from "./ring_events.ts";

const NO_FILE = -1;

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
   * @param position Where in the file.
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
}

/** {@linkcode FileIo} on the io_uring of an event source. */
export class RingFileIo implements FileIo, RingOwner {
  readonly #events: RingEvents;
  readonly #operations: FileOperation[];
  readonly #free: FileOperation[];
  #closed = false;

  /** Registers the slots of file I/O on an event source. */
  constructor(events: RingEvents, slots: FileSlots) {
    this.#events = events;
    this.#operations = Array.from(
      { length: slots.count },
      (_, slot) => new FileOperation(slots, slot, this),
    );
    this.#free = [...this.#operations];
    events.register(this, slots.first, slots.count);
  }

  read(
    fd: number,
    buffer: Uint8Array,
    start: number,
    length: number,
    position: number,
    fallback: number = NO_FILE,
  ): number | Completion<number> {
    const operation = this.#take();
    if (typeof operation === "number") return operation;
    operation.prepare(FILE_CALL.READ, fd, buffer, start, length, position);
    return this.#start(operation, fallback);
  }

  write(
    fd: number,
    buffer: Uint8Array,
    start: number,
    length: number,
    position: number,
    fallback: number = NO_FILE,
  ): number | Completion<number> {
    const operation = this.#take();
    if (typeof operation === "number") return operation;
    operation.prepare(FILE_CALL.WRITE, fd, buffer, start, length, position);
    return this.#start(operation, fallback);
  }

  sync(fd: number): number | Completion<number> {
    const operation = this.#take();
    if (typeof operation === "number") return operation;
    operation.prepare(FILE_CALL.SYNC, fd, null, 0, 0, 0);
    return this.#start(operation, NO_FILE);
  }

  allocate(
    fd: number,
    mode: number,
    position: number,
    length: number,
  ): number | Completion<number> {
    const operation = this.#take();
    if (typeof operation === "number") return operation;
    operation.prepare(FILE_CALL.ALLOCATE, fd, null, mode, length, position);
    return this.#start(operation, NO_FILE);
  }

  completed(slot: number, result: number): void {
    const operation = this.#operations[slot]!;
    if (operation.continues(result)) this.#events.pushed();
    else this.#events.completed(operation);
  }

  ringFailed(): void {}

  ringClosed(): void {
    this.#closed = true;
    for (const operation of this.#operations) {
      if (!operation.isInFlight) continue;
      operation.result = -ERRNO.ECANCELED;
      this.#events.completed(operation);
    }
  }

  /** Frees the slot of a settled operation. */
  free(operation: FileOperation): void {
    this.#free.push(operation);
  }

  #take(): FileOperation | number {
    if (this.#closed) return -ERRNO.ENODEV;
    return this.#free.pop() ?? -ERRNO.EBUSY;
  }

  #start(operation: FileOperation, fallback: number): Completion<number> {
    const completion = operation.start(fallback);
    this.#events.started();
    this.#events.pushed();
    return completion;
  }
}

/** The operation in one slot; reused for others. */
class FileOperation implements CompletedOperation {
  /** Its result, once its last call has completed. */
  result = 0;
  readonly #slots: FileSlots;
  readonly #slot: number;
  readonly #owner: RingFileIo;
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
  #isInFlight = false;

  constructor(slots: FileSlots, slot: number, owner: RingFileIo) {
    this.#slots = slots;
    this.#slot = slot;
    this.#owner = owner;
  }

  /** Whether a call of it is in flight. */
  get isInFlight(): boolean {
    return this.#isInFlight;
  }

  /** Prepares the first call. */
  prepare(
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
    this.#push();
  }

  /** Starts the operation. */
  start(fallback: number): Completion<number> {
    this.#fallback = fallback === this.#fd ? NO_FILE : fallback;
    this.#isInFlight = true;
    return this.#completion = Completion.start();
  }

  /** Takes the result of a call; whether the operation needs another one. */
  continues(result: number): boolean {
    if (result === -ERRNO.EINTR || result === -ERRNO.EAGAIN) {
      this.#slots.repeat(this.#slot);
      return true;
    }
    if (this.#call > FILE_CALL.WRITE) return this.#ends(result);
    const isRead = this.#call === FILE_CALL.READ;
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
    // Free before a step runs, which may start another operation.
    this.#owner.free(this);
    completion.complete(this.result);
  }

  #ends(result: number): false {
    this.result = result;
    this.#isInFlight = false;
    return false;
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
