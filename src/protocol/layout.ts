/**
 * Offsets and sizes, derived from the table of structs by C's rule of natural
 * alignment.
 *
 * @module
 */
import { COMPAT_SIZES, STRUCTS } from "./structs.ts";
import type { StructName } from "./types.ts";

/**
 * The wire type of a single value.
 *
 * @category Structs
 */
export type ScalarType =
  | "u8"
  | "u16"
  | "u32"
  | "s32"
  | "u64"
  | "s64"
  | "size64";

/**
 * The place and type of one field.
 *
 * @category Structs
 */
export interface FieldLayout {
  /** The kernel's name. */
  readonly name: string;
  /** Bytes from the start of the struct. */
  readonly offset: number;
  /** Size of the whole field in bytes. */
  readonly size: number;
  /** The type of the field, or of each of its elements. */
  readonly type: ScalarType | StructName;
  /** Elements of an array, `null` for a single value. */
  readonly count: number | null;
  /** The minor version that introduced the field; 0 for those of 7.1. */
  readonly since: number;
}

/**
 * The layout of a struct in version 7.45.
 *
 * @category Structs
 */
export interface StructLayout {
  /** The kernel's name. */
  readonly name: StructName;
  /** Size of the whole struct in bytes. */
  readonly size: number;
  /** Alignment in bytes. */
  readonly align: number;
  /** The fields in wire order. */
  readonly fields: readonly FieldLayout[];
}

const SCALAR_SIZES: Record<ScalarType, number> = {
  u8: 1,
  u16: 2,
  u32: 4,
  s32: 4,
  u64: 8,
  s64: 8,
  size64: 8,
};

const CELL = /^(\w+)(?:\[(\d+)\])?(?: since 7\.(\d+))?$/;

type Steps = readonly (readonly [before: number, size: number])[];

const layouts = new Map<StructName, StructLayout>();

/** Whether a type of the table is a single value rather than a struct. */
export function isScalar(type: string): type is ScalarType {
  return Object.hasOwn(SCALAR_SIZES, type);
}

/** Size of a single value in bytes. */
export function scalarSize(type: ScalarType): number {
  return SCALAR_SIZES[type];
}

/**
 * The layout of a struct in version 7.45.
 *
 * @category Structs
 * @param name The struct's name in the table.
 */
export function layoutOf(name: StructName): StructLayout {
  let layout = layouts.get(name);
  if (layout === undefined) {
    layout = computeLayout(name);
    layouts.set(name, layout);
  }
  return layout;
}

function computeLayout(name: StructName): StructLayout {
  const fields: FieldLayout[] = [];
  let offset = 0;
  let align = 1;
  for (const [field, cell] of Object.entries<string>(STRUCTS[name])) {
    const match = CELL.exec(cell);
    if (match === null) {
      throw new TypeError(`Bad cell ${name}.${field}: ${cell}`);
    }
    const type = match[1] as ScalarType | StructName;
    const unit = isScalar(type)
      ? { size: SCALAR_SIZES[type], align: SCALAR_SIZES[type] }
      : layoutOf(type);
    const count = match[2] === undefined ? null : Number(match[2]);
    if (offset % unit.align !== 0) {
      throw new TypeError(`Hidden padding before ${name}.${field}`);
    }
    const size = unit.size * (count ?? 1);
    const since = Number(match[3] ?? 0);
    fields.push({ name: field, offset, size, type, count, since });
    offset += size;
    align = Math.max(align, unit.align);
  }
  if (offset % align !== 0) throw new TypeError(`Hidden padding after ${name}`);
  return { name, size: offset, align, fields };
}

/**
 * The size of a struct in version 7.45, in bytes.
 *
 * @category Structs
 * @param name The struct's name in the table.
 */
export function sizeOf(name: StructName): number {
  return layoutOf(name).size;
}

/**
 * The size of a struct as a peer of an older minor version sends it, in bytes.
 *
 * @category Structs
 * @param name The struct's name in the table.
 * @param minor The negotiated minor version.
 */
export function sizeAt(name: StructName, minor: number): number {
  const compat: Partial<Record<StructName, Steps>> = COMPAT_SIZES;
  const steps = compat[name];
  return steps?.find(([before]) => minor < before)?.[1] ?? sizeOf(name);
}

// Find mistakes in the table when it is loaded, not when a struct is used.
for (const name of Object.keys(STRUCTS) as StructName[]) layoutOf(name);
if (new Uint8Array(new Uint32Array([1]).buffer)[0] !== 1) {
  throw new TypeError(
    "Cannot use the FUSE protocol on a big-endian machine: the table is little-endian",
  );
}
