/**
 * Converts whole structs to plain objects and back, for tests, traces and the
 * simulator. The hot path uses `accessors.ts`.
 *
 * @module
 */
import { FUSE_KERNEL_MINOR_VERSION } from "./flags.ts";
import {
  type FieldLayout,
  isScalar,
  layoutOf,
  scalarSize,
  type ScalarType,
  sizeAt,
} from "./layout.ts";
import type { Decoded, Encodable, StructName } from "./types.ts";

type Value = number | bigint | Value[] | { [field: string]: Value };

function readScalar(view: DataView, at: number, type: ScalarType): Value {
  switch (type) {
    case "u8":
      return view.getUint8(at);
    case "u16":
      return view.getUint16(at, true);
    case "u32":
      return view.getUint32(at, true);
    case "s32":
      return view.getInt32(at, true);
    case "s64":
      return view.getBigInt64(at, true);
    case "u64":
    case "size64":
      return view.getBigUint64(at, true);
  }
}

function writeScalar(
  view: DataView,
  at: number,
  type: ScalarType,
  value: Value,
): void {
  checkScalar(type, value);
  switch (type) {
    case "u8":
      return view.setUint8(at, value as number);
    case "u16":
      return view.setUint16(at, value as number, true);
    case "u32":
      return view.setUint32(at, value as number, true);
    case "s32":
      return view.setInt32(at, value as number, true);
    case "s64":
      return view.setBigInt64(at, value as bigint, true);
    case "u64":
    case "size64":
      return view.setBigUint64(at, value as bigint, true);
  }
}

/** The least and the largest value of each type. */
const RANGES: Readonly<Record<ScalarType, readonly [Value, Value]>> = {
  u8: [0, 0xff],
  u16: [0, 0xffff],
  u32: [0, 0xffff_ffff],
  s32: [-(2 ** 31), 2 ** 31 - 1],
  s64: [-(1n << 63n), (1n << 63n) - 1n],
  u64: [0n, (1n << 64n) - 1n],
  size64: [0n, (1n << 64n) - 1n],
};

/** A DataView would take NaN for 0, and 2^32 + 1 for 1. */
function checkScalar(type: ScalarType, value: Value): void {
  const [least, most] = RANGES[type];
  const isWhole = typeof value === typeof least &&
    (typeof value === "bigint" || Number.isInteger(value));
  if (isWhole && value >= least && value <= most) return;
  const unit = typeof least === "bigint" ? "n" : "";
  throw new RangeError(
    `expected a whole number from ${least}${unit} to ${most}${unit}, received ${
      typeof value === "bigint" ? `${value}n` : value
    }`,
  );
}

function readUnit(
  view: DataView,
  at: number,
  type: FieldLayout["type"],
  end: number,
): Value {
  if (!isScalar(type)) return readFields(view, at, type, end);
  // A field that an older peer did not send reads as zero.
  return at + scalarSize(type) <= end
    ? readScalar(view, at, type)
    : readScalar(NOTHING, 0, type);
}

function writeUnit(
  view: DataView,
  at: number,
  type: FieldLayout["type"],
  value: Value | undefined,
): void {
  if (!isScalar(type)) {
    writeFields(view, at, type, (value ?? {}) as Record<string, Value>);
  } else {
    const zero = type === "u64" || type === "s64" || type === "size64" ? 0n : 0;
    writeScalar(view, at, type, value ?? zero);
  }
}

function readFields(
  view: DataView,
  base: number,
  name: StructName,
  end: number,
): Record<string, Value> {
  const value: Record<string, Value> = {};
  for (
    const { name: key, offset, size, type, count } of layoutOf(name).fields
  ) {
    const at = base + offset;
    value[key] = count === null ? readUnit(view, at, type, end) : Array.from(
      { length: count },
      (_, i) => readUnit(view, at + i * (size / count), type, end),
    );
  }
  return value;
}

const NOTHING = new DataView(new ArrayBuffer(8));

