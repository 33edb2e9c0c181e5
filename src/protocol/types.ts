/**
 * TypeScript types derived from the literal table of structs.
 *
 * @module
 */
import type { STRUCTS } from "./structs.ts";

/**
 * The name of a wire struct, as in the kernel's fuse.h.
 *
 * @category Types of structs
 */
export type StructName = keyof typeof STRUCTS;

/**
 * Names of the fields of struct `S`.
 *
 * @category Types of structs
 */
export type FieldName<S extends StructName> = keyof typeof STRUCTS[S] & string;

/**
 * The wire type of field `F` of struct `S`: the table's cell without its version.
 *
 * @category Types of structs
 */
export type FieldType<S extends StructName, F extends FieldName<S>> =
  typeof STRUCTS[S][F] extends `${infer T} since ${string}` ? T
    : typeof STRUCTS[S][F];

/**
 * Wire types that are read as a number.
 *
 * @category Types of structs
 */
export type NumberType = "u8" | "u16" | "u32" | "s32";

/**
 * Wire types that are read as a bigint.
 *
 * @category Types of structs
 */
export type BigIntType = "u64" | "s64" | "size64";

/**
 * The JavaScript value of a wire type.
 *
 * @category Types of structs
 */
export type ValueOf<T> = T extends NumberType ? number
  : T extends BigIntType ? bigint
  : T extends StructName ? Decoded<T>
  : T extends `${infer E}[${number}]` ? ValueOf<E>[]
  : never;

/**
 * Struct `S` as a plain object, as decoders return it.
 *
 * @category Types of structs
 */
export type Decoded<S extends StructName> = {
  -readonly [F in FieldName<S>]: ValueOf<FieldType<S, F>>;
};

/**
 * Struct `S` as a plain object, as encoders take it; fields that are left out
 * are zero.
 *
 * @category Types of structs
 */
export type Encodable<S extends StructName> = {
  readonly [F in FieldName<S>]?: FieldType<S, F> extends StructName
    ? Encodable<FieldType<S, F>>
    : ValueOf<FieldType<S, F>>;
};

/**
 * Fields of `S` whose type is one of `T`.
 *
 * @category Types of structs
 */
export type FieldsOf<S extends StructName, T> = {
  [F in FieldName<S>]: FieldType<S, F> extends T ? F : never;
}[FieldName<S>];

/**
 * One of structs `S` as encoders take it; an empty object where there is none.
 *
 * @category Types of structs
 */
export type EncodableOf<S extends StructName> = [S] extends [never]
  ? Readonly<Record<string, never>>
  : S extends StructName ? Encodable<S>
  : never;

/**
 * One of structs `S` as decoders return it; an empty object where there is none.
 *
 * @category Types of structs
 */
export type DecodedOf<S extends StructName> = [S] extends [never]
  ? Readonly<Record<string, never>>
  : S extends StructName ? Decoded<S>
  : never;
