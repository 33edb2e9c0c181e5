import { ERRNO } from "../../../base/errno.ts";
import {
  ALLOCATION,
  CHUNK,
  CHUNK_BYTES,
  CHUNK_DONE,
  CHUNK_ERROR,
  COMMAND,
  LIMIT,
  SIMPLE_REPLY_BYTES,
  SIMPLE_REPLY_MAGIC,
  STRUCTURED_REPLY_MAGIC,
} from "./constants.ts";
import type { NbdExport } from "./handshake.ts";
import type { NbdRequest } from "./request.ts";

/** The server has broken the protocol; the connection cannot be used further. */
export class ProtocolViolation extends Error {
  override name = "ProtocolViolation";
}

/** What finds requests, and takes them when they are answered. */
export interface ReplyOwner {
  /** The request of a cookie, two words; `null` if none waits for it. */
  find(high: number, low: number): NbdRequest | null;
  /** All of its reply has come. */
  answered(request: NbdRequest): void;
}

/** Bytes of a chunk that precede its data or extents. */
const OFFSET_BYTES = 8;
const HOLE_BYTES = 12;
const EXTENT_BYTES = 8;

/**
 * Takes replies apart as they come. What belongs to a READ goes into its buffer;
 * everything else is bounded and checked.
 */
export class ReplyParser {
  readonly #export: NbdExport;
  readonly #owner: ReplyOwner;
  /** The READ whose data come, and how many are still to come. */
  #reading: NbdRequest | null = null;
  #at = 0;
  #left = 0;
  /** Whether the reply ends with these data. */
  #isLast = false;

  /** Takes the replies of a connection apart. */
  constructor(exported: NbdExport, owner: ReplyOwner) {
    this.#export = exported;
    this.#owner = owner;
  }

  /**
   * Where the bytes that come next belong: the rest of a READ's data.
   *
   * @returns How many; 0 if a header comes next.
   */
  get directLength(): number {
    return this.#left;
  }

  /** The buffer of these bytes. */
  get directBuffer(): Uint8Array {
    return this.#reading!.buffer!;
  }

  /** The place of these bytes in it. */
  get directStart(): number {
    return this.#reading!.start + this.#at;
  }

  /** Notes that some of these bytes have come. */
  filled(count: number): void {
    this.#at += count;
    this.#left -= count;
    if (this.#left === 0) this.#endData();
  }

  /**
   * Takes bytes apart.
   *
   * @param bytes What has come.
   * @param from The first byte that was not taken yet.
   * @param to The end.
   * @returns Up to where it took them; the rest is a part of a message.
   * @throws {ProtocolViolation} If they break the protocol.
   */
  take(bytes: Uint8Array<ArrayBuffer>, from: number, to: number): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    let at = from;
    for (;;) {
      if (this.#left > 0) {
        const count = Math.min(this.#left, to - at);
        const part = bytes.subarray(at, at + count);
        this.directBuffer.set(part, this.directStart);
        at += count;
        this.filled(count);
        if (this.#left > 0) return at;
        continue;
      }
      const next = this.#message(view, at, to);
      if (next === at) return at;
      at = next;
    }
  }

  /** Takes one message; returns its end, or `at` if it is not complete. */
  #message(view: DataView, at: number, to: number): number {
    if (to - at < SIMPLE_REPLY_BYTES) return at;
    const magic = view.getUint32(at);
    if (magic === SIMPLE_REPLY_MAGIC) return this.#simple(view, at);
    if (magic !== STRUCTURED_REPLY_MAGIC || !this.#export.structured) {
      throw new ProtocolViolation("a reply does not begin like one");
    }
    return to - at < CHUNK_BYTES ? at : this.#chunk(view, at, to);
  }

  #simple(view: DataView, at: number): number {
    const error = view.getUint32(at + 4);
    const request = this.#find(view, at + 8);
    const end = at + SIMPLE_REPLY_BYTES;
    if (error !== 0) request.error = errnoOfNbd(error);
    const { command } = request;
    if (command === COMMAND.READ && error === 0) {
      if (this.#export.structured) {
        throw new ProtocolViolation("a READ has a simple reply");
      }
      request.fill(0, request.length);
      this.#read(request, 0, request.length, true);
      return end;
    }
    if (command === COMMAND.BLOCK_STATUS && error === 0) {
      throw new ProtocolViolation("a BLOCK_STATUS has a simple reply");
    }
    this.#owner.answered(request);
    return end;
  }

