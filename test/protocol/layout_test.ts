import { COMPAT_SIZES } from "../../src/protocol/structs.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  FUSE_DEV_IOC,
  layoutOf,
  sizeAt,
  sizeOf,
  type StructName,
  STRUCTS,
} from "../../src/protocol/mod.ts";
import { WIRE_STRUCTS } from "./fixtures/wire_structs.ts";

interface WireField {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

interface WireStruct {
  readonly size: number;
  readonly fields: WireField[];
}

/** Parses the fixture; arrays without a size, `name[]`, have no bytes. */
function readWireStructs(): Map<string, WireStruct> {
  const structs = new Map<string, WireStruct>();
  let last: WireStruct | undefined;
  for (const line of WIRE_STRUCTS.split("\n")) {
    const field = /^ +(\w+) +@(\d+) \+(\d+)$/.exec(line);
    const struct = /^(\w+) +(\d+)$/.exec(line);
    if (field !== null) {
      const [, name, offset, size] = field;
      last!.fields.push({
        name: name!,
        offset: Number(offset),
        size: Number(size),
      });
    } else if (struct !== null) {
      last = { size: Number(struct[2]), fields: [] };
      structs.set(struct[1]!, last);
    }
  }
  return structs;
}

Deno.test("layoutOf() agrees with the C compiler on every struct", () => {
  const wire = readWireStructs();
  assertEquals(wire.size, 74);
  for (const [name, { size, fields }] of wire) {
    assert(Object.hasOwn(STRUCTS, name), name);
    const layout = layoutOf(name as StructName);
    assertEquals(layout.size, size, name);
    const ours = layout.fields.map(({ name, offset, size, since }) => ({
      // 7.46 named fields that were padding.
      name: since > 45 ? "padding" : name,
      offset,
      size,
    }));
    assertEquals(ours, fields, name);
  }
});

Deno.test("STRUCTS has the structs of fuse.h, and those of CUSE", () => {
  const wire = readWireStructs();
  const others = Object.keys(STRUCTS).filter((name) => !wire.has(name));
  assertEquals(others, ["cuse_init_in", "cuse_init_out"]);
  assertEquals(sizeOf("cuse_init_in"), 16);
  assertEquals(sizeOf("cuse_init_out"), 72);
});

Deno.test("FUSE_DEV_IOC agrees with the C compiler", () => {
  const found = Object.fromEntries(
    [...WIRE_STRUCTS.matchAll(/^([A-Z_]+) ([0-9a-f]+)$/gm)]
      .map(([, name, hex]) => [name, parseInt(hex!, 16)]),
  );
  assertEquals({ ...FUSE_DEV_IOC } as Record<string, number>, found);
});

Deno.test("sizeAt() returns the sizes of fuse.h's FUSE_COMPAT constants", () => {
  assertEquals(sizeAt("fuse_entry_out", 8), 120);
  assertEquals(sizeAt("fuse_attr_out", 8), 96);
  assertEquals(sizeAt("fuse_mknod_in", 11), 8);
  assertEquals(sizeAt("fuse_write_in", 8), 24);
  assertEquals(sizeAt("fuse_statfs_out", 3), 48);
  assertEquals(sizeAt("fuse_init_out", 4), 8);
  assertEquals(sizeAt("fuse_init_out", 22), 24);
  assertEquals(sizeAt("fuse_init_out", 23), 64);
  assertEquals(sizeAt("fuse_init_in", 5), 8);
  assertEquals(sizeAt("fuse_init_in", 35), 16);
  assertEquals(sizeAt("fuse_init_in", 36), 64);
});

Deno.test("every shorter form ends between two fields of its struct", () => {
  for (const [name, steps] of Object.entries(COMPAT_SIZES)) {
    // fuse_entry_out and fuse_attr_out end inside their fuse_attr, and
    // fuse_statfs_out inside its fuse_kstatfs.
    const ends = endsOf(name as StructName, 0);
    for (const [before, size] of steps) {
      assert(size === 0 || ends.has(size), `${name} before 7.${before}`);
    }
  }
});

function endsOf(name: StructName, base: number): Set<number> {
  const ends = new Set<number>();
  for (const { offset, size, type, count } of layoutOf(name).fields) {
    ends.add(base + offset + size);
    if (count === null && Object.hasOwn(STRUCTS, type)) {
      for (const end of endsOf(type as StructName, base + offset)) {
        ends.add(end);
      }
    }
  }
  return ends;
}

Deno.test("layoutOf() rejects names of unknown structs", () => {
  assertThrows(() => layoutOf("fuse_nothing" as StructName), TypeError);
});
