/**
 * Trace records: messages as plain data for people and programs to read.
 *
 * @module
 */
import { decodeStruct } from "./codec.ts";
import { ProtocolVersion } from "./protocol_version.ts";
import { parseDirents, parseDirentsPlus } from "./dirent.ts";
import { decodeExtensions } from "./extensions.ts";
import { sizeOf } from "./layout.ts";
import {
  decodeNotification,
  type NotificationName,
  type NotificationRow,
  NOTIFICATIONS,
} from "./notifications.ts";
import { type OpcodeRow, opcodeRow } from "./opcodes.ts";
import { ProtocolError } from "./protocol_error.ts";
import type { Reply } from "./reply.ts";
import type { Request } from "./request.ts";
import { type Name, textOfBytes } from "./text.ts";
import type { StructName } from "./types.ts";

/**
 * A value in a trace: a number, an identifier, a name, a list, a nested struct.
 *
 * @category Traces and wire logs
 */
export type TraceValue =
  | number
  | bigint
  | string
  | TraceValue[]
  | { [field: string]: TraceValue };

/**
 * One message as plain data: it can be sent between Workers, and
 * {@linkcode formatTrace} prints it.
 *
 * @category Traces and wire logs
 */
export interface TraceRecord {
  /** The number of the queue that carried it. */
  readonly queue: number;
  /** `<-` from the kernel, `->` to the kernel. */
  readonly direction: "<-" | "->";
  /** `unique` of the request, 0 for a notification. */
  readonly unique: bigint;
  /** The opcode on the wire; 0 for a notification. */
  readonly opcode: number;
  /** The notification's name, if it is a notification. */
  readonly notification?: NotificationName;
  /** The fields of its structs, and its names. */
  readonly fields: { readonly [field: string]: TraceValue };
  /** The positive error number of a reply, 0 for success. */
  readonly errno?: number;
  /** The number of entries in a directory listing. */
  readonly entries?: number;
  /** Bytes of data after the fields. */
  readonly bytes: number;
  /** When it passed, in microseconds since 1970, where a wire log is requested. */
  readonly at?: number;
  /** The whole message, where a wire log is requested. */
  readonly wire?: Uint8Array;
}

/** Fields without a meaning, which traces leave out. */
const SILENT = /^(padding|dummy\d?|unused\d?|reserved|spare|__\w+)$/;
const OUT_HEADER_SIZE = sizeOf("fuse_out_header");

/**
 * The trace record of a request, to be made before it is answered.
 *
 * @category Traces and wire logs
 */
export function traceRequest(queue: number, request: Request): TraceRecord {
  const { opcode, unique } = request;
  const row: OpcodeRow = opcodeRow(opcode)!;
  const fields: Record<string, TraceValue> = { nodeid: request.nodeid };
  if (row.in !== undefined) {
    Object.assign(fields, structFields(row.in, request.body, 0));
  }
  let bytes = row.tail === undefined ? 0 : request.tailLength;
  if (row.tail?.startsWith("name")) {
    fields.name = request.name();
    if (row.tail === "name name") fields.name2 = request.name(1);
    bytes = row.tail === "name value" ? request.value().byteLength : 0;
  }
  if (row.items !== undefined) {
    const size = sizeOf(row.items);
    const tail = request.tail();
    fields.items = Array.from(
      { length: Math.floor(tail.length / size) },
      (_, i) => structFields(row.items!, tail, i * size),
    );
    bytes = 0;
  }
  if (request.extensionsLength > 0) {
    Object.assign(fields, extensionFields(request.extensions()));
  }
  return { queue, direction: "<-", unique, opcode, fields, bytes };
}

function extensionFields(bytes: Uint8Array): Record<string, TraceValue> {
  const fields: Record<string, TraceValue> = {};
  for (const extension of decodeExtensions(bytes)) {
    if ("groups" in extension) fields.groups = [...extension.groups];
    else if ("contexts" in extension) {
      fields.contexts = extension.contexts.map(({ name }) => textOf(name));
    }
  }
  return fields;
}

function textOf(name: Name): string {
  return typeof name === "string" ? name : textOfBytes(name);
}

