/**
 * Accessors: readers and writers of single fields, derived from the table of
 * structs when this module is loaded. They allocate nothing but the bigints
 * that they return, and V8 inlines them, so the hot path uses them. `codec.ts`
 * reads and writes whole structs.
 *
 * @module
 */
import { type FieldLayout, isScalar, layoutOf } from "./layout.ts";
import type { ScalarType } from "./layout.ts";
import type {
  BigIntType,
  FieldName,
  FieldsOf,
  FieldType,
  NumberType,
  StructName,
  ValueOf,
} from "./types.ts";

/**
 * Reads one field of the struct that starts at byte `base` of a view, 0 by
 * default.
 *
 * @category Structs
 */
export type Getter<V> = (view: DataView, base?: number) => V;

/**
 * Writes one field of the struct that starts at byte `base` of a view.
 *
 * @category Structs
 */
export type Setter<V> = (view: DataView, base: number, value: V) => void;

/**
 * The fields of struct `S` that hold one number or bigint.
 *
 * @category Structs
 */
export type ScalarFieldsOf<S extends StructName> = FieldsOf<
  S,
  NumberType | BigIntType
>;

/**
 * Readers and writers of the fields of struct `S`, in place.
 *
 * @category Structs
 */
export interface Accessors<S extends StructName> {
  /** The struct's name. */
  readonly name: S;
  /** Its newest size in bytes. */
  readonly size: number;
  /** Offset of each field, arrays and nested structs included, in bytes. */
  readonly at: { readonly [F in FieldName<S>]: number };
  /** Reads a field. */
  readonly get: {
    readonly [F in ScalarFieldsOf<S>]: Getter<ValueOf<FieldType<S, F>>>;
  };
  /** Writes a field. */
  readonly set: {
    readonly [F in ScalarFieldsOf<S>]: Setter<ValueOf<FieldType<S, F>>>;
  };
  /**
   * Reads a `size64` as a number. It is exact up to 2^53 - 1; a larger value is
   * rounded but stays above 2^53 - 1, so comparing it with an upper bound gives
   * the right result.
   */
  readonly number: {
    readonly [F in FieldsOf<S, "size64">]: Getter<number>;
  };
  /**
   * Writes a `size64` from a whole number from 0 to 2^53 - 1; throws a RangeError
   * for any other value.
   */
  readonly setNumber: {
    readonly [F in FieldsOf<S, "size64">]: Setter<number>;
  };
}

const TWO_32 = 0x1_0000_0000;

function getter(type: ScalarType, at: number): Getter<number | bigint> {
  switch (type) {
    case "u8":
      return (view, base = 0) => view.getUint8(base + at);
    case "u16":
      return (view, base = 0) => view.getUint16(base + at, true);
    case "u32":
      return (view, base = 0) => view.getUint32(base + at, true);
    case "s32":
      return (view, base = 0) => view.getInt32(base + at, true);
    case "s64":
      return (view, base = 0) => view.getBigInt64(base + at, true);
    case "u64":
    case "size64":
      return (view, base = 0) => view.getBigUint64(base + at, true);
  }
}

// deno-lint-ignore no-explicit-any -- the table ties each type to its setter
function setter(type: ScalarType, at: number): Setter<any> {
  switch (type) {
    case "u8":
      return (view, base, value) => view.setUint8(base + at, value);
    case "u16":
      return (view, base, value) => view.setUint16(base + at, value, true);
    case "u32":
      return (view, base, value) => view.setUint32(base + at, value, true);
    case "s32":
      return (view, base, value) => view.setInt32(base + at, value, true);
    case "s64":
      return (view, base, value) => view.setBigInt64(base + at, value, true);
    case "u64":
    case "size64":
      return (view, base, value) => view.setBigUint64(base + at, value, true);
  }
}

function numberGetter(at: number): Getter<number> {
  return (view, base = 0) =>
    view.getUint32(base + at + 4, true) * TWO_32 +
    view.getUint32(base + at, true);
}

function numberSetter(at: number): Setter<number> {
  return (view, base, value) => {
    if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER && value % 1 === 0)) {
      throw new RangeError(
        `Expected a whole number from 0 to 2^53 - 1, received ${value}`,
      );
    }
    view.setUint32(base + at, value % TWO_32, true);
    view.setUint32(base + at + 4, value / TWO_32, true);
  };
}

function table<V>(
  fields: readonly FieldLayout[],
  make: (field: FieldLayout) => V,
): Record<string, V> {
  return Object.freeze(
    Object.fromEntries(fields.map((field) => [field.name, make(field)])),
  );
}

/**
 * Derives the accessors of a struct. Call it once and keep the result.
 *
 * @category Structs
 * @example Read a field in place
 * ```ts
 * import { accessors } from "@mqfuse/mqfuse/protocol";
 * import { assertEquals } from "@std/assert";
 *
 * const READ_IN = accessors("fuse_read_in");
 * const view = new DataView(new ArrayBuffer(READ_IN.size));
 * READ_IN.setNumber.offset(view, 0, 4096);
 * assertEquals(READ_IN.number.offset(view), 4096);
 * assertEquals(READ_IN.get.offset(view), 4096n);
 * ```
 *
 * @param name The struct's name in the table.
 */
export function accessors<S extends StructName>(name: S): Accessors<S> {
  const { size, fields } = layoutOf(name);
  const scalars = fields.filter((f) => f.count === null && isScalar(f.type));
  const counts = scalars.filter((f) => f.type === "size64");
  return Object.freeze({
    name,
    size,
    at: table(fields, (f) => f.offset),
    get: table(scalars, (f) => getter(f.type as ScalarType, f.offset)),
    set: table(scalars, (f) => setter(f.type as ScalarType, f.offset)),
    number: table(counts, (f) => numberGetter(f.offset)),
    setNumber: table(counts, (f) => numberSetter(f.offset)),
  }) as unknown as Accessors<S>;
}
