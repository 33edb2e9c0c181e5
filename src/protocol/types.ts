/**
 * TypeScript types derived from the literal table of structs.
 *
 * @module
 */
import type { STRUCTS } from "./structs.ts";

/** The name of a wire struct, as in the kernel's fuse.h. */
export type StructName = keyof typeof STRUCTS;

/** Names of the fields of struct `S`. */
export type FieldName<S extends StructName> = keyof typeof STRUCTS[S] & string;

/** The table's cell for field `F` of `S`, without its version. */
export type FieldType<S extends StructName, F extends FieldName<S>> =
  typeof STRUCTS[S][F] extends `${infer T} since ${string}` ? T
    : typeof STRUCTS[S][F];

/** Wire types that are read as a number. */
export type NumberType = "u8" | "u16" | "u32" | "s32";

/** Wire types that are read as a bigint. */
export type BigIntType = "u64" | "s64" | "size64";

/** The JavaScript value of a wire type. */
export type ValueOf<T> = T extends NumberType ? number
  : T extends BigIntType ? bigint
  : T extends StructName ? Decoded<T>
  : T extends `${infer E}[${number}]` ? ValueOf<E>[]
  : never;

/** Struct `S` as a plain object. */
export type Decoded<S extends StructName> = {
  -readonly [F in FieldName<S>]: ValueOf<FieldType<S, F>>;
};

/** A plain object for struct `S`; fields that are left out are zero. */
export type Encodable<S extends StructName> = {
  readonly [F in FieldName<S>]?: FieldType<S, F> extends StructName
    ? Encodable<FieldType<S, F>>
    : ValueOf<FieldType<S, F>>;
};

/** Fields of `S` whose type is one of `T`. */
export type FieldsOf<S extends StructName, T> = {
  [F in FieldName<S>]: FieldType<S, F> extends T ? F : never;
}[FieldName<S>];

/** A plain object for one of structs `S`; empty where there is none. */
export type EncodableOf<S extends StructName> = [S] extends [never]
  ? Readonly<Record<string, never>>
  : S extends StructName ? Encodable<S>
  : never;

/** One of structs `S` as a plain object; empty where there is none. */
export type DecodedOf<S extends StructName> = [S] extends [never]
  ? Readonly<Record<string, never>>
  : S extends StructName ? Decoded<S>
  : never;
