/**
 * Messages as people read them: one line each, printed from the table.
 *
 * @module
 */
import { decodeStruct } from "./codec.ts";
import { errnoName } from "./errno.ts";
import { sizeOf } from "./layout.ts";
import { opcodeName, opcodeRow } from "./opcodes.ts";
import type { Reply } from "./reply.ts";
import type { Request } from "./request.ts";
import type { StructName } from "./types.ts";

/** A value in a trace: numbers, identifiers, names, nested structs. */
export type TraceValue =
  | number
  | bigint
  | string
  | TraceValue[]
  | { [field: string]: TraceValue };

/** One message, ready to be printed. */
export interface TraceRecord {
  /** The queue that it passed. */
  readonly queue: number;
  /** `<-` from the kernel, `->` to it. */
  readonly direction: "<-" | "->";
  /** The request's id. */
  readonly unique: bigint;
  /** The opcode on the wire. */
  readonly opcode: number;
  /** The fields, from the table. */
  readonly fields: { readonly [field: string]: TraceValue };
  /** Of a reply: the error number, 0 for success. */
  readonly errno?: number;
  /** Bytes of data behind the fields. */
  readonly bytes: number;
}

/** Fields that say nothing. */
const SILENT = /^(padding|dummy\d?|unused\d?|reserved|spare|__\w+)$/;
const OUT_HEADER_SIZE = sizeOf("fuse_out_header");

/** Describes a request before it is answered. */
export function traceRequest(queue: number, request: Request): TraceRecord {
  const { opcode, unique } = request;
  const row = opcodeRow(opcode);
  const fields: Record<string, TraceValue> = { nodeid: request.nodeid };
  if (row?.in !== undefined) {
    // A peer may send a shorter, older form of the struct.
    const size = Math.min(sizeOf(row.in), request.length - 40);
    const struct = new Uint8Array(sizeOf(row.in));
    struct.set(
      new Uint8Array(request.body.buffer, request.body.byteOffset, size),
    );
    Object.assign(fields, structFields(row.in, struct, 0));
  }
  let bytes = row?.tail === undefined ? 0 : request.tailLength;
  if (row?.tail?.startsWith("name")) {
    fields.name = request.name();
    if (row.tail === "name name") fields.name2 = request.name(1);
    bytes = row.tail === "name value" ? request.value().byteLength : 0;
  }
  return { queue, direction: "<-", unique, opcode, fields, bytes };
}

/**
 * Describes a filled reply.
 *
 * @param asked What {@linkcode traceRequest} said, since a reply may have
 * taken the place of its request.
 */
export function traceReply(asked: TraceRecord, reply: Reply): TraceRecord {
  const { queue, unique, opcode } = asked;
  const fields: Record<string, TraceValue> = {};
  const size = Math.max(0, reply.length - OUT_HEADER_SIZE);
  let at = 0;
  for (const name of opcodeRow(opcode)?.out ?? []) {
    if (at + sizeOf(name) > size) break;
    Object.assign(fields, structFields(name, reply.body, at));
    at += sizeOf(name);
  }
  const { errno } = reply;
  const bytes = size - at;
  return { queue, direction: "->", unique, opcode, fields, errno, bytes };
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

/**
 * Prints a message as one line:
 * `q2 <- 0x1f4 READ fh=0 offset=4096 size=4096`.
 */
export function formatTrace(record: TraceRecord): string {
  const name = opcodeName(record.opcode) ?? `opcode ${record.opcode}`;
  const parts = [
    `q${record.queue}`,
    record.direction,
    `0x${record.unique.toString(16)}`,
    name,
  ];
  if (record.errno !== undefined) {
    parts.push(record.errno === 0 ? "OK" : errnoName(record.errno));
  }
  for (const [field, value] of Object.entries(record.fields)) {
    // Fields that are zero say little; the root's nodeid says nothing.
    if (field === "nodeid" && value === 1n) continue;
    if (value === 0 || value === 0n) {
      if (!ALWAYS.has(field)) continue;
    }
    parts.push(`${field}=${formatValue(value)}`);
  }
  if (record.bytes > 0) parts.push(`${record.bytes} B`);
  return parts.join(" ");
}

const ALWAYS = new Set(["fh", "offset", "size"]);

function formatValue(value: TraceValue): string {
  if (Array.isArray(value)) return `[${value.map(formatValue).join(",")}]`;
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value !== "object") return String(value);
  const fields = Object.entries(value)
    .filter(([, item]) => item !== 0 && item !== 0n)
    .map(([field, item]) => `${field}=${formatValue(item)}`);
  return `{${fields.join(" ")}}`;
}

/** Prints a message as one line of JSON; 64-bit identifiers become strings. */
export function formatTraceJson(record: TraceRecord): string {
  const name = opcodeName(record.opcode) ?? null;
  return JSON.stringify(
    { event: "message", name, ...record },
    (_key, value) => typeof value === "bigint" ? value.toString() : value,
  );
}
