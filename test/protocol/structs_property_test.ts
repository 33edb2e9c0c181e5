import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  accessors,
  decodeStruct,
  type Encodable,
  encodeStruct,
  layoutOf,
  sizeAt,
  type StructName,
  writeStruct,
} from "../../src/protocol/mod.ts";
import { viewOf } from "../../src/protocol/codec.ts";
import { isScalar } from "../../src/protocol/layout.ts";
import { anyStruct, STRUCT_NAMES } from "./_arbitraries.ts";

const RUNS = { numRuns: 60, seed: 7 };

/** Checks a property of a struct with any value. */
function forEachStruct(
  check: (name: StructName, value: Record<string, unknown>) => void,
): void {
  for (const name of STRUCT_NAMES) {
    fc.assert(
      fc.property(anyStruct(name), (value) => check(name, value)),
      RUNS,
    );
  }
}

Deno.test("decodeStruct() returns what encodeStruct() was given", () => {
  forEachStruct((name, value) => {
    const bytes = encodeStruct(name, value as Encodable<StructName>);
    assertEquals(bytes.length, layoutOf(name).size);
    assertEquals(decodeStruct(name, bytes), value as never, name);
  });
});

Deno.test("writeStruct() fills every byte of a struct and no other", () => {
  forEachStruct((name, value) => {
    const { size } = layoutOf(name);
    const bytes = new Uint8Array(size + 16).fill(0xa5);
    writeStruct(name, viewOf(bytes), 8, value as Encodable<StructName>);
    const whole = encodeStruct(name, value as Encodable<StructName>);
    assertEquals(bytes.subarray(8, 8 + size), whole, name);
    assertEquals(bytes.subarray(0, 8), new Uint8Array(8).fill(0xa5));
    assertEquals(bytes.subarray(8 + size), new Uint8Array(8).fill(0xa5));
    writeStruct(name, viewOf(bytes), 8, {});
    assertEquals(bytes.subarray(8, 8 + size), new Uint8Array(size), name);
  });
});

Deno.test("accessors and the generic codec agree", () => {
  forEachStruct((name, value) => {
    const access = accessors(name);
    const view = viewOf(encodeStruct(name, value as Encodable<StructName>));
    const copy = new DataView(new ArrayBuffer(view.byteLength + 8));
    for (const { name: field, offset, type, count } of layoutOf(name).fields) {
      assertEquals((access.at as Record<string, number>)[field], offset);
      if (count !== null || !isScalar(type)) continue;
      const { get, set } = access as unknown as {
        get: Record<string, (view: DataView, base?: number) => unknown>;
        set: Record<string, (v: DataView, at: number, value: unknown) => void>;
      };
      const read = get[field]!(view);
      assertEquals(read, value[field], `${name}.${field}`);
      set[field]!(copy, 8, read);
      assertEquals(get[field]!(copy, 8), read, `${name}.${field}`);
    }
  });
});

Deno.test("size64 fields read as numbers, rounded beyond 2^53", () => {
  const READ_IN = accessors("fuse_read_in");
  const size = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  fc.assert(
    fc.property(size, (offset) => {
      const view = viewOf(encodeStruct("fuse_read_in", { offset }));
      const number = READ_IN.number.offset(view);
      if (offset <= BigInt(Number.MAX_SAFE_INTEGER)) {
        assertEquals(BigInt(number), offset);
        const copy = new DataView(new ArrayBuffer(40));
        READ_IN.setNumber.offset(copy, 0, number);
        assertEquals(READ_IN.get.offset(copy), offset);
      } else {
        assert(number > Number.MAX_SAFE_INTEGER);
      }
    }),
    { numRuns: 2000, seed: 7 },
  );
});

Deno.test("decoding a struct that is cut off at any length throws a RangeError", () => {
  for (const name of STRUCT_NAMES) {
    const { size } = layoutOf(name);
    for (let length = 0; length < size; length++) {
      const bytes = new Uint8Array(length);
      assertThrows(() => decodeStruct(name, bytes), RangeError);
    }
  }
});

Deno.test("older forms are the newest form cut off, and missing fields are zero", () => {
  for (const name of STRUCT_NAMES) {
    for (const minor of [0, 3, 4, 5, 8, 11, 22, 35]) {
      fc.assert(
        fc.property(anyStruct(name), (value) => {
          const fields = value as Encodable<StructName>;
          const whole = encodeStruct(name, fields);
          const size = sizeAt(name, minor);
          const short = encodeStruct(name, fields, minor);
          assertEquals(short, whole.slice(0, size));
          const filled = new Uint8Array(whole.length);
          filled.set(short);
          assertEquals(
            decodeStruct(name, short, 0, minor),
            decodeStruct(name, filled),
          );
        }),
        { numRuns: 3, seed: 7 },
      );
    }
  }
});

Deno.test("decodeStruct() decodes any bytes", () => {
  const bytes = fc.uint8Array({ minLength: 400, maxLength: 400 });
  fc.assert(
    fc.property(bytes, (any) => {
      for (const name of STRUCT_NAMES) {
        const again = encodeStruct(name, decodeStruct(name, any) as never);
        assertEquals(again, any.slice(0, again.length), name);
      }
    }),
    { numRuns: 20, seed: 7 },
  );
});
