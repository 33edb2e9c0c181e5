import { assertEquals, assertThrows } from "@std/assert";
import {
  direntType,
  DirentWriter,
  encodeDirents,
  encodeDirentsPlus,
  parseDirents,
  parseDirentsPlus,
} from "../../src/protocol/mod.ts";
import { direntSize } from "../../src/protocol/dirent.ts";
import {} from "../../src/protocol/encode_dirents.ts";
import { unhex } from "./_hex.ts";

Deno.test("DirentWriter lays out entries and zeroes their padding", () => {
  const bytes = new Uint8Array(128).fill(0xa5);
  const writer = new DirentWriter(bytes, 64);
  assertEquals(writer.add("a", 7n, 1n, 8), true);
  assertEquals(writer.add("12345678", 2n ** 63n + 1n, 2n, 4), true);
  assertEquals(
    bytes.subarray(0, writer.length),
    unhex(`
      07 00 00 00 00 00 00 00  # ino 7
      01 00 00 00 00 00 00 00  # off 1
      01 00 00 00 08 00 00 00  # namelen 1, type DT_REG
      61 00 00 00 00 00 00 00  # "a", padding
      01 00 00 00 00 00 00 80  # ino
      02 00 00 00 00 00 00 00  # off 2
      08 00 00 00 04 00 00 00  # namelen 8, type DT_DIR
      31 32 33 34 35 36 37 38  # the name, no padding
    `),
  );
});

Deno.test("DirentWriter says when the listing is full", () => {
  const bytes = new Uint8Array(128).fill(0xa5);
  const writer = new DirentWriter(bytes, 71);
  assertEquals(writer.add("a", 7n, 1n, 8), true);
  assertEquals(writer.add("b", 7n, 2n, 8), true);
  assertEquals(writer.add("c", 7n, 3n, 8), false);
  assertEquals(writer.length, 64);
  assertEquals(bytes.subarray(64), new Uint8Array(64).fill(0xa5));
});

Deno.test("DirentWriter rejects names that the kernel rejects", () => {
  const writer = new DirentWriter(new Uint8Array(8192), 8192);
  const long = new Uint8Array(5000).fill(0x61);
  for (const name of ["", "a/b", "a\0b", "x".repeat(4096), long]) {
    assertThrows(() => writer.add(name, 1n, 1n, 8), RangeError);
    assertThrows(() => writer.addPlus(name, {}, 1n, 1n, 8), RangeError);
  }
  assertEquals(writer.length, 0);
  assertEquals(writer.add("x".repeat(4095), 1n, 1n, 8), true);
});

Deno.test("DirentWriter rejects numbers that would end up as others", () => {
  const writer = new DirentWriter(new Uint8Array(8192), 8192);
  const bad: [bigint, bigint, number][] = [
    [-1n, 1n, 8],
    [2n ** 64n, 1n, 8],
    [1n, 0n, 8],
    [1n, -1n, 8],
    [1n, 2n ** 63n, 8],
    [1n, 1n, 0o100644],
    [1n, 1n, NaN],
    [1 as unknown as bigint, 1n, 8],
    [1n, 1 as unknown as bigint, 8],
  ];
  for (const [ino, off, type] of bad) {
    assertThrows(() => writer.add("a", ino, off, type), RangeError, '"a"');
  }
  const entries = [
    { nodeid: 1n, attr: { mode: 0o100644 } },
    { nodeid: 2n, attr: { mode: 0o644 } },
    { nodeid: 2n, attr: { mode: 0o100644, size: 2n ** 63n } },
    { nodeid: 2n, attr: { mode: NaN } },
  ];
  for (const entry of entries) {
    assertThrows(() => writer.addPlus("a", entry, 1n, 1n, 8), RangeError);
  }
  assertEquals(writer.length, 0);
  assertEquals(writer.addPlus(".", { nodeid: 1n }, 1n, 1n, 4), true);
  assertEquals(writer.addPlus("a", {}, 1n, 2n ** 63n - 1n, 8), true);
});

Deno.test("parseDirents() reads what DirentWriter wrote, at any boundary", () => {
  const entries = Array.from({ length: 17 }, (_, i) => ({
    ino: BigInt(i + 1),
    off: BigInt(i + 1),
    type: i % 2 === 0 ? 8 : 4,
    name: "n".repeat(i + 1),
  }));
  const bytes = encodeDirents(entries);
  assertEquals(parseDirents(bytes), entries);
  const ends = entries.map(({ name }) => direntSize(name.length, false));
  for (let size = 0; size <= bytes.length; size++) {
    const whole = [];
    let end = 0;
    for (const [i, length] of ends.entries()) {
      if ((end += length) <= size) whole.push(entries[i]!);
    }
    assertEquals(parseDirents(bytes.subarray(0, size)), whole);
  }
});

Deno.test("parseDirentsPlus() reads entries with attributes", () => {
  const entry = { nodeid: 2n ** 60n, attr: { mode: 0o40755, nlink: 2 } };
  const bytes = encodeDirentsPlus([
    { ino: 1n, off: 1n, type: 4, name: ".", entry: {} },
    { ino: 9n, off: 2n, type: 8, name: Uint8Array.of(0xff), entry },
  ]);
  assertEquals(bytes.length, 2 * 160);
  const [dot, file] = parseDirentsPlus(bytes);
  assertEquals(dot?.name, ".");
  assertEquals(dot?.entry.nodeid, 0n);
  assertEquals(file?.name, Uint8Array.of(0xff));
  assertEquals(file?.entry.nodeid, 2n ** 60n);
  assertEquals(file?.entry.attr.mode, 0o40755);
});

Deno.test("parseDirents() rejects names that the kernel rejects", () => {
  const bytes = encodeDirents([{ ino: 1n, off: 1n, type: 8, name: "abc" }]);
  const bad = (at: number, byte: number) => {
    const copy = bytes.slice();
    copy[at] = byte;
    assertThrows(() => parseDirents(copy), RangeError);
  };
  bad(16, 0);
  bad(17, 0x10);
  bad(24, 0x2f);
});

Deno.test("direntType() takes the type from a mode", () => {
  assertEquals(direntType(0o100644), 8);
  assertEquals(direntType(0o040755), 4);
  assertEquals(direntType(0o120777), 10);
});
