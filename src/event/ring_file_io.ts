/**
 * File I/O on an io_uring, completed without an allocation.
 *
 * @module
 */
import { ERRNO } from "../base/errno.ts";
import type { Completion } from "./completion.ts";
import {
  FILE_CALL,
  FileOperation,
  type FileSlots,
  NO_FILE,
  OperationList,
  type OperationOwner,
} from "./file_operation.ts";
import type { ByteStream, StreamOwner } from "./byte_stream.ts";
import type { BlockingLimit, FileIo, SocketCalls } from "./file_io.ts";
import type { RingOwner } from "./ring.ts";
import type { RingEvents } from "./ring_events.ts";
import { RingStream } from "./ring_stream.ts";
import { RingTicks } from "./ring_ticks.ts";

/** Slots of a stream. */
const STREAM_SLOTS = 2;
/** Slots that only reads may take, if there are enough. */
const READ_SLOTS = 4;

/**
 * {@linkcode FileIo} on the io_uring of an event source.
 *
 * Operations that find no slot wait for one. A frozen file system holds writes,
 * and all else but reads, for as long as it likes, so these never take the last
 * slots.
 */
export class RingFileIo implements FileIo, RingOwner, OperationOwner {
  readonly #events: RingEvents;
  readonly #slots: FileSlots;
  readonly #blocking: BlockingLimit | null;
  /** The operation in each slot. */
  readonly #running: (FileOperation | null)[];
  readonly #freeSlots: number[];
  /** The stream that has a slot. */
  readonly #streams: (RingStream | null)[] = [];
  /** Takes a slot while something wants to be called. */
  readonly #ticks: RingTicks;
  /** Operations for reuse. */
  readonly #idle: FileOperation[] = [];
  readonly #waitingReads: OperationList = new OperationList();
  readonly #waitingOthers: OperationList = new OperationList();
  /** Slots that operations other than reads may take at once. */
  readonly #othersMax: number;
  #others = 0;
  #closed = false;

  /**
   * Registers the slots of file I/O on an event source.
   *
   * @param blocking Limits calls that may block; none is allowed if left out.
   */
  constructor(
    events: RingEvents,
    slots: FileSlots,
    blocking: BlockingLimit | null = null,
  ) {
    const { first, count } = slots;
    this.#blocking = blocking;
    this.#events = events;
    this.#slots = slots;
    this.#running = Array.from({ length: count }, () => null);
    this.#freeSlots = Array.from({ length: count }, (_, slot) => slot);
    this.#othersMax = count - Math.min(READ_SLOTS, Math.floor(count / 2));
    this.#ticks = new RingTicks(slots, events, this.#freeSlots);
    events.register(this, first, count);
  }

  read(
    fd: number,
    buffer: Uint8Array,
    start: number,
    length: number,
    position: number,
    fallback: number = NO_FILE,
  ): number | Completion<number> {
    if (this.#closed) return -ERRNO.ENODEV;
    const operation = this.#operation();
    operation.set(FILE_CALL.READ, fd, buffer, start, length, position);
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
    if (this.#closed) return -ERRNO.ENODEV;
    const operation = this.#operation();
    operation.set(FILE_CALL.WRITE, fd, buffer, start, length, position);
    return this.#start(operation, fallback);
  }

  sync(fd: number): number | Completion<number> {
    if (this.#closed) return -ERRNO.ENODEV;
    const operation = this.#operation();
    operation.set(FILE_CALL.SYNC, fd, null, 0, 0, 0);
    return this.#start(operation, NO_FILE);
  }

  allocate(
    fd: number,
    mode: number,
    position: number,
    length: number,
  ): number | Completion<number> {
    if (this.#closed) return -ERRNO.ENODEV;
    const operation = this.#operation();
    operation.set(FILE_CALL.ALLOCATE, fd, null, mode, length, position);
    return this.#start(operation, NO_FILE);
  }

  truncate(fd: number, size: number): number | Completion<number> {
    if (this.#closed) return -ERRNO.ENODEV;
    const operation = this.#operation();
    operation.set(FILE_CALL.TRUNCATE, fd, null, 0, 0, size);
    return this.#start(operation, NO_FILE);
  }

  mayBlock(rarely: boolean = false): boolean {
    return this.#blocking !== null && this.#events.inFlight === 0 &&
      this.#blocking.tryEnter(rarely);
  }

  unblock(): void {
    this.#blocking!.leave();
  }

  stream(
    fd: number,
    owner: StreamOwner,
    calls: SocketCalls,
  ): ByteStream | null {
    if (this.#closed || this.#freeSlots.length <= STREAM_SLOTS) return null;
    const sendSlot = this.#freeSlots.pop()!;
    const receiveSlot = this.#freeSlots.pop()!;
    const both = [sendSlot, receiveSlot];
    const stream = new RingStream({
      events: this.#events,
      slots: this.#slots,
      sendSlot,
      receiveSlot,
      fd,
      everySecond: (ticking) => this.#ticks.add(ticking),
      shutdown: calls.shutdown,
      release: () => {
        calls.close(fd);
        for (const slot of both) this.#streams[slot] = null;
        this.#freeSlots.push(...both);
      },
    }, owner);
    for (const slot of both) this.#streams[slot] = stream;
    return stream;
  }

  completed(slot: number, result: number): void {
    if (this.#ticks.completed(slot)) return;
    const operation = this.#running[slot] ?? null;
    if (operation === null) {
      return this.#streams[slot]!.slotCompleted(slot, result);
    }
    if (operation.continues(result)) return this.#events.pushed();
    this.#running[slot] = null;
    this.#freeSlots.push(slot);
    if (!operation.isRead) this.#others--;
    this.#events.completed(operation);
    this.#runWaiting();
  }

  ringFailed(): void {}

  ringClosed(): void {
    this.#closed = true;
    this.#ticks.end();
    for (const stream of this.#streams) stream?.cancel();
    for (const operation of this.#running) {
      if (operation !== null) this.#cancel(operation);
    }
    this.#running.fill(null);
    for (const list of [this.#waitingReads, this.#waitingOthers]) {
      for (let next; (next = list.shift()) !== null;) this.#cancel(next);
    }
  }

  release(operation: FileOperation): void {
    this.#idle.push(operation);
  }

  #operation(): FileOperation {
    return this.#idle.pop() ?? new FileOperation(this.#slots, this);
  }

  #start(operation: FileOperation, fallback: number): Completion<number> {
    const completion = operation.start(fallback);
    this.#events.started();
    const { isRead } = operation;
    if (!this.#hasRoom(isRead)) {
      (isRead ? this.#waitingReads : this.#waitingOthers).add(operation);
    } else {
      this.#run(operation);
    }
    return completion;
  }

  #hasRoom(isRead: boolean): boolean {
    return this.#freeSlots.length > 0 &&
      (isRead || this.#others < this.#othersMax);
  }

  #run(operation: FileOperation): void {
    const slot = this.#freeSlots.pop()!;
    this.#running[slot] = operation;
    if (!operation.isRead) this.#others++;
    operation.run(slot);
    this.#events.pushed();
  }

  /** Gives free slots to operations that wait, to reads first. */
  #runWaiting(): void {
    for (;;) {
      const list = this.#waitingReads.isEmpty
        ? this.#waitingOthers
        : this.#waitingReads;
      const isRead = list === this.#waitingReads;
      if (list.isEmpty || !this.#hasRoom(isRead)) return;
      this.#run(list.shift()!);
    }
  }

  #cancel(operation: FileOperation): void {
    operation.result = -ERRNO.ECANCELED;
    this.#events.completed(operation);
  }
}
