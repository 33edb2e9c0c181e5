/**
 * Offsets and sizes, derived from the table of structs by the C rule of
 * natural alignment.
 *
 * @module
 */
import { COMPAT_SIZES, STRUCTS } from "./structs.ts";
import type { StructName } from "./types.ts";

/** A wire type of a single value. */
export type ScalarType =
  | "u8"
  | "u16"
  | "u32"
  | "s32"
  | "u64"
  | "s64"
  | "size64";

/** Where one field lies, and what it is. */
export interface FieldLayout {
  /** The kernel's name. */
  readonly name: string;
  /** Bytes from the start of the struct. */
  readonly offset: number;
  /** Bytes that the whole field takes. */
  readonly size: number;
  /** What the field, or each of its elements, is. */
  readonly type: ScalarType | StructName;
  /** Elements of an array, `null` for a single value. */
  readonly count: number | null;
  /** The minor version that gave the field its meaning; 0 for the first ones. */
  readonly since: number;
}

/** Where the fields of a struct lie. */
export interface StructLayout {
  /** The kernel's name. */
  readonly name: StructName;
  /** Bytes of the whole struct, 7.45. */
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

/** Bytes of a single value. */
export function scalarSize(type: ScalarType): number {
  return SCALAR_SIZES[type];
}

/**
 * The layout of a struct.
 *
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

/** Bytes of a struct in version 7.45. */
export function sizeOf(name: StructName): number {
  return layoutOf(name).size;
}

/**
 * Bytes of a struct as a peer of an older minor version sends it.
 *
 * @param name The struct's name in the table.
 * @param minor The minor version that both sides agreed on.
 */
export function sizeAt(name: StructName, minor: number): number {
  const compat: Partial<Record<StructName, Steps>> = COMPAT_SIZES;
  const steps = compat[name];
  return steps?.find(([before]) => minor < before)?.[1] ?? sizeOf(name);
}

// A mistake in the table must not survive being loaded.
for (const name of Object.keys(STRUCTS) as StructName[]) layoutOf(name);
if (new Uint8Array(new Uint32Array([1]).buffer)[0] !== 1) {
  throw new TypeError("Cannot speak FUSE on a big-endian machine");
}
