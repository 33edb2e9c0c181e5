import { assertEquals, assertThrows } from "@std/assert";
import { ITEMS } from "../../bench/exports/items.ts";
import { pick } from "../../bench/exports/pick.ts";
import { cellOf, CELLS, labelOf } from "../../bench/fio/cells.ts";

function picked(filter: string | undefined): string[] {
  return pick(ITEMS, filter, "what is measured").map(({ name }) => name);
}

Deno.test("there are 16 cells of 4 KiB on null, tmpfs and NBD, and 12 sequential ones", () => {
  const counts = new Map<string, number>();
  for (const { section } of CELLS) {
    counts.set(section, (counts.get(section) ?? 0) + 1);
  }
  assertEquals([...counts], [
    ["null", 16],
    ["tmpfs", 16],
    ["disk", 2],
    ["sequential", 12],
    ["nbd", 16],
    ["qcow2", 16],
    ["qcow2-tables", 4],
    ["qcow2-deflate", 8],
    ["qcow2-zstd", 8],
    ["qcow2-allocate", 4],
    ["qcow2-backing", 4],
  ]);
  assertEquals(CELLS.map(({ name }) => cellOf(name)), [...CELLS]);
  for (const { driver, section } of CELLS) {
    const isQcow2 = section.startsWith("qcow2");
    const isOwn = section === "null" || section === "nbd";
    assertEquals(driver, isQcow2 ? "qcow2" : isOwn ? section : "file");
  }
});

Deno.test("names of items are unique", () => {
  assertEquals(new Set(ITEMS.map(({ name }) => name)).size, ITEMS.length);
});

Deno.test("labelOf() names a cell within its section", () => {
  assertEquals(
    labelOf(cellOf("null:randread:sync:4")),
    "randread sync, 4 jobs",
  );
  assertEquals(labelOf(cellOf("null:randread:sync:1")), "randread sync, 1 job");
  const large = cellOf("sequential:write:aio:1024k");
  assertEquals(labelOf(large), "write aio, 1024 KiB");
  assertEquals(large.blockSize, 1 << 20);
});

Deno.test("pick() matches names, their beginnings and asterisks", () => {
  assertEquals(picked(undefined).length, ITEMS.length);
  assertEquals(picked("null:randread:aio:1"), ["null:randread:aio:1"]);
  assertEquals(picked("sequential").length, 12);
  assertEquals(picked("tmpfs:read").length, 4);
  assertEquals(picked("tmpfs:read,tmpfs:read:aio:1").length, 4);
  assertEquals(picked("idle"), ["idle:n", "idle:y"]);
  assertEquals(picked("programs:cp"), ["programs:cp-from", "programs:cp-to"]);
  assertEquals(picked("null:*read:sync:1"), [
    "null:read:sync:1",
    "null:randread:sync:1",
  ]);
});

Deno.test("pick() lists the names if a pattern matches nothing", () => {
  // Parts of words do not match, nor do special characters of expressions.
  for (const filter of ["nul", "null:rea", "null.read", "null,no:such"]) {
    assertThrows(() => picked(filter), RangeError, "none of null:read:aio:1,");
  }
});
