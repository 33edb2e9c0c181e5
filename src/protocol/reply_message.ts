/**
 * Whole replies as plain objects, encoded and decoded, for the simulator, traces
 * and tests. A server's hot path uses `reply.ts`.
 *
 * @module
 */
import { concat } from "./bytes.ts";
import { ERRNO_MAX } from "../base/errno.ts";
import { accessors } from "./accessors.ts";
import { decodeStruct, encodeStruct } from "./codec.ts";
import { ProtocolVersion } from "./protocol_version.ts";
import {
  type DirEntry,
  type DirEntryPlus,
  parseDirents,
  parseDirentsPlus,
} from "./dirent.ts";
import { encodeDirents, encodeDirentsPlus } from "./encode_dirents.ts";
import { FUSE_IOCTL } from "./flags.ts";
import { sizeAt, sizeOf } from "./layout.ts";
import { type OpcodeName, type OpcodeRow, OPCODES } from "./opcodes.ts";
import { ProtocolError, type ProtocolErrorKind } from "./protocol_error.ts";
import { replyTailMax } from "./reply_size.ts";
import type { Decoded, Encodable, StructName } from "./types.ts";

const OUT_HEADER = accessors("fuse_out_header");
const HEADER_SIZE = OUT_HEADER.size;

/**
 * The fixed structs of replies to requests `N`; never if they have none.
 *
 * @category Whole messages
 */
export type ReplyStruct<N extends OpcodeName> = N extends OpcodeName
  ? typeof OPCODES[N] extends { out: readonly (infer S extends StructName)[] }
    ? S
  : never
  : never;

/**
 * The parts of a reply for {@linkcode encodeReply}.
 *
 * @category Whole messages
 */
export interface ReplyParts<N extends OpcodeName> {
  /** The header; `len` is computed. */
  readonly header?: Encodable<"fuse_out_header">;
  /** The fixed structs by name; not encoded if `error` is not 0. */
  readonly body?: {
    readonly [
      S in
        | ReplyStruct<N>
        | (N extends SizeQuery ? "fuse_getxattr_out" : never)
    ]?: Encodable<S>;
  };
  /** The bytes after them. */
  readonly data?: Uint8Array;
  /** Entries of READDIR and READDIRPLUS, instead of `data`. */
  readonly entries?: readonly (DirEntry & {
    readonly entry?: Encodable<"fuse_entry_out">;
  })[];
}

/**
 * Requests that are answered with a size where their own `size` is 0.
 *
 * @category Whole messages
 */
export type SizeQuery = "GETXATTR" | "LISTXATTR";

/**
 * The options of {@linkcode decodeReply}: what the reply depends on.
 *
 * @category Whole messages
 */
export interface DecodeReplyOptions {
  /** `size` of READ, READDIR, GETXATTR or LISTXATTR; unlimited by default. */
  readonly size?: number;
  /** The negotiated version, the newest by default. */
  readonly protocolVersion?: ProtocolVersion;
}

/**
 * A whole reply as a plain object; parts that it does not have are empty.
 *
 * @category Whole messages
 */
export interface DecodedReply<N extends OpcodeName = OpcodeName> {
  /** The name of the request that it answers. */
  readonly name: N;
  /** The header. */
  readonly header: Decoded<"fuse_out_header">;
  /** The fixed structs by name; none if `error` is not 0. */
  readonly body: {
    readonly [S in ReplyStruct<N> | "fuse_getxattr_out"]?: Decoded<S>;
  };
  /** The bytes after them. */
  readonly data: Uint8Array;
  /** Entries of READDIR and READDIRPLUS. */
  readonly entries: readonly (DirEntry | DirEntryPlus)[];
  /** The caller's memory that a retry of IOCTL requests. */
  readonly iovecs: readonly Decoded<"fuse_ioctl_iovec">[];
}

/**
 * Encodes a whole reply, as a server sends it.
 *
 * @category Whole messages
 * @example Encode a reply to OPEN
 * ```ts
 * import { decodeReply, encodeReply } from "@mqfuse/mqfuse/protocol";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = encodeReply("OPEN", {
 *   header: { unique: 2n },
 *   body: { fuse_open_out: { fh: 7n } },
 * });
 * assertEquals(bytes.length, 32);
 * assertEquals(decodeReply("OPEN", bytes).body.fuse_open_out?.fh, 7n);
 * ```
 *
 * @param name The name of the request that it answers.
 * @param parts Its parts; fields that are left out are zero.
 * @param protocolVersion The negotiated version, the newest by default.
 */
