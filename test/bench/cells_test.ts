import { assertEquals, assertThrows } from "@std/assert";
import { CELLS, labelOf, pick, sectionOf } from "../../bench/fio/cells.ts";

function picked(filter: string | undefined): string[] {
  return pick(CELLS, filter, "cells").map(({ name }) => name);
}

Deno.test("there are 16 cells of 4 KiB per driver, and 4 of 1 MiB", () => {
  const counts = new Map<string, number>();
  for (const cell of CELLS) {
    counts.set(sectionOf(cell), (counts.get(sectionOf(cell)) ?? 0) + 1);
  }
  assertEquals([...counts], [["null", 16], ["file", 16], ["bandwidth", 4]]);
  assertEquals(new Set(CELLS.map(({ name }) => name)).size, CELLS.length);
  for (const { driver, pattern, engine, jobs, name, blockSize } of CELLS) {
    const first = blockSize === 4096 ? driver : "bandwidth";
    assertEquals(name, `${first}:${pattern}:${engine}:${jobs}`);
  }
});

Deno.test("labelOf() names a cell within its section", () => {
  const [cell] = pick(CELLS, "null:randread:sync:4", "cells");
  assertEquals(labelOf(cell!), "randread sync, 4 jobs");
  assertEquals(labelOf({ ...cell!, jobs: 1 }), "randread sync, 1 job");
});

Deno.test("pick() matches names, their beginnings and asterisks", () => {
  assertEquals(picked(undefined).length, 36);
  assertEquals(picked("null:randread:aio:1"), ["null:randread:aio:1"]);
  assertEquals(picked("bandwidth").length, 4);
  assertEquals(picked("file:read").length, 4);
  assertEquals(picked("file:read,file:read:aio:1").length, 4);
  assertEquals(picked("*:aio:4").length, 8);
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
