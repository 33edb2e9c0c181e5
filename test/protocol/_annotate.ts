/**
 * Formats messages as annotated hex: one line per field, with its name and
 * value.
 *
 * @module
 */
import {
  decodeStruct,
  errnoName,
  flagNames,
  flagWordOf,
  layoutOf,
  notificationName,
  type NotificationRow,
  NOTIFICATIONS,
  opcodeName,
  type OpcodeRow,
  opcodeRow,
  type ProtocolVersion,
  sizeOf,
  type StructName,
} from "../../src/protocol/mod.ts";
import { viewOf } from "../../src/protocol/codec.ts";
import { direntSize } from "../../src/protocol/dirent.ts";
import { isScalar, scalarSize } from "../../src/protocol/layout.ts";
import { initInSize } from "../../src/protocol/protocol_version.ts";
import { textOfBytes } from "../../src/protocol/text.ts";

/** Bytes per line. Only arrays are longer. */
const LINE_BYTES = 16;
const FIELD_COLUMNS = 3 * 8 - 1;
const DATA_COLUMNS = 3 * LINE_BYTES - 1;

/** What the meaning of a message depends on. */
export interface AnnotateContext {
  /** The negotiated version. */
  readonly protocolVersion: ProtocolVersion;
  /** The request that a reply answers. */
  readonly request?: Uint8Array;
}

/** Formats a message as annotated hex, one line per field. */
export function annotate(
  bytes: Uint8Array,
  direction: "<-" | "->",
  context: AnnotateContext,
): string[] {
  const writer = new Annotator(bytes);
  if (direction === "<-") annotateRequest(writer, context.protocolVersion);
  else annotateAnswer(writer, context);
  writer.data("rest", bytes.length - writer.at);
  return writer.lines;
}

class Annotator {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly lines: string[] = [];
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = viewOf(bytes);
  }

  get rest(): number {
    return this.bytes.length - this.at;
  }

  #line(size: number, columns: number, comment: string): void {
    const part = this.bytes.subarray(this.at, this.at + size);
    const hex = Array.from(part, (byte) => byte.toString(16).padStart(2, "0"));
    this.lines.push(`${hex.join(" ").padEnd(columns)}  # ${comment}`);
    this.at += size;
  }

  /** Fields of a struct, up to `size` bytes of it. */
  struct(name: StructName, size: number = sizeOf(name), prefix = ""): void {
    const base = this.at;
    for (const { name: field, offset, ...layout } of layoutOf(name).fields) {
      const { type, count } = layout;
      if (
        offset + (count === null && isScalar(type) ? layout.size : 0) > size
      ) {
        break;
      }
      if (offset >= size) break;
      if (!isScalar(type)) {
        this.struct(type, size - (this.at - base), `${prefix}${field}.`);
      } else if (count === null) {
        this.#scalar(name, field, prefix, scalarSize(type));
      } else {
        this.data(`${prefix}${field}`, layout.size);
      }
    }
  }

  #scalar(
    struct: StructName,
    field: string,
    prefix: string,
    size: number,
  ): void {
    const whole = new Uint8Array(sizeOf(struct));
    const { offset } = layoutOf(struct).fields.find((f) => f.name === field)!;
    whole.set(this.bytes.subarray(this.at, this.at + size), offset);
    const all = decodeStruct(struct, whole) as Record<string, number | bigint>;
    const comment = describe(struct, field, all[field]!);
    this.#line(size, FIELD_COLUMNS, `${prefix}${comment}`);
  }

  /** Bytes that are not fields. */
  data(name: string, size: number): void {
    const end = this.at + size;
    for (let first = true; this.at < end; first = false) {
      const length = Math.min(LINE_BYTES, end - this.at);
      const columns = size <= 8 ? FIELD_COLUMNS : DATA_COLUMNS;
      const comment = first ? `${name}, ${size} bytes` : `${name}, more`;
      this.#line(length, columns, comment);
    }
  }

  /** A name of `size` bytes, including its NUL if it has one. */
  name(label: string, size: number): void {
    const text = this.bytes.subarray(this.at, this.at + size);
    const bare = text.at(-1) === 0 ? text.subarray(0, -1) : text;
    const end = this.at + size;
    const comment = `${label} ${JSON.stringify(textOfBytes(bare))}`;
    for (let first = true; this.at < end; first = false) {
      const columns = size <= 8 ? FIELD_COLUMNS : DATA_COLUMNS;
      const length = Math.min(LINE_BYTES, end - this.at);
      this.#line(length, columns, first ? comment : `${label}, more`);
    }
  }

  /** The number of bytes up to the next NUL, including it. */
  toNul(): number {
    return this.bytes.indexOf(0, this.at) + 1 - this.at;
  }
}

