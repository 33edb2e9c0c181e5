/**
 * The two forms in which traces are printed: text for people, JSON for programs.
 *
 * @module
 */
import { errnoName } from "../base/errno.ts";
import { flagNames, flagWordOf } from "./flag_words.ts";
import { layoutOf } from "./layout.ts";
import { type NotificationRow, NOTIFICATIONS } from "./notifications.ts";
import { opcodeName, opcodeRow } from "./opcodes.ts";
import { STRUCTS } from "./structs.ts";
import type { TraceRecord, TraceValue } from "./trace_record.ts";
import type { StructName } from "./types.ts";

/** Fields that are printed even if they are zero. */
const ALWAYS = new Set(["fh", "offset", "size"]);
/** Most items of a list that are printed. */
const ITEMS_MAX = 8;

/**
 * Formats a message as one line of text, such as
 * `q2 <- 0x1f4 READ fh=0 offset=4096 size=4096`.
 *
 * @category Traces and wire logs
 */
export function formatTrace(record: TraceRecord): string {
  const { notification, unique, errno } = record;
  const parts = [
    `q${record.queue}`,
    record.direction,
    `0x${unique.toString(16)}`,
    notification === undefined ? nameOf(record) : `NOTIFY_${notification}`,
  ];
  if (errno !== undefined) {
    parts.push(errno === 0 ? "OK" : errnoName(errno));
  }
  const structs = structsOf(record);
  for (const [field, value] of Object.entries(record.fields)) {
    // Most zeroes are defaults, and 1 is the nodeid of every root.
    if (field === "nodeid" && value === 1n) continue;
    if (isZero(value) && !ALWAYS.has(field)) continue;
    const struct = structs.find((name) => Object.hasOwn(STRUCTS[name], field));
    parts.push(`${field}=${formatValue(value, struct, field)}`);
  }
  if (record.entries !== undefined) parts.push(`${record.entries} entries`);
  if (record.bytes > 0) parts.push(`${record.bytes} B`);
  return parts.join(" ");
}

function nameOf({ opcode, direction, unique }: TraceRecord): string {
  if (direction === "->" && opcode === 0 && unique === 0n) return "NOTIFY";
  return opcodeName(opcode) ?? `opcode ${opcode}`;
}

/** The structs that the fields of a record come from. */
function structsOf(record: TraceRecord): readonly StructName[] {
  const { notification, direction, opcode } = record;
  if (notification !== undefined) {
    const { out }: NotificationRow = NOTIFICATIONS[notification];
    return out === undefined ? [] : [out];
  }
  const row = opcodeRow(opcode);
  if (direction === "->") return row?.out ?? [];
  return row?.in === undefined ? [] : [row.in];
}

function isZero(value: TraceValue): boolean {
  return Array.isArray(value)
    ? value.length === 0
    : value === 0 || value === 0n;
}

function formatValue(
  value: TraceValue,
  struct?: StructName,
  field: string = "",
): string {
  if (Array.isArray(value)) {
    const shown = value.slice(0, ITEMS_MAX).map((item) => formatValue(item));
    if (value.length > ITEMS_MAX) shown.push(`+${value.length - ITEMS_MAX}`);
    return `[${shown.join(",")}]`;
  }
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value !== "object") return formatScalar(value, struct, field);
  const inner = structOfField(struct, field);
  const fields = Object.entries(value)
    .filter(([, item]) => !isZero(item))
    .map(([key, item]) => `${key}=${formatValue(item, inner, key)}`);
  return `{${fields.join(" ")}}`;
}

function formatScalar(
  value: number | bigint,
  struct: StructName | undefined,
  field: string,
): string {
  if (struct !== undefined) {
    const word = flagWordOf(struct, field);
    if (word !== undefined) return flagNames(word, value).join("|") || "0";
    if (field === "mode" || field === "umask") return `0${value.toString(8)}`;
  }
  return String(value);
}

/** The type of a field that is a struct itself. */
function structOfField(
  struct: StructName | undefined,
  field: string,
): StructName | undefined {
  if (struct === undefined) return undefined;
  const type = layoutOf(struct).fields.find((f) => f.name === field)?.type;
  return type !== undefined && Object.hasOwn(STRUCTS, type)
    ? type as StructName
    : undefined;
}

/**
 * Formats a message as one line of JSON. 64-bit values become strings, and
 * `flagNames` lists the names of flags.
 *
 * @category Traces and wire logs
 */
export function formatTraceJson(record: TraceRecord): string {
  const { notification } = record;
  const name = notification === undefined
    ? opcodeName(record.opcode) ?? null
    : `NOTIFY_${notification}`;
  const named: Record<string, string[]> = {};
  for (const struct of structsOf(record)) {
    for (const [field, value] of Object.entries(record.fields)) {
      const word = flagWordOf(struct, field);
      if (word === undefined || typeof value === "object") continue;
      if (typeof value !== "string") named[field] = flagNames(word, value);
    }
  }
  return JSON.stringify(
    { event: "message", name, ...record, wire: undefined, flagNames: named },
    (_key, value) => typeof value === "bigint" ? value.toString() : value,
  );
}
