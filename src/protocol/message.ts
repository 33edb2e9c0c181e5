/**
 * Whole requests as plain objects, encoded and decoded, for the simulator,
 * traces and tests. A server's hot path uses `request.ts`.
 *
 * @module
 */
import { concat } from "./bytes.ts";
import { accessors } from "./accessors.ts";
import { tailCount, tailCountField } from "./tail_count.ts";
import { decodeStruct, encodeStruct } from "./codec.ts";
import { initInSize, ProtocolVersion } from "./protocol_version.ts";
import { contiguousExchange } from "./exchange.ts";
import {
  decodeExtensions,
  encodeExtensions,
  type Extension,
} from "./extensions.ts";
import { sizeOf } from "./layout.ts";
import {
  type OpcodeName,
  opcodeName,
  type OpcodeRow,
  OPCODES,
} from "./opcodes.ts";
import { bytesOfName, type Name, nameOfBytes } from "./text.ts";
import type {
  Decoded,
  DecodedOf,
  Encodable,
  EncodableOf,
  StructName,
} from "./types.ts";

const IN_HEADER = accessors("fuse_in_header");
const HEADER_SIZE = IN_HEADER.size;

/**
 * The fixed struct of requests `N`; never if they have none.
 *
 * @category Whole messages
 */
export type RequestStruct<N extends OpcodeName> = N extends OpcodeName
  ? typeof OPCODES[N] extends { in: infer S extends StructName } ? S : never
  : never;

/**
 * The struct of each item that follows requests `N`; never if they have none.
 *
 * @category Whole messages
 */
export type ItemStruct<N extends OpcodeName> = N extends OpcodeName
  ? typeof OPCODES[N] extends { items: infer S extends StructName } ? S : never
  : never;

/**
 * The parts of a request for {@linkcode encodeRequest}.
 *
 * @category Whole messages
 */
export interface RequestParts<N extends OpcodeName> {
  /** The header; `len`, `opcode` and `total_extlen` are computed. */
  readonly header?: Encodable<"fuse_in_header">;
  /** The fixed struct; the count of what follows it is computed if left out. */
  readonly body?: EncodableOf<RequestStruct<N>>;
  /** One name, or two: RENAME, RENAME2, SYMLINK (the name, then the target). */
  readonly names?: readonly Name[];
  /** Data of WRITE, IOCTL and NOTIFY_REPLY; the value of SETXATTR. */
  readonly data?: Uint8Array;
  /** Items of BATCH_FORGET and REMOVEMAPPING. */
  readonly items?: readonly EncodableOf<ItemStruct<N>>[];
  /** Extensions of requests that create an inode. */
  readonly extensions?: readonly Extension[];
  /** Further bytes, which the table does not define, before the extensions. */
  readonly rest?: Uint8Array;
}

/**
 * A whole request as a plain object; parts that it does not have are empty.
 *
 * @category Whole messages
 */
export interface DecodedRequest<N extends OpcodeName = OpcodeName> {
  /** The request's name. */
  readonly name: N;
  /** The header. */
  readonly header: Decoded<"fuse_in_header">;
  /** The fixed struct. */
  readonly body: DecodedOf<RequestStruct<N>>;
  /** The names. */
  readonly names: readonly Name[];
  /** Data of WRITE, IOCTL and NOTIFY_REPLY; the value of SETXATTR. */
  readonly data: Uint8Array;
  /** Items of BATCH_FORGET and REMOVEMAPPING. */
  readonly items: readonly DecodedOf<ItemStruct<N>>[];
  /** The extensions. */
  readonly extensions: readonly Extension[];
  /** Further bytes, which the table does not define, before the extensions. */
  readonly rest: Uint8Array;
}

/**
 * Any whole request, discriminated by `name`.
 *
 * @category Whole messages
 */
export type AnyRequest = { [N in OpcodeName]: DecodedRequest<N> }[OpcodeName];

