/**
 * The reply to a request, filled in place.
 *
 * @module
 */
import { accessors } from "./accessors.ts";
import { writeStruct } from "./codec.ts";
import { sizeAt, sizeOf } from "./layout.ts";
import { opcodeRow } from "./opcodes.ts";
import type { Request } from "./request.ts";
import type { Encodable, StructName } from "./types.ts";

const OUT_HEADER = accessors("fuse_out_header");
const HEADER_SIZE = OUT_HEADER.size;
const UNIQUE_AT = OUT_HEADER.at.unique;
/** Replies have their newest size from this minor version on, except INIT's. */
const NEWEST_SIZES_SINCE = 9;

/**
 * The memory in which a queue keeps the bytes of one reply.
 *
 * @category Requests and replies
 */
export interface ReplyMemory {
  /** The fuse_out_header. */
  readonly header: DataView;
  /** The bytes after it. */
  readonly data: Uint8Array;
  /** The same bytes, for accessors. */
  readonly body: DataView;
}

/**
 * One reply. A handler fills `data` or `body`, then calls {@linkcode Reply.ok},
 * {@linkcode Reply.struct}, {@linkcode Reply.error} or {@linkcode Reply.none},
 * once.
 *
 * What follows a request's fixed struct may share memory with the reply: read
 * what is needed of it before filling the reply.
 *
 * @category Requests and replies
 */
export class Reply {
  /** The fuse_out_header, for accessors. */
  readonly header: DataView;
  /**
   * The bytes after the header, to the end of the memory. It is the same view
   * for every reply of a queue's slot.
   */
  readonly data: Uint8Array;
  /** The same bytes, for accessors. */
  readonly body: DataView;
  readonly #request: Request;
  #length = -1;

  /** Binds a reply to its request and to the memory of a queue's slot. */
  constructor(request: Request, memory: ReplyMemory) {
    this.#request = request;
    this.header = memory.header;
    this.data = memory.data;
    this.body = memory.body;
  }

  /** Bytes of the whole reply: 0 if none is sent, -1 until it is filled. */
  get length(): number {
    return this.#length;
  }

  /** Whether the request has been answered. */
  get filled(): boolean {
    return this.#length >= 0;
  }

  /** The positive error number of a filled reply, 0 for success. */
  get errno(): number {
    return this.#length > 0 ? -OUT_HEADER.get.error(this.header) : 0;
  }

  /** Discards the last reply. Queues call this when they bind a new request. */
  reset(): void {
    this.#length = -1;
  }

  /**
   * Zeroes the first `size` bytes after the header, so that padding discloses
   * nothing of earlier messages, and returns `body`.
   */
  zeroed(size: number): DataView {
    this.data.fill(0, 0, size);
    return this.body;
  }

  /**
   * Answers with success.
   *
   * Structs have to be filled in their newest form; this shortens them for a
   * peer of 7.8 or less. The struct of INIT is sent as it is.
   *
   * @param size Bytes of the reply after the header.
   */
  ok(size: number = 0): void {
    const { minor } = this.#request.protocolVersion;
    const sent = minor < NEWEST_SIZES_SINCE ? this.#shorten(size, minor) : size;
    this.#finish(HEADER_SIZE + sent, 0);
  }

  /**
   * Answers with success and one struct.
   *
   * @param name The struct's name in the table.
   * @param fields Its fields; those left out are zero.
   */
  struct<S extends StructName>(name: S, fields: Encodable<S>): void {
    writeStruct(name, this.body, 0, fields);
    this.ok(sizeOf(name));
  }

  /**
   * Answers with an error, which has a header only.
   *
   * @param errno A positive error number.
   */
  error(errno: number): void {
    this.#finish(HEADER_SIZE, -errno);
  }

  /** Ends a request without a reply: FORGET, BATCH_FORGET, NOTIFY_REPLY. */
  none(): void {
    this.#length = 0;
  }

  /** Cuts off the end of each struct: newer fields have only been appended. */
  #shorten(size: number, minor: number): number {
    let from = 0;
    let to = 0;
    for (const name of opcodeRow(this.#request.opcode)?.out ?? []) {
      if (name === "fuse_init_out" || from + sizeOf(name) > size) break;
      this.data.copyWithin(to, from, from + sizeOf(name));
      from += sizeOf(name);
      to += sizeAt(name, minor);
    }
    this.data.copyWithin(to, from, size);
    return to + size - from;
  }

  /** A copy of the whole filled reply, as write(2) on /dev/fuse takes it. */
  copy(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(Math.max(0, this.#length));
    if (bytes.length === 0) return bytes;
    const { buffer, byteOffset } = this.header;
    bytes.set(new Uint8Array(buffer, byteOffset, HEADER_SIZE));
    bytes.set(this.data.subarray(0, bytes.length - HEADER_SIZE), HEADER_SIZE);
    return bytes;
  }

  #finish(length: number, error: number): void {
    // Copies the id as two words, because a bigint is an allocation.
    const from = this.#request.header;
    const low = from.getUint32(UNIQUE_AT, true);
    const high = from.getUint32(UNIQUE_AT + 4, true);
    OUT_HEADER.set.len(this.header, 0, length);
    OUT_HEADER.set.error(this.header, 0, error);
    this.header.setUint32(UNIQUE_AT, low, true);
    this.header.setUint32(UNIQUE_AT + 4, high, true);
    this.#length = length;
  }
}
