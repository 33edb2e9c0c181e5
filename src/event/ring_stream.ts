import { ERRNO } from "../base/errno.ts";
import type { ByteStream, StreamOwner, Ticking } from "./byte_stream.ts";
import { FILE_CALL, type FileCall, type FileSlots } from "./file_operation.ts";
import type { CompletedOperation, RingEvents } from "./ring_events.ts";

/** What a stream uses, and what takes it back. */
export interface RingStreamParts {
  readonly events: RingEvents;
  readonly slots: FileSlots;
  /** Two slots: one sends, the other one receives. */
  readonly sendSlot: number;
  readonly receiveSlot: number;
  /** A connected, blocking socket: the kernel waits for it. */
  readonly fd: number;
  /** Calls an owner every second. */
  everySecond(owner: Ticking): void;
  /** Shuts the socket down, so that both calls end. */
  shutdown(fd: number, discards: boolean): void;
  /** Closes the socket and takes the slots back; nothing is in flight. */
  release(): void;
}

/** A stream on the io_uring of an event source: read(2) and write(2). */
export class RingStream implements ByteStream {
  readonly #parts: RingStreamParts;
  readonly #owner: StreamOwner;
  #buffer: Uint8Array | null = null;
  #at = 0;
  #left = 0;
  #isSending = false;
  #isReceiving = false;
  #isClosed = false;
  /** An owner may close the stream from within a completion. */
  #isReleased = false;

  /** Makes a stream of a socket that is connected. */
  constructor(parts: RingStreamParts, owner: StreamOwner) {
    this.#parts = parts;
    this.#owner = owner;
  }

  send(buffer: Uint8Array, start: number, length: number): void {
    this.#buffer = buffer;
    this.#at = start;
    this.#left = length;
    this.#isSending = true;
    this.#push(FILE_CALL.WRITE, buffer, start, length);
  }

  receive(buffer: Uint8Array, start: number, length: number): void {
    this.#isReceiving = true;
    this.#push(FILE_CALL.READ, buffer, start, length);
  }

  started(): void {
    this.#parts.events.started();
  }

  completed(operation: CompletedOperation): void {
    this.#parts.events.completed(operation);
  }

  expectsAhead(isExpected: boolean): void {
    this.#parts.events.expectsAhead(isExpected);
  }

  everySecond(owner: Ticking): void {
    this.#parts.everySecond(owner);
  }

  close(discards: boolean = false): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#parts.shutdown(this.#parts.fd, discards);
    this.#releaseIfIdle();
  }

  /** Takes the result of a call in one of its slots. */
  slotCompleted(slot: number, result: number): void {
    const isAgain = result === -ERRNO.EINTR || result === -ERRNO.EAGAIN;
    if (slot === this.#parts.receiveSlot) {
      if (isAgain && !this.#isClosed) return this.#parts.slots.repeat(slot);
      this.#isReceiving = false;
      if (!this.#isClosed) this.#owner.received(result);
    } else this.#sent(isAgain ? 0 : result);
    if (this.#isClosed) this.#releaseIfIdle();
  }

  /** The ring is gone. */
  cancel(): void {
    if (this.#isClosed) return;
    const wasReceiving = this.#isReceiving;
    this.#isReceiving = this.#isSending = false;
    if (wasReceiving) this.#owner.received(-ERRNO.ECANCELED);
    this.close();
  }

  #sent(result: number): void {
    if (result >= 0 && !this.#isClosed) {
      this.#at += result;
      this.#left -= result;
      if (this.#left > 0) {
        const { WRITE } = FILE_CALL;
        return this.#push(WRITE, this.#buffer!, this.#at, this.#left);
      }
    }
    this.#isSending = false;
    this.#buffer = null;
    if (!this.#isClosed) this.#owner.sent(Math.min(0, result));
  }

  #push(
    call: FileCall,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): void {
    const { slots, sendSlot, receiveSlot, fd, events } = this.#parts;
    const slot = call === FILE_CALL.READ ? receiveSlot : sendSlot;
    slots.prepare(slot, call, fd, buffer, start, length, 0);
    events.pushed();
  }

  #releaseIfIdle(): void {
    if (this.#isReleased || this.#isSending || this.#isReceiving) return;
    // Once: the descriptor and the slots may have new owners afterwards.
    this.#isReleased = true;
    this.#parts.release();
  }
}