function describe(
  struct: StructName,
  field: string,
  value: number | bigint,
): string {
  const text = `${field} ${value}`;
  if (struct === "fuse_in_header" && field === "opcode") {
    return `${text} ${opcodeName(Number(value))}`;
  }
  if (struct === "fuse_out_header" && field === "error" && value < 0) {
    return `${text} ${errnoName(-Number(value))}`;
  }
  if (field === "mode" && struct !== "fuse_fallocate_in") {
    return `${text} 0${value.toString(8)}`;
  }
  const word = flagWordOf(struct, field);
  const names = word === undefined ? [] : flagNames(word, value);
  return names.length === 0 ? text : `${text} ${names.join("|")}`;
}

function annotateRequest(
  writer: Annotator,
  protocolVersion: ProtocolVersion,
): void {
  const { view } = writer;
  const opcode = view.getUint32(4, true);
  const extensions = view.getUint16(36, true) * 8;
  const end = writer.bytes.length - extensions;
  const row: OpcodeRow = opcodeRow(opcode)!;
  writer.struct("fuse_in_header");
  if (row.in !== undefined) {
    const size = row.in === "fuse_init_in"
      ? initInSize(
        view.getUint32(40, true),
        view.getUint32(44, true),
        writer.rest >= 16 ? view.getUint32(52, true) : 0,
      )
      : protocolVersion.size(row.in);
    writer.struct(row.in, size);
  }
  if (row.tail?.startsWith("name")) writer.name("name", writer.toNul());
  if (row.tail === "name name") writer.name("name", writer.toNul());
  if (row.tail === "name value") writer.data("value", end - writer.at);
  if (row.tail === "data") writer.data("data", end - writer.at);
  for (let i = 0; row.tail === "items" && writer.at < end; i++) {
    writer.struct(row.items!, undefined, `items[${i}].`);
  }
  if (writer.at < end) writer.data("rest", end - writer.at);
  while (writer.rest >= 8) annotateExtension(writer);
}

function annotateExtension(writer: Annotator): void {
  const start = writer.at;
  const { size, type } = decodeStruct("fuse_ext_header", writer.bytes, start);
  const end = start + Math.ceil(size / 8) * 8;
  writer.struct("fuse_ext_header", undefined, "extension.");
  if (type === 32) {
    writer.struct("fuse_supp_groups", undefined, "extension.");
    writer.data("groups", start + size - writer.at);
  } else if (type <= 31) {
    for (let i = 0; i < type && writer.at < end; i++) {
      const value = writer.view.getUint32(writer.at, true);
      writer.struct("fuse_secctx", undefined, "context.");
      writer.name("context.name", writer.toNul());
      writer.data("context.value", value);
      writer.data("padding", (start - writer.at) & 7);
    }
  }
  writer.data("padding", end - writer.at);
}

function annotateAnswer(writer: Annotator, context: AnnotateContext): void {
  const { unique, error } = decodeStruct("fuse_out_header", writer.bytes);
  writer.struct("fuse_out_header");
  if (unique === 0n) return annotateNotification(writer, error);
  if (error !== 0 || context.request === undefined) return;
  const asked = viewOf(context.request);
  const row: OpcodeRow = opcodeRow(asked.getUint32(4, true))!;
  const query = row.outTail === "value" && asked.getUint32(40, true) === 0;
  const structs = query ? ["fuse_getxattr_out"] as const : row.out ?? [];
  for (const name of structs) {
    const size = name === "fuse_init_out"
      ? Math.min(writer.rest, sizeOf(name))
      : context.protocolVersion.size(name);
    writer.struct(name, size);
  }
  if (row.outTail === "dirents") annotateEntries(writer, false);
  else if (row.outTail === "direntplus") annotateEntries(writer, true);
  else if (row.outTail === "string") writer.name("target", writer.rest);
  else writer.data("data", writer.rest);
}

function annotateEntries(writer: Annotator, plus: boolean): void {
  for (let i = 0; writer.rest >= (plus ? 152 : 24); i++) {
    const start = writer.at;
    const prefix = `entries[${i}].`;
    writer.struct(plus ? "fuse_direntplus" : "fuse_dirent", undefined, prefix);
    const size = writer.view.getUint32(writer.at - 8, true);
    writer.name(`${prefix}name`, size);
    writer.data("padding", start + direntSize(size, plus) - writer.at);
  }
}

function annotateNotification(writer: Annotator, code: number): void {
  const name = notificationName(code);
  if (name === undefined) return;
  const row: NotificationRow = NOTIFICATIONS[name];
  if (row.out !== undefined) writer.struct(row.out);
  if (row.tail === "name") writer.name("name", writer.rest);
  if (row.tail === "data") writer.data("data", writer.rest);
  for (let i = 0; row.tail === "nodeids" && writer.rest >= 8; i++) {
    writer.data(`nodeids[${i}]`, 8);
  }
}
