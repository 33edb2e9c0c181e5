/**
 * The requests of a queue over /dev/fuse that have no reply yet, and where they
 * are kept.
 *
 * @module
 */
import { accessors } from "../protocol/accessors.ts";
import { OPCODES } from "../protocol/opcodes.ts";
import type { ProtocolVersion } from "../protocol/protocol_version.ts";
import { payloadOf, requestPayloadOf, type Slot } from "./slot.ts";
import type { SlotPool } from "./slot_pool.ts";

/** Outstanding requests that stay in the slot that they were read into. */
const IN_PLACE_MAX = 2;
/** Bytes of a request up to which a copy costs less than a large slot. */
const COPY_MAX = 16 * 1024;
const INTERRUPT_IN = accessors("fuse_interrupt_in");

/** Requests that make room or end waits: they must not wait for room. */
const URGENT: ReadonlySet<number> = new Set([
  OPCODES.INTERRUPT.opcode,
  OPCODES.FORGET.opcode,
  OPCODES.BATCH_FORGET.opcode,
  OPCODES.RELEASE.opcode,
  OPCODES.RELEASEDIR.opcode,
  OPCODES.FLUSH.opcode,
  OPCODES.DESTROY.opcode,
]);

/**
 * The requests that a queue has returned and that have no reply yet, and those
 * that wait in the queue because there is no room for them and their replies.
 */
export class OutstandingRequests {
  readonly #slots: SlotPool;
  /** Requests that wait for room, in small slots. */
  readonly #waiting: Slot[] = [];
  #count = 0;

  /** Without requests; takes slots for them from a pool. */
  constructor(slots: SlotPool) {
    this.#slots = slots;
  }

  /** Requests that were returned and that have no reply yet. */
  get count(): number {
    return this.#count;
  }

  /** Whether requests wait for room. */
  get haveWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Whether there is room for another request of any size. */
  get haveRoom(): boolean {
    return this.#waiting.length === 0 && this.#slots.hasRoom;
  }

  /** Adds a request in the slot that it was read into. */
  add(slot: Slot): Slot {
    this.#count++;
    return slot;
  }

  /** Removes a request whose reply will be sent before the next call. */
  remove(slot: Slot): void {
    this.#count--;
    this.#slots.free(slot);
  }

  /** Removes a request whose memory is given back once its reply is sent. */
  removeLater(): void {
    this.#count--;
  }

  /** Gives all memory back; nothing may use it any more. */
  release(): void {
    this.#waiting.length = 0;
    this.#slots.release();
  }

  /**
   * Adds a request that was read while others are outstanding, where a large
   * slot is left to read into.
   *
   * @returns Its slot; `null` if it waits for room.
   */
  place(slot: Slot, version: ProtocolVersion): Slot | null {
    const slots = this.#slots;
    if (this.#waiting.length > 0 && this.#interruptsWaiting(slot)) {
      return this.#park(slot, version) ? null : this.add(slot);
    }
    if (this.#count < IN_PLACE_MAX && slots.hasLarge) return this.add(slot);
    const small = this.#takeSmallFor(slot);
    if (small !== null) {
      this.#move(slot, small, version);
      return this.add(small);
    }
    const waits = !slots.reserveLarge() && this.#park(slot, version);
    return waits ? null : this.add(slot);
  }

  /**
   * Adds the request that has waited longest.
   *
   * @returns Its slot; `null` if there is no room for it yet.
   */
  admit(version: ProtocolVersion): Slot | null {
    const slots = this.#slots;
    let slot = this.#waiting[0]!;
    const payload = payloadOf(slot);
    if (payload > slot.payload) {
      const larger = slots.takeSmall(payload, false) ?? slots.takeSpareLarge();
      if (larger === null) return null;
      this.#move(slot, larger, version);
      slot = larger;
    }
    this.#waiting.shift();
    return this.add(slot);
  }

  /**
   * Takes a small slot for a request and its reply, unless a large slot costs
   * less than a copy of the request.
   */
  #takeSmallFor(slot: Slot): Slot | null {
    const { opcode, length } = slot.request;
    if (length > COPY_MAX && this.#slots.reserveLarge()) return null;
    return this.#slots.takeSmall(payloadOf(slot), URGENT.has(opcode));
  }

  /**
   * Lets a request wait in a small slot, without room for its reply; whether
   * there is one.
   */
  #park(slot: Slot, version: ProtocolVersion): boolean {
    const isUrgent = URGENT.has(slot.request.opcode);
    const small = this.#slots.takeSmall(requestPayloadOf(slot), isUrgent);
    if (small === null) return false;
    this.#move(slot, small, version);
    this.#waiting.push(small);
    return true;
  }

  /**
   * Whether this is an INTERRUPT of a request that waits. It has to wait too,
   * because the handler does not know that request yet.
   */
  #interruptsWaiting({ request: { opcode, body } }: Slot): boolean {
    if (opcode !== OPCODES.INTERRUPT.opcode) return false;
    const unique = INTERRUPT_IN.get.unique(body);
    return this.#waiting.some(({ request }) => request.unique === unique);
  }

  /** Moves a request, which was valid where it was, and frees that slot. */
  #move(from: Slot, to: Slot, version: ProtocolVersion): void {
    to.copyFrom(from);
    to.reply.reset();
    to.request.validate(from.request.length, version);
    this.#slots.free(from);
  }
}