/**
 * Encodes a whole request, as the kernel sends it.
 *
 * A count that is given in `body` is kept even if it is wrong, so that malformed
 * messages can be made for tests.
 *
 * @category Whole messages
 * @example Encode a LOOKUP
 * ```ts
 * import { decodeRequest, encodeRequest } from "@mqfuse/mqfuse/protocol";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = encodeRequest("LOOKUP", {
 *   header: { unique: 2n, nodeid: 1n },
 *   names: ["disk.img"],
 * });
 * assertEquals(bytes.length, 40 + 9);
 * assertEquals(decodeRequest(bytes).names, ["disk.img"]);
 * ```
 *
 * @param name The request's name.
 * @param parts Its parts; fields that are left out are zero.
 * @param protocolVersion The negotiated version, the newest by default.
 */
export function encodeRequest<N extends OpcodeName>(
  name: N,
  parts: RequestParts<N> = {},
  protocolVersion: ProtocolVersion = ProtocolVersion.NEWEST,
): Uint8Array<ArrayBuffer> {
  const row: OpcodeRow = OPCODES[name];
  const { names = [], data = new Uint8Array(), items = [] } = parts;
  const extensions = encodeExtensions(parts.extensions ?? []);
  const pieces: Uint8Array[] = [new Uint8Array(HEADER_SIZE)];
  if (row.in !== undefined) {
    const count = tailCountField(row.in);
    const given = parts.body as Record<string, number> | undefined;
    const body: Record<string, number> = count === null
      ? { ...given }
      : { [count]: data.length || items.length, ...given };
    const size = row.in === "fuse_init_in"
      ? initInSize(body.major ?? 0, body.minor ?? 0, body.flags ?? 0)
      : protocolVersion.size(row.in);
    pieces.push(encodeStruct(row.in, body).subarray(0, size));
  }
  for (const text of names) pieces.push(bytesOfName(text), new Uint8Array(1));
  pieces.push(data);
  for (const item of items) pieces.push(encodeStruct(row.items!, item));
  pieces.push(parts.rest ?? new Uint8Array(), extensions);
  const message = concat(pieces);
  const header = encodeStruct("fuse_in_header", {
    ...parts.header,
    len: message.length,
    opcode: row.opcode,
    total_extlen: extensions.length / 8,
  });
  message.set(header);
  return message;
}

/**
 * Decodes a whole request.
 *
 * @category Whole messages
 * @param bytes The message.
 * @param protocolVersion The negotiated version, the newest by default.
 * @throws {ProtocolError} If the message breaks the rules of the protocol.
 */
export function decodeRequest(
  bytes: Uint8Array,
  protocolVersion: ProtocolVersion = ProtocolVersion.NEWEST,
): AnyRequest {
  const { request } = contiguousExchange(bytes, NO_REPLY);
  const error = request.validate(bytes.length, protocolVersion);
  if (error !== null) throw error;
  const name = opcodeName(request.opcode)!;
  const row: OpcodeRow = OPCODES[name];
  const body = row.in === undefined ? {} : decodeStruct(row.in, request.body);
  const tail = request.tail();
  const names: Name[] = [];
  let at = 0;
  for (let i = 0; i < nameCount(row); i++) {
    const text = request.nameBytes(i);
    names.push(nameOfBytes(text));
    at += text.length + 1;
  }
  const count = tailCount(row.in, request.body);
  let data = new Uint8Array();
  const items: Record<string, unknown>[] = [];
  if (row.tail === "items") {
    for (let i = 0; i < count; i++) {
      items.push(decodeStruct(row.items!, tail, at));
      at += sizeOf(row.items!);
    }
  } else {
    data = tail.slice(at, at + count);
    at += count;
  }
  return {
    name,
    header: decodeStruct("fuse_in_header", request.header),
    body,
    names,
    data,
    items,
    extensions: decodeExtensions(request.extensions()),
    rest: tail.slice(at),
  } as unknown as AnyRequest;
}

/** Names that follow a request's fixed struct. */
function nameCount({ tail }: OpcodeRow): number {
  if (tail === "name name") return 2;
  return tail === "name" || tail === "name value" ? 1 : 0;
}

const NO_REPLY = new Uint8Array(sizeOf("fuse_out_header"));