function writeFields(
  view: DataView,
  base: number,
  name: StructName,
  value: Record<string, Value>,
): void {
  for (
    const { name: key, offset, size, type, count } of layoutOf(name).fields
  ) {
    const at = base + offset;
    const given = isSignedTime(name, key) ? unsigned(value[key]) : value[key];
    try {
      if (count === null) {
        writeUnit(view, at, type, given);
        continue;
      }
      const items = (given ?? []) as Value[];
      for (let i = 0; i < count; i++) {
        writeUnit(view, at + i * (size / count), type, items[i]);
      }
    } catch (error) {
      throw isScalar(type) ? naming(`${name}.${key}`, error) : error;
    }
  }
}

/** Whether the kernel reads a u64 as signed seconds: times before 1970. */
function isSignedTime(name: StructName, field: string): boolean {
  return (name === "fuse_attr" || name === "fuse_setattr_in") &&
    (field === "atime" || field === "mtime" || field === "ctime");
}

function unsigned(value: Value | undefined): Value | undefined {
  return typeof value === "bigint" && value < 0n && value >= -(1n << 63n)
    ? BigInt.asUintN(64, value)
    : value;
}

function naming(field: string, error: unknown): unknown {
  return error instanceof RangeError
    ? new RangeError(`Cannot encode ${field}: ${error.message}`)
    : error;
}

/** A DataView of the bytes that a typed array or view covers. */
export function viewOf(bytes: ArrayBufferView): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Decodes a whole struct.
 *
 * @category Structs
 * @example Read the header of a request
 * ```ts
 * import { decodeStruct, encodeRequest } from "@mqfuse/mqfuse/protocol";
 * import { assertEquals } from "@std/assert";
 *
 * const message = encodeRequest("STATFS", { header: { unique: 4n } });
 * const header = decodeStruct("fuse_in_header", message);
 * assertEquals(header.len, 40);
 * assertEquals(header.unique, 4n);
 * ```
 *
 * @param name The struct's name in the table.
 * @param bytes The bytes that hold it.
 * @param base The byte at which it starts, 0 by default.
 * @param minor The negotiated minor version, the newest by default. Older
 * peers send shorter structs; the missing fields read as zero.
 * @throws {RangeError} If the struct extends beyond the end of `bytes`.
 */
export function decodeStruct<S extends StructName>(
  name: S,
  bytes: ArrayBufferView,
  base: number = 0,
  minor: number = FUSE_KERNEL_MINOR_VERSION,
): Decoded<S> {
  const size = sizeAt(name, minor);
  if (base + size > bytes.byteLength) {
    throw new RangeError(
      `Cannot decode ${name}: expected ${size} bytes, received ${
        Math.max(0, bytes.byteLength - base)
      }`,
    );
  }
  return readFields(viewOf(bytes), base, name, base + size) as Decoded<S>;
}

/**
 * Encodes a whole struct, padding included.
 *
 * @category Structs
 * @param name The struct's name in the table.
 * @param value The fields; those left out are zero.
 * @param minor The negotiated minor version, the newest by default. Older
 * peers get a shorter struct.
 * @throws {RangeError} If a field does not fit into its type.
 */
export function encodeStruct<S extends StructName>(
  name: S,
  value: Encodable<S> = {},
  minor: number = FUSE_KERNEL_MINOR_VERSION,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(layoutOf(name).size);
  writeFields(viewOf(bytes), 0, name, value as Record<string, Value>);
  return bytes.slice(0, sizeAt(name, minor));
}

/**
 * Encodes a whole struct into a view, padding included.
 *
 * @category Structs
 * @param name The struct's name in the table.
 * @param view The view to write to.
 * @param base The byte of the view at which the struct starts.
 * @param value The fields; those left out are zero.
 * @throws {RangeError} If the struct extends beyond the end of the view, or a
 * field does not fit into its type.
 */
export function writeStruct<S extends StructName>(
  name: S,
  view: DataView,
  base: number,
  value: Encodable<S>,
): void {
  writeFields(view, base, name, value as Record<string, Value>);
}
