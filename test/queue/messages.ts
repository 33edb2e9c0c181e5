/**
 * Requests and replies as bytes, for tests of queues.
 *
 * @module
 */
import { decodeStruct, encodeStruct } from "../../src/protocol/codec.ts";
import { type OpcodeName, OPCODES } from "../../src/protocol/opcodes.ts";
import type { RequestQueue } from "../../src/queue/request_queue.ts";
import type { Exchange } from "../../src/protocol/exchange.ts";

const IN_HEADER_SIZE = 40;
const OUT_HEADER_SIZE = 16;

/** Parts of a request; the others are zero. */
export interface MessageParts {
  /** Its id. */
  unique: bigint;
  /** The fixed struct. */
  body?: Uint8Array;
  /** The bytes after it. */
  tail?: Uint8Array;
  /** The length in the header, if not the real one. */
  length?: number;
}

/** A whole request. */
export function message(
  opcode: OpcodeName | number,
  { unique, body, tail, length }: MessageParts,
): Uint8Array<ArrayBuffer> {
  const parts = [body ?? new Uint8Array(), tail ?? new Uint8Array()];
  const size = IN_HEADER_SIZE + parts[0]!.length + parts[1]!.length;
  const bytes = new Uint8Array(size);
  bytes.set(encodeStruct("fuse_in_header", {
    len: length ?? size,
    opcode: typeof opcode === "number" ? opcode : OPCODES[opcode].opcode,
    unique,
    nodeid: 1n,
  }));
  bytes.set(parts[0]!, IN_HEADER_SIZE);
  bytes.set(parts[1]!, IN_HEADER_SIZE + parts[0]!.length);
  return bytes;
}

/** A READ. */
export function readMessage(
  unique: bigint,
  offset: number = 0,
  size: number = 512,
): Uint8Array<ArrayBuffer> {
  const body = encodeStruct("fuse_read_in", { offset: BigInt(offset), size });
  return message("READ", { unique, body });
}

/** A WRITE. */
export function writeMessage(
  unique: bigint,
  data: Uint8Array,
  offset: number = 0,
): Uint8Array<ArrayBuffer> {
  const size = data.length;
  const body = encodeStruct("fuse_write_in", { offset: BigInt(offset), size });
  return message("WRITE", { unique, body, tail: data });
}

/** A FORGET, which has no reply. */
export function forgetMessage(unique: bigint): Uint8Array<ArrayBuffer> {
  const body = encodeStruct("fuse_forget_in", { nlookup: 1n });
  return message("FORGET", { unique, body });
}

/** A reply in parts. */
export interface ParsedReply {
  /** The length in its header. */
  len: number;
  /** A negated errno, or a notification's code. */
  error: number;
  /** The request's id. */
  unique: bigint;
  /** The bytes after the header. */
  body: Uint8Array;
}

/** Decodes a reply. */
export function parseReply(bytes: Uint8Array): ParsedReply {
  const header = decodeStruct("fuse_out_header", bytes);
  return { ...header, body: bytes.slice(OUT_HEADER_SIZE) };
}

/** The decoded reply without a body. */
export function plainReply(unique: bigint, error: number = 0): ParsedReply {
  return { len: OUT_HEADER_SIZE, error, unique, body: new Uint8Array() };
}

/** Waits for the next request without blocking. */
export async function take(queue: RequestQueue): Promise<Exchange> {
  for (;;) {
    const exchange = queue.next(false);
    if (exchange !== null) return exchange;
    if (queue.end !== null) throw new Error(`It ended: ${queue.end.message}`);
    await queue.ready();
  }
}

/** Lets promises and timers that are due run. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}
