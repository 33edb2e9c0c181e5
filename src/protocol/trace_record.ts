/**
 * Messages as people read them: one line each, printed from the table.
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

/** A value in a trace: numbers, identifiers, names, nested structs. */
export type TraceValue =
  | number
  | bigint
  | string
  | TraceValue[]
  | { [field: string]: TraceValue };

/** One message, ready to be printed. Plain data: Workers send it on. */
export interface TraceRecord {
  /** The queue that it passed. */
  readonly queue: number;
  /** `<-` from the kernel, `->` to it. */
  readonly direction: "<-" | "->";
  /** The request's id. */
  readonly unique: bigint;
  /** The opcode on the wire; 0 for a notification. */
  readonly opcode: number;
  /** Which notification it is, if it is one. */
  readonly notification?: NotificationName;
  /** The fields, from the table. */
  readonly fields: { readonly [field: string]: TraceValue };
  /** Of a reply: the error number, 0 for success. */
  readonly errno?: number;
  /** Of a directory's listing: how many entries it has. */
  readonly entries?: number;
  /** Bytes of data behind the fields. */
  readonly bytes: number;
  /** The whole message, where that was asked for: a line of a wire log. */
  readonly wire?: Uint8Array;
}

/** Fields that say nothing. */
const SILENT = /^(padding|dummy\d?|unused\d?|reserved|spare|__\w+)$/;
const OUT_HEADER_SIZE = sizeOf("fuse_out_header");

/** Describes a request before it is answered. */
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
 * Describes a filled reply.
 *
 * @param asked What {@linkcode traceRequest} said, since a reply may have
 * taken the place of its request.
 * @param protocolVersion What the two sides agreed on; the newest if left out.
 */
export function traceReply(
  asked: TraceRecord,
  reply: Reply,
  protocolVersion: ProtocolVersion = ProtocolVersion.NEWEST,
): TraceRecord {
  const size = Math.max(0, reply.length - OUT_HEADER_SIZE);
  const body = reply.data.subarray(0, size);
  return traceReplyBody(asked, reply.errno, body, protocolVersion);
}

/**
 * Describes a reply of which the bytes behind the header are at hand.
 *
 * @param asked What {@linkcode traceRequest} said.
 * @param errno The positive error number, 0 for success.
 * @param body The bytes behind the header.
 * @param protocolVersion What the two sides agreed on; the newest if left out.
 */
export function traceReplyBody(
  asked: TraceRecord,
  errno: number,
  body: Uint8Array,
  protocolVersion: ProtocolVersion = ProtocolVersion.NEWEST,
): TraceRecord {
  const { queue, unique, opcode } = asked;
  const row = opcodeRow(opcode);
  const fields: Record<string, TraceValue> = {};
  let at = 0;
  for (const name of replyStructs(asked, row)) {
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
  asked: TraceRecord,
  row: OpcodeRow | undefined,
): readonly StructName[] {
  return row?.outTail === "value" && asked.fields.size === 0
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
 * Describes a notification; one that breaks the rules has its code alone.
 *
 * @param queue The queue that it passed.
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
