/**
 * The parts of a request's validation that most requests skip: the length of
 * INIT, names, counted data and items.
 *
 * @module
 */
import { accessors } from "./accessors.ts";
import { FUSE_NAME_MAX } from "./flags.ts";
import { sizeOf } from "./layout.ts";
import { type OpcodeRow, OPCODES } from "./opcodes.ts";
import { ProtocolError } from "./protocol_error.ts";
import { initInSize } from "./protocol_version.ts";
import { tailCount } from "./tail_count.ts";
import { indexOfNul } from "./text.ts";

const INIT_IN = accessors("fuse_init_in");
const HEADER_SIZE = sizeOf("fuse_in_header");

/** What follows a request's fixed struct, without the extensions. */
export interface RequestRest {
  /** The bytes that hold it. */
  readonly bytes: Uint8Array;
  /** Where it starts. */
  readonly start: number;
  /** Where it ends. */
  readonly end: number;
}

/**
 * The size of an INIT's fixed struct, which depends on its own fields.
 *
 * @param body The fixed struct.
 * @param known The part of it that every kernel sends, in bytes.
 * @param received Bytes after the header.
 */
export function measureInit(
  body: DataView,
  known: number,
  received: number,
): number | ProtocolError {
  const major = INIT_IN.get.major(body);
  const minor = INIT_IN.get.minor(body);
  let size = initInSize(major, minor, 0);
  // `flags` may only be read if the message is long enough to have it.
  if (received >= size && size > known) {
    size = initInSize(major, minor, INIT_IN.get.flags(body));
  }
  return received >= size ? size : new ProtocolError(
    "short body",
    OPCODES.INIT.opcode,
    HEADER_SIZE + size,
    HEADER_SIZE + received,
  );
}

/**
 * Checks what follows a request's fixed struct against its row in the table.
 *
 * @param row The row of the request's opcode.
 * @param body The fixed struct.
 * @param rest What follows it.
 * @returns What is wrong, or `null`.
 */
export function checkRest(
  row: OpcodeRow,
  body: DataView,
  rest: RequestRest,
): ProtocolError | null {
  const { bytes, start, end } = rest;
  switch (row.tail) {
    case "name":
      return checkNames(row, rest, 1);
    case "name name":
      return checkNames(row, rest, 2);
    case "name value":
      return checkNames(row, rest, 1) ??
        checkCount(row, body, end - afterNames(bytes, start, end, 1));
    case "data":
    case "items":
      return checkCount(row, body, end - start);
  }
  return null;
}

function checkNames(
  { opcode }: OpcodeRow,
  { bytes, start, end }: RequestRest,
  count: number,
): ProtocolError | null {
  let at = start;
  for (let i = 0; i < count; i++) {
    const nul = indexOfNul(bytes, at, end);
    if (nul < 0) {
      return new ProtocolError("missing NUL", opcode, end - at + 1, end - at);
    }
    const size = nul - at;
    if (size > FUSE_NAME_MAX) {
      return new ProtocolError("long name", opcode, FUSE_NAME_MAX, size);
    }
    at = nul + 1;
  }
  return null;
}

function checkCount(
  row: OpcodeRow,
  body: DataView,
  received: number,
): ProtocolError | null {
  const unit = row.items === undefined ? 1 : sizeOf(row.items);
  const size = tailCount(row.in, body) * unit;
  if (size <= received) return null;
  const kind = row.items === undefined ? "short data" : "short items";
  return new ProtocolError(kind, row.opcode, size, received);
}

/**
 * The first byte after a number of names; `end` if there are fewer.
 *
 * @param bytes The bytes that hold the names, each with a NUL.
 * @param start Where the first name starts.
 * @param end Where the bytes to search end.
 * @param count How many names to skip.
 */
export function afterNames(
  bytes: Uint8Array,
  start: number,
  end: number,
  count: number,
): number {
  let at = start;
  for (let i = 0; i < count && at < end; i++) {
    const nul = indexOfNul(bytes, at, end);
    at = nul < 0 ? end : nul + 1;
  }
  return at;
}
