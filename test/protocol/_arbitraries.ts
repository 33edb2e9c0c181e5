/**
 * Generators of messages and their parts, for property tests.
 *
 * @module
 */
import fc from "fast-check";
import {
  type DirEntry,
  type Extension,
  layoutOf,
  type Name,
  type OpcodeName,
  type OpcodeRow,
  OPCODES,
  type RequestParts,
  type ScalarType,
  type StructName,
  STRUCTS,
} from "../../src/protocol/mod.ts";
import { isScalar } from "../../src/protocol/layout.ts";

/** Every struct of the table. */
export const STRUCT_NAMES = Object.keys(STRUCTS) as StructName[];

/** Every request of the table. */
export const OPCODE_NAMES = Object.keys(OPCODES) as OpcodeName[];

/** Values of a scalar, with more extreme values than chance would give. */
function scalar(type: ScalarType): fc.Arbitrary<number | bigint> {
  switch (type) {
    case "u8":
      return fc.integer({ min: 0, max: 0xff });
    case "u16":
      return fc.integer({ min: 0, max: 0xffff });
    case "u32":
      return fc.integer({ min: 0, max: 0xffff_ffff });
    case "s32":
      return fc.integer();
    case "s64":
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    case "u64":
    case "size64":
      return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  }
}

/** Any value of a struct, with every field. */
export function anyStruct(
  name: StructName,
): fc.Arbitrary<Record<string, unknown>> {
  const fields: Record<string, fc.Arbitrary<unknown>> = {};
  for (const { name: field, type, count } of layoutOf(name).fields) {
    const unit: fc.Arbitrary<unknown> = isScalar(type)
      ? scalar(type)
      : anyStruct(type);
    fields[field] = count === null
      ? unit
      : fc.array(unit, { minLength: count, maxLength: count });
  }
  return fc.record(fields, { noNullPrototype: true });
}

/** Bytes of a name: neither NUL nor slash. */
const nameBytes = fc.uint8Array({ min: 1, max: 255, minLength: 1 })
  .map((bytes) => bytes.map((byte) => byte === 0x2f ? 0x30 : byte));

/** A name: text if it is UTF-8, else bytes. */
export const anyName: fc.Arbitrary<Name> = fc.oneof(
  fc.string({ minLength: 1, maxLength: 40, unit: "binary" })
    .map((text) => text.replaceAll(/[\0/]/gu, "x"))
    .filter((text) => text.isWellFormed() && text !== ""),
  nameBytes.filter((bytes) => !isUtf8(bytes)),
);

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Any extensions. */
export const anyExtensions: fc.Arbitrary<Extension[]> = fc.array(
  fc.oneof(
    fc.record({
      contexts: fc.array(
        fc.record({ name: anyName, value: fc.uint8Array() }, {
          noNullPrototype: true,
        }),
        { maxLength: 3 },
      ),
    }, { noNullPrototype: true }),
    fc.record({
      groups: fc.array(fc.integer({ min: 0, max: 0xffff_ffff })),
    }, { noNullPrototype: true }),
    fc.record({
      type: fc.integer({ min: 33, max: 0xffff_ffff }),
      data: fc.uint8Array(),
    }, { noNullPrototype: true }),
  ),
  { maxLength: 3 },
);

const COUNT = /^(?:size|in_size|count)$/;

/** Any request of one kind; the encoder computes its counts. */
export function anyRequest<N extends OpcodeName>(
  name: N,
): fc.Arbitrary<RequestParts<N>> {
  const row: OpcodeRow = OPCODES[name];
  const counted = ["data", "items", "name value"].includes(row.tail ?? "");
  const body = row.in === undefined
    ? fc.constant({})
    : anyStruct(row.in).map((fields) =>
      Object.fromEntries(
        Object.entries(fields).filter(([key]) => !counted || !COUNT.test(key)),
      )
    );
  const names = row.tail === "name name"
    ? 2
    : row.tail?.startsWith("name")
    ? 1
    : 0;
  return fc.record({
    header: anyStruct("fuse_in_header").map((header) => ({
      ...header,
      total_extlen: 0,
    })),
    body: name === "INIT" ? body.map(initForm) : body,
    names: fc.array(anyName, { minLength: names, maxLength: names }),
    data: row.tail === "data" || row.tail === "name value"
      ? fc.uint8Array({ maxLength: 200 })
      : fc.constant(new Uint8Array()),
    items: row.items === undefined
      ? fc.constant([])
      : fc.array(anyStruct(row.items), { maxLength: 5 }),
    extensions: row.extensions ? anyExtensions : fc.constant([]),
  }) as unknown as fc.Arbitrary<RequestParts<N>>;
}

/** An INIT of any kernel: older ones lack the newer fields. */
function initForm(body: Record<string, unknown>): Record<string, unknown> {
  const minor = Number(body.minor) % 50;
  const long = minor >= 36 && (Number(body.flags) & 1 << 30) !== 0;
  return {
    ...body,
    major: 7,
    minor,
    ...(long ? {} : { flags2: 0, unused: new Array(11).fill(0) }),
    ...(minor < 6 ? { flags: 0, max_readahead: 0 } : {}),
  };
}

/** Any entry of a directory. */
export const anyEntry: fc.Arbitrary<DirEntry> = fc.record({
  ino: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  off: fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }),
  type: fc.integer({ min: 0, max: 15 }),
  name: anyName,
}, { noNullPrototype: true });