/**
 * The trace record of a filled reply.
 *
 * @category Traces and wire logs
 * @param request The record of the request, because a reply may have
 * overwritten its request.
 * @param reply The reply.
 * @param protocolVersion The negotiated version, the newest by default.
 */
export function traceReply(
  request: TraceRecord,
  reply: Reply,
  protocolVersion: ProtocolVersion = ProtocolVersion.NEWEST,
): TraceRecord {
  const size = Math.max(0, reply.length - OUT_HEADER_SIZE);
  const body = reply.data.subarray(0, size);
  return traceReplyBody(request, reply.errno, body, protocolVersion);
}

/**
 * The trace record of a reply whose bytes after the header are given.
 *
 * @category Traces and wire logs
 * @param request The record of the request.
 * @param errno The positive error number, 0 for success.
 * @param body The bytes after the header.
 * @param protocolVersion The negotiated version, the newest by default.
 */
export function traceReplyBody(
  request: TraceRecord,
  errno: number,
  body: Uint8Array,
  protocolVersion: ProtocolVersion = ProtocolVersion.NEWEST,
): TraceRecord {
  const { queue, unique, opcode } = request;
  const row = opcodeRow(opcode);
  const fields: Record<string, TraceValue> = {};
  let at = 0;
  for (const name of replyStructs(request, row)) {
    const size = name === "fuse_init_out"
      ? Math.min(body.length, sizeOf(name))
      : protocolVersion.size(name);
    if (body.length === 0 || at + size > body.length) break;
    const whole = new Uint8Array(sizeOf(name));
    whole.set(body.subarray(at, at + size));
    Object.assign(fields, structFields(name, whole, 0));
    at += size;
  }
  const rest = body.subarray(at);
  let bytes = rest.length;
  let entries: number | null = null;
  if (row?.outTail === "string" && errno === 0) {
    fields.target = textOfBytes(rest);
    bytes = 0;
  } else if (row?.outTail?.startsWith("dirent") && errno === 0) {
    entries = countEntries(rest, row.outTail === "direntplus");
  }
  return {
    queue,
    direction: "->",
    unique,
    opcode,
    fields,
    errno,
    ...(entries === null ? {} : { entries }),
    bytes,
  };
}

function replyStructs(
  request: TraceRecord,
  row: OpcodeRow | undefined,
): readonly StructName[] {
  return row?.outTail === "value" && request.fields.size === 0
    ? ["fuse_getxattr_out"]
    : row?.out ?? [];
}

function countEntries(bytes: Uint8Array, plus: boolean): number | null {
  try {
    return (plus ? parseDirentsPlus(bytes) : parseDirents(bytes)).length;
  } catch {
    return null;
  }
}

/**
 * The trace record of a notification. If it breaks the rules, the fields are its
 * code and what is wrong.
 *
 * @category Traces and wire logs
 * @param queue The number of the queue that carried it.
 * @param message The whole message.
 */
export function traceNotification(
  queue: number,
  message: Uint8Array,
): TraceRecord {
  const common = { queue, direction: "->", unique: 0n, opcode: 0 } as const;
  try {
    const decoded = decodeNotification(message);
    const { notification } = decoded;
    const { out, tail }: NotificationRow = NOTIFICATIONS[notification];
    const fields: Record<string, TraceValue> = out === undefined
      ? {}
      : structFields(out, message, OUT_HEADER_SIZE);
    if (tail === "name") fields.name = textOf(decoded.name);
    if (tail === "nodeids") fields.nodeids = [...decoded.nodeids];
    const bytes = decoded.data.length;
    return { ...common, notification, fields, bytes };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    const fields = { code: error.opcode, fault: error.message };
    return { ...common, fields, bytes: message.length };
  }
}

function structFields(
  name: StructName,
  bytes: ArrayBufferView,
  base: number,
): Record<string, TraceValue> {
  const all = decodeStruct(name, bytes, base) as Record<string, TraceValue>;
  return Object.fromEntries(
    Object.entries(all).filter(([field]) => !SILENT.test(field)),
  );
}
