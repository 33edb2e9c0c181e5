import { assertEquals } from "@std/assert";
import { editDistance, nearest } from "../../src/cli/arguments/nearest.ts";

Deno.test("editDistance() counts letters left out, inserted, changed and swapped", () => {
  const cases: [string, string, number][] = [
    ["", "", 0],
    ["size", "size", 0],
    ["", "size", 4],
    ["siz", "size", 1],
    ["sizze", "size", 1],
    ["sise", "size", 1],
    ["szie", "size", 1],
    ["queus", "queues", 1],
    ["export", "demo", 5],
  ];
  for (const [from, to, expected] of cases) {
    assertEquals(editDistance(from, to), expected, `${from} -> ${to}`);
    assertEquals(editDistance(to, from), expected, `${to} -> ${from}`);
  }
});

Deno.test("nearest() finds the name that was meant, if any", () => {
  const names = ["export", "info", "demo"];
  assertEquals(nearest("exprot", names), "export");
  assertEquals(nearest("inof", names), "info");
  assertEquals(nearest("e", names), "export");
  assertEquals(nearest("dem", names), "demo");
  assertEquals(nearest("", names), undefined);
  assertEquals(nearest("xyzzy", names), undefined);
  assertEquals(nearest("mount", names), undefined);
});
