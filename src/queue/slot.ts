/**
 * The memory of one request and its reply on /dev/fuse.
 *
 * @module
 */
import { PAGE_SIZE } from "../base/limits.ts";
import {
  compactExchange,
  contiguousExchange,
  type Exchange,
} from "../protocol/exchange.ts";
import { FUSE_MIN_READ_BUFFER } from "../protocol/flags.ts";
import { sizeOf } from "../protocol/layout.ts";
import { OPCODES } from "../protocol/opcodes.ts";
import { replyRoom } from "../protocol/reply_size.ts";
import type { MessageMemory } from "./message_memory.ts";

const INIT = OPCODES.INIT.opcode;
const IN_HEADER_SIZE = sizeOf("fuse_in_header");
const OUT_HEADER_SIZE = sizeOf("fuse_out_header");
/** Bytes before a WRITE's data. */
const WRITE_HEAD_SIZE = IN_HEADER_SIZE + sizeOf("fuse_write_in");
/** Bytes of a small slot for a request's header and fixed struct. */
const HEAD_SIZE = 168;

/** Memory that is cut into small slots of one size. */
export interface Slab {
  /** The memory. */
  readonly memory: MessageMemory;
  /** The size of its slots. */
  readonly size: SizeClass;
  /** How many of its slots are in use. */
  busy: number;
}

/** The small slots of one size. */
export interface SizeClass {
  /** Bytes of their payload. */
  readonly payload: number;
  /** Bytes before it. */
  readonly head: number;
  /** Those that are not in use. */
  readonly free: Slot[];
  /** The memory that they are cut from. */
  readonly slabs: Slab[];
}

/** One request and its reply. */
export class Slot implements Exchange {
  readonly request: Exchange["request"];
  readonly reply: Exchange["reply"];
  /** What read(2) fills; empty if this is a small slot. */
  readonly incoming: Uint8Array<ArrayBuffer>;
  /** What write(2) sends. */
  readonly outgoing: Uint8Array<ArrayBuffer>;
  /** The slab of a small slot; `null` if read(2) can fill this one. */
  readonly slab: Slab | null;
  /** Bytes of the message that was read into it. */
  received = 0;
  /** Whether the request was read in a batch, and has to be answered in one. */
  batched = false;
  /** The head of the request as words, for copies without an allocation. */
  readonly #head: Int32Array<ArrayBuffer>;

  private constructor(
    memory: Pick<Slot, "incoming" | "outgoing" | "slab">,
    head: Uint8Array<ArrayBuffer>,
    exchange: Exchange,
  ) {
    this.incoming = memory.incoming;
    this.outgoing = memory.outgoing;
    this.slab = memory.slab;
    this.request = exchange.request;
    this.reply = exchange.reply;
    const { buffer, byteOffset } = head;
    this.#head = new Int32Array(buffer, byteOffset, HEAD_SIZE / 4);
  }

  /**
   * A slot that holds any request, and any reply to it. The data of a WRITE
   * begins a page, and so does that of a READ's reply, one page further on: a
   * reply overwrites data of the request, but neither its header nor its fixed
   * struct.
   *
   * @param bytes Memory of `largeSlotSize()` bytes.
   * @param maxPayload Largest payload in bytes.
   */
  static large(bytes: Uint8Array<ArrayBuffer>, maxPayload: number): Slot {
    //= fs/fuse/dev.c fuse_dev_do_read(): a buffer holds at least
    //= FUSE_MIN_READ_BUFFER bytes
    //= and the head of a WRITE with max_write bytes of data.
    const incoming = messageIn(
      bytes,
      PAGE_SIZE - WRITE_HEAD_SIZE,
      WRITE_HEAD_SIZE + maxPayload,
    );
    const outgoing = messageIn(
      bytes,
      2 * PAGE_SIZE - OUT_HEADER_SIZE,
      OUT_HEADER_SIZE + maxPayload,
    );
    const exchange = contiguousExchange(incoming, outgoing);
    return new Slot({ incoming, outgoing, slab: null }, incoming, exchange);
  }

  /**
   * A slot for requests that were read into a large one. What follows the
   * request's fixed struct lies where the reply's data will.
   *
   * @param slab Its slab.
   * @param bytes The head, the reply's header, and the payload.
   * @param payloadAt Where in `bytes` the payload begins.
   */
  static small(
    slab: Slab,
    bytes: Uint8Array<ArrayBuffer>,
    payloadAt: number,
  ): Slot {
    const head = bytes.subarray(0, HEAD_SIZE);
    const outgoing = bytes.subarray(payloadAt - OUT_HEADER_SIZE);
    const exchange = compactExchange(head, outgoing);
    const incoming = bytes.subarray(0, 0);
    return new Slot({ incoming, outgoing, slab }, head, exchange);
  }

  /** Bytes that this slot has after the reply's header. */
  get payload(): number {
    return this.outgoing.length - OUT_HEADER_SIZE;
  }

  /** Copies the request of another slot, which has to be validated again. */
  copyFrom(other: Slot): void {
    const { request } = other;
    this.batched = other.batched;
    if (this.slab === null) {
      this.incoming.set(request.copy());
      return;
    }
    const headSize = headSizeOf(other);
    for (let i = 0; i < headSize / 4; i++) this.#head[i] = other.#head[i]!;
    const rest = request.length - headSize;
    if (rest === 0) return;
    const isLarge = other.slab === null;
    const bytes = isLarge ? other.incoming : other.outgoing;
    const start = isLarge ? headSize : OUT_HEADER_SIZE;
    this.outgoing.set(bytes.subarray(start, start + rest), OUT_HEADER_SIZE);
  }
}

/**
 * Bytes of payload that a small slot needs for the request of another slot,
 * without its reply; `Infinity` if no small slot can hold it.
 */
export function requestPayloadOf(slot: Slot): number {
  const headSize = headSizeOf(slot);
  // The fixed struct of INIT ends where the message does.
  return headSize > HEAD_SIZE || slot.request.opcode === INIT
    ? Infinity
    : slot.request.length - headSize;
}

/** The same with the reply. */
export function payloadOf(slot: Slot): number {
  return Math.max(requestPayloadOf(slot), replyRoom(slot.request));
}

/** Bytes of a request's header and fixed struct. */
function headSizeOf({ request }: Slot): number {
  return IN_HEADER_SIZE + request.bodyLength;
}

/** Bytes of memory of a large slot: whole pages. */
export function largeSlotSize(maxPayload: number): number {
  const payload = Math.max(FUSE_MIN_READ_BUFFER, maxPayload);
  return 2 * PAGE_SIZE + Math.ceil(payload / PAGE_SIZE) * PAGE_SIZE;
}

function messageIn(
  bytes: Uint8Array<ArrayBuffer>,
  at: number,
  size: number,
): Uint8Array<ArrayBuffer> {
  return bytes.subarray(at, at + Math.max(FUSE_MIN_READ_BUFFER, size));
}