  #chunk(view: DataView, at: number, to: number): number {
    const isLast = (view.getUint16(at + 4) & CHUNK_DONE) !== 0;
    const type = view.getUint16(at + 6);
    const request = this.#find(view, at + 8);
    const length = view.getUint32(at + 16);
    const body = at + CHUNK_BYTES;
    if (type === CHUNK.OFFSET_DATA) {
      if (to - body < OFFSET_BYTES) return at;
      const place = this.#placeOf(request, view, body);
      const count = length - OFFSET_BYTES;
      this.#fill(request, place, count);
      this.#read(request, place, count, isLast);
      return body + OFFSET_BYTES;
    }
    if (length > LIMIT.CHUNK) {
      throw new ProtocolViolation(`a chunk has ${length} bytes`);
    }
    if (to - body < length) return at;
    const payload = new DataView(view.buffer, view.byteOffset + body, length);
    this.#small(request, type, payload);
    if (isLast) this.#end(request);
    return body + length;
  }

  /** A chunk without data. */
  #small(request: NbdRequest, type: number, payload: DataView): void {
    if ((type & CHUNK_ERROR) !== 0) {
      const code = payload.byteLength < 6 ? 0 : payload.getUint32(0);
      request.error ||= errnoOfNbd(code === 0 ? 5 : code);
      return;
    }
    switch (type) {
      case CHUNK.NONE:
        if (payload.byteLength === 0) return;
        break;
      case CHUNK.OFFSET_HOLE: {
        if (payload.byteLength !== HOLE_BYTES) break;
        const place = this.#placeOf(request, payload, 0);
        const count = payload.getUint32(8);
        this.#fill(request, place, count);
        const from = request.start + place;
        request.buffer!.fill(0, from, from + count);
        return;
      }
      case CHUNK.BLOCK_STATUS:
        if (this.#takeExtent(request, payload)) return;
    }
    throw new ProtocolViolation(`a chunk of type ${type} makes no sense`);
  }

  #takeExtent(request: NbdRequest, payload: DataView): boolean {
    const isOurs = request.command === COMMAND.BLOCK_STATUS &&
      payload.byteLength >= 4 + EXTENT_BYTES &&
      payload.getUint32(0) === this.#export.allocationId;
    if (!isOurs || request.extent !== null) return false;
    const length = payload.getUint32(4);
    const flags = payload.getUint32(8);
    if (length === 0) return false;
    // A hole whose bytes are unknown must be read.
    const isHole = (flags & ALLOCATION.ZERO) !== 0;
    request.extent = { data: !isHole, end: request.offset + length };
    return true;
  }

  /** Where a chunk belongs, from the start of its request. */
  #placeOf(request: NbdRequest, view: DataView, at: number): number {
    return Number(view.getBigUint64(at)) - request.offset;
  }

  #fill(request: NbdRequest, place: number, count: number): void {
    const isRight = request.command === COMMAND.READ &&
      request.fill(place, count);
    if (isRight) return;
    throw new ProtocolViolation("data come that were not asked for");
  }

  /** The data of a READ come next. */
  #read(
    request: NbdRequest,
    place: number,
    count: number,
    isLast: boolean,
  ): void {
    this.#reading = request;
    this.#at = place;
    this.#left = count;
    this.#isLast = isLast;
  }

  #endData(): void {
    const request = this.#reading!;
    this.#reading = null;
    if (this.#isLast) this.#end(request);
  }

  #end(request: NbdRequest): void {
    const { command, error } = request;
    const isComplete = error !== 0 ||
      (command === COMMAND.READ
        ? request.filled === request.length
        : command !== COMMAND.BLOCK_STATUS || request.extent !== null);
    if (!isComplete) throw new ProtocolViolation("a reply lacks a part");
    this.#owner.answered(request);
  }

  #find(view: DataView, at: number): NbdRequest {
    const [high, low] = [view.getUint32(at), view.getUint32(at + 4)];
    const request = this.#owner.find(high, low);
    if (request !== null) return request;
    throw new ProtocolViolation("a reply belongs to no request");
  }
}

/** The errors of NBD have the numbers of Linux; others become EINVAL. */
function errnoOfNbd(code: number): number {
  const {
    EPERM,
    EIO,
    ENOMEM,
    EINVAL,
    ENOSPC,
    EOVERFLOW,
    EOPNOTSUPP,
    ESHUTDOWN,
  } = ERRNO;
  const known = [EPERM, EIO, ENOMEM, EINVAL, ENOSPC, EOVERFLOW, EOPNOTSUPP];
  if (known.includes(code as typeof EIO)) return -code;
  // The server is ending.
  return code === ESHUTDOWN ? -EIO : -EINVAL;
}