export function encodeReply<N extends OpcodeName>(
  name: N,
  parts: ReplyParts<N> = {},
  protocolVersion: ProtocolVersion = ProtocolVersion.NEWEST,
): Uint8Array<ArrayBuffer> {
  const row: OpcodeRow = OPCODES[name];
  const pieces: Uint8Array[] = [new Uint8Array(HEADER_SIZE)];
  if ((parts.header?.error ?? 0) === 0) {
    const body = (parts.body ?? {}) as Record<string, object | undefined>;
    const sizeAlone = body.fuse_getxattr_out !== undefined;
    const structs = sizeAlone ? ["fuse_getxattr_out"] as const : row.out ?? [];
    for (const struct of structs) {
      const given = body[struct] as { minor?: number } | undefined;
      const bytes = encodeStruct(struct, given);
      const size = struct === "fuse_init_out"
        ? sizeAt(struct, given?.minor ?? protocolVersion.minor)
        : protocolVersion.size(struct);
      pieces.push(bytes.subarray(0, size));
    }
    pieces.push(encodeTail(row, parts.data, parts.entries));
  }
  const message = concat(pieces);
  message.set(
    encodeStruct("fuse_out_header", { ...parts.header, len: message.length }),
  );
  return message;
}

function encodeTail(
  row: OpcodeRow,
  data: Uint8Array = new Uint8Array(),
  entries: ReplyParts<"READDIRPLUS">["entries"] = [],
): Uint8Array {
  if (data.length > 0 || entries.length === 0) return data;
  return row.outTail === "direntplus"
    ? encodeDirentsPlus(entries.map((e) => ({ ...e, entry: e.entry ?? {} })))
    : encodeDirents(entries);
}

/**
 * Decodes a whole reply by the rules of the kernel's fuse_dev_do_write().
 *
 * @category Whole messages
 * @param name The name of the request that it answers.
 * @param bytes The message.
 * @param options What the reply depends on.
 * @throws {ProtocolError} If the kernel would reject the reply.
 */
export function decodeReply<N extends OpcodeName>(
  name: N,
  bytes: Uint8Array,
  options: DecodeReplyOptions = {},
): DecodedReply<N> {
  const { size = Infinity, protocolVersion = ProtocolVersion.NEWEST } = options;
  const row: OpcodeRow = OPCODES[name];
  const header = readHeader(row, bytes);
  const body: Record<string, unknown> = {};
  let at = HEADER_SIZE;
  if (header.error !== 0) {
    //= fs/fuse/dev.c fuse_dev_do_write(): an error has a header only
    if (bytes.length > at) fail("long body", row, at, bytes.length);
  } else {
    const query = row.outTail === "value" && size === 0;
    const structs = query ? ["fuse_getxattr_out"] as const : row.out ?? [];
    for (const struct of structs) {
      const length = structSize(struct, bytes.length - at, protocolVersion);
      const end = at + length;
      if (end > bytes.length) fail("short body", row, end, bytes.length);
      const whole = new Uint8Array(sizeOf(struct));
      whole.set(bytes.subarray(at, end));
      body[struct] = decodeStruct(struct, whole);
      at = end;
    }
    const most = at + (query ? 0 : replyTailMax(row, size));
    if (bytes.length > most) fail("long body", row, most, bytes.length);
  }
  const data = bytes.slice(at);
  return {
    name,
    header,
    body,
    data,
    entries: readEntries(row, data),
    iovecs: readIovecs(body, data),
  } as unknown as DecodedReply<N>;
}

function fail(
  kind: ProtocolErrorKind,
  { opcode }: OpcodeRow,
  expected: number,
  received: number,
): never {
  throw new ProtocolError(kind, opcode, expected, received);
}

function readHeader(
  row: OpcodeRow,
  bytes: Uint8Array,
): Decoded<"fuse_out_header"> {
  if (bytes.length < HEADER_SIZE) {
    fail("short header", row, HEADER_SIZE, bytes.length);
  }
  const header = decodeStruct("fuse_out_header", bytes);
  const { len, error } = header;
  if (len !== bytes.length) fail("wrong length", row, len, bytes.length);
  //= fs/fuse/dev.c fuse_dev_do_write(): error is between -511 and 0
  if (error > 0 || error < -ERRNO_MAX) {
    fail("bad error", row, ERRNO_MAX, error);
  }
  return header;
}

/** The size of a struct in a reply; only that of INIT may end at any field. */
function structSize(
  struct: StructName,
  rest: number,
  protocolVersion: ProtocolVersion,
): number {
  return struct === "fuse_init_out"
    ? Math.max(sizeAt(struct, 0), Math.min(rest, sizeOf(struct)))
    : protocolVersion.size(struct);
}

function readEntries(
  row: OpcodeRow,
  data: Uint8Array,
): (DirEntry | DirEntryPlus)[] {
  try {
    if (row.outTail === "dirents") return parseDirents(data);
    if (row.outTail === "direntplus") return parseDirentsPlus(data);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    fail("bad entry", row, 1, data.length);
  }
  return [];
}

function readIovecs(
  body: Record<string, unknown>,
  data: Uint8Array,
): Decoded<"fuse_ioctl_iovec">[] {
  const out = body.fuse_ioctl_out as Decoded<"fuse_ioctl_out"> | undefined;
  if (out === undefined || (out.flags & FUSE_IOCTL.RETRY) === 0) return [];
  const size = sizeOf("fuse_ioctl_iovec");
  const count = Math.min(
    out.in_iovs + out.out_iovs,
    Math.floor(data.length / size),
  );
  return Array.from(
    { length: count },
    (_, i) => decodeStruct("fuse_ioctl_iovec", data, i * size),
  );
}
