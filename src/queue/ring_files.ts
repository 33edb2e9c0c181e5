/**
 * File I/O on a queue's ring, completed without an allocation.
 *
 * @module
 */
import { ERRNO } from "../base/errno.ts";
import { Completion } from "../event/completion.ts";
import type { FileIo } from "../event/file_io.ts";
import { FILE_CALL, type FileCall, type FuseRing } from "./fuse_ring.ts";

const NO_FILE = -1;

/** {@linkcode FileIo} on a ring, whose queue brings the completions. */
export class RingFiles implements FileIo {
  readonly #ring: FuseRing;
  readonly #slots: FileSlot[];
  readonly #free: FileSlot[];
  readonly #prepared: () => void;
  #inFlight = 0;
  #gone = false;

  /**
   * Makes the operations of a ring's slots.
   *
   * @param ring The ring.
   * @param prepared Called when an operation is ready to be submitted.
   */
  constructor(ring: FuseRing, prepared: () => void) {
    this.#ring = ring;
    this.#prepared = prepared;
    this.#slots = Array.from(
      { length: ring.fileSlots },
      (_, slot) => new FileSlot(ring, slot),
    );
    this.#free = [...this.#slots];
  }

  /** Operations that have not completed. */
  get inFlight(): number {
    return this.#inFlight;
  }

  read(
    fd: number,
    buffer: Uint8Array,
    start: number,
    length: number,
    position: number,
    fallback: number = NO_FILE,
  ): number | Completion<number> {
    const slot = this.#take();
    if (typeof slot === "number") return slot;
    slot.transfer(FILE_CALL.READ, fd, buffer, start, length, position);
    return this.#begin(slot, fallback);
  }

  write(
    fd: number,
    buffer: Uint8Array,
    start: number,
    length: number,
    position: number,
    fallback: number = NO_FILE,
  ): number | Completion<number> {
    const slot = this.#take();
    if (typeof slot === "number") return slot;
    slot.transfer(FILE_CALL.WRITE, fd, buffer, start, length, position);
    return this.#begin(slot, fallback);
  }

  sync(fd: number): number | Completion<number> {
    const slot = this.#take();
    if (typeof slot === "number") return slot;
    slot.transfer(FILE_CALL.SYNC, fd, null, 0, 0, 0);
    return this.#begin(slot, NO_FILE);
  }

  allocate(
    fd: number,
    mode: number,
    position: number,
    length: number,
  ): number | Completion<number> {
    const slot = this.#take();
    if (typeof slot === "number") return slot;
    slot.transfer(FILE_CALL.ALLOCATE, fd, null, mode, length, position);
    return this.#begin(slot, NO_FILE);
  }

  /** Notes a completion; for the queue that takes them. */
  completed(slot: number, result: number): void {
    const operation = this.#slots[slot]!;
    if (operation.goesOn(result)) return;
    this.#end(operation, operation.result);
  }

  /** The ring is closed: operations in flight fail, and so do later calls. */
  abandon(): void {
    this.#gone = true;
    if (this.#inFlight === 0) return;
    for (const operation of this.#slots) {
      if (operation.busy) this.#end(operation, -ERRNO.ECANCELED);
    }
  }

  #take(): FileSlot | number {
    if (this.#gone) return -ERRNO.ENODEV;
    return this.#free.pop() ?? -ERRNO.EBUSY;
  }

  #begin(slot: FileSlot, fallback: number): Completion<number> {
    this.#inFlight++;
    const completion = slot.begin(fallback);
    this.#prepared();
    return completion;
  }

  #end(slot: FileSlot, result: number): void {
    const completion = slot.end();
    this.#inFlight--;
    // Free before it completes: a step may start another operation.
    this.#free.push(slot);
    completion.complete(result);
  }
}

/** One slot for file operations, and the operation in it. */
class FileSlot {
  /** What the operation returns, once it does not go on. */
  result = 0;
  readonly #slot: number;
  readonly #ring: FuseRing;
  #completion: Completion<number> | null = null;
  #kind: FileCall = FILE_CALL.READ;
  #fd = NO_FILE;
  #fallback = NO_FILE;
  #buffer: Uint8Array | null = null;
  #start = 0;
  #length = 0;
  #position = 0;
  #done = 0;

  constructor(ring: FuseRing, slot: number) {
    this.#ring = ring;
    this.#slot = slot;
  }

  /** Whether an operation is in flight. */
  get busy(): boolean {
    return this.#completion !== null;
  }

  /** Prepares an operation. */
  transfer(
    kind: FileCall,
    fd: number,
    buffer: Uint8Array | null,
    start: number,
    length: number,
    position: number,
  ): void {
    this.#kind = kind;
    this.#fd = fd;
    this.#buffer = buffer;
    this.#start = start;
    this.#length = length;
    this.#position = position;
    this.#done = 0;
    this.#prepare();
  }

  /** Starts it. */
  begin(fallback: number): Completion<number> {
    this.#fallback = fallback === this.#fd ? NO_FILE : fallback;
    return this.#completion = Completion.start();
  }

  /** Takes the completion out. */
  end(): Completion<number> {
    const completion = this.#completion!;
    this.#completion = null;
    this.#buffer = null;
    return completion;
  }

  /** Takes a result in; whether the operation needs another call. */
  goesOn(result: number): boolean {
    if (result === -ERRNO.EINTR || result === -ERRNO.EAGAIN) {
      this.#ring.repeat(this.#ring.tag);
      return true;
    }
    if (this.#kind > FILE_CALL.WRITE) {
      this.result = result;
      return false;
    }
    if (result === -ERRNO.EINVAL && this.#fallback !== NO_FILE) {
      this.#fd = this.#fallback;
      this.#fallback = NO_FILE;
      this.#prepare();
      return true;
    }
    if (result > 0) {
      this.#done += result;
      if (this.#done < this.#length) {
        this.#prepare();
        return true;
      }
    }
    const failed = result < 0 &&
      (this.#done === 0 || this.#kind === FILE_CALL.READ);
    const nothing = result === 0 && this.#done === 0 &&
      this.#kind === FILE_CALL.WRITE;
    this.result = failed ? result : nothing ? -ERRNO.EIO : this.#done;
    return false;
  }

  /** Prepares the call for what is left. */
  #prepare(): void {
    this.#ring.file(
      this.#slot,
      this.#kind,
      this.#fd,
      this.#buffer,
      this.#start + this.#done,
      this.#length - this.#done,
      this.#position + this.#done,
    );
  }
}
