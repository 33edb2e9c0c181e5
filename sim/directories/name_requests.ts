/**
 * Requests with names, encoded by the protocol's own encoder.
 *
 * @module
 */
import { decodeStruct } from "../../src/protocol/codec.ts";
import { sizeOf } from "../../src/protocol/layout.ts";
import {
  encodeRequest,
  type RequestParts,
} from "../../src/protocol/message.ts";
import {
  type OpcodeName,
  type OpcodeRow,
  OPCODES,
} from "../../src/protocol/opcodes.ts";
import type { ProtocolVersion } from "../../src/protocol/protocol_version.ts";
import type { Decoded } from "../../src/protocol/types.ts";
import type { Caller, SimAnswer, SimCall } from "../kernel/call.ts";

const HEADER_SIZE = sizeOf("fuse_in_header");

/**
 * The reply to LOOKUP and to requests that create a name.
 *
 * @category Directories
 */
export type Entry = Decoded<"fuse_entry_out">;

/** The process that sends a request, and the size of the reply. */
export type Asking = Pick<SimCall, "credentials" | "signals" | "replyMax">;

/** Encodes and sends a request. */
export function ask<N extends OpcodeName>(
  caller: Caller,
  protocolVersion: ProtocolVersion,
  opcode: N,
  parts: RequestParts<N>,
  { credentials, signals, replyMax }: Asking,
): Promise<SimAnswer> {
  const message = encodeRequest(opcode, parts, protocolVersion);
  const row: OpcodeRow = OPCODES[opcode];
  const fixed = row.in === undefined ? 0 : protocolVersion.size(row.in);
  const end = HEADER_SIZE + fixed;
  return caller.call({
    opcode,
    body: message.subarray(HEADER_SIZE, end),
    tail: message.subarray(end),
    signals,
    ...credentials === undefined ? {} : { credentials },
    ...replyMax === undefined ? {} : { replyMax },
  });
}

/** Decodes the entry at the start of a reply's body. */
export function readEntry(
  body: Uint8Array,
  protocolVersion: ProtocolVersion,
): Entry {
  const whole = new Uint8Array(sizeOf("fuse_entry_out"));
  const size = protocolVersion.size("fuse_entry_out");
  // Before 7.9 the attributes were shorter.
  whole.set(body.subarray(0, size));
  return decodeStruct("fuse_entry_out", whole);
}
