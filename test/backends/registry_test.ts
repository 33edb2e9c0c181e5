import { assertEquals, assertThrows } from "@std/assert";
import { driverOf, DRIVERS, parseSource } from "../../src/backends/registry.ts";
import { UserError } from "../../src/base/user_error.ts";

Deno.test("parseSource distinguishes prefixes from paths", () => {
  const read = (text: string) => {
    const { driver, source } = parseSource(text);
    return [driver.name, source];
  };
  const disk = (name: string, size: number) => ({ name, size });
  assertEquals(read("null:1G"), ["null", disk("null:1G", 2 ** 30)]);
  assertEquals(read("memory:64M"), ["memory", disk("memory:64M", 2 ** 26)]);
  assertEquals(read("pattern:1"), ["pattern", disk("pattern:1", 1)]);
  for (
    const path of [
      "disk.img",
      "./null:1G",
      "/dev/sda",
      "nul:1G",
      "NULL:1G",
      "qed:disk.img",
      "x",
    ]
  ) {
    assertEquals(read(path), ["raw", path]);
  }
});

Deno.test("parseSource refuses an empty name", () => {
  assertThrows(() => parseSource(""), UserError, "give a path, or a source");
});

Deno.test("parseSource refuses a prefix without a size", () => {
  assertThrows(() => parseSource("null:"), UserError, 'size ""');
  assertThrows(() => parseSource("memory:lots"), UserError, 'size "lots"');
  const error = assertThrows(() => parseSource("memory:0"), UserError);
  assertEquals(
    error.message,
    'Cannot make an empty disk "memory:0": give it a size, such as memory:1G',
  );
});

Deno.test("driverOf finds each driver of the registry", () => {
  for (const driver of DRIVERS) assertEquals(driverOf(driver.name), driver);
  assertThrows(() => driverOf("nothing"), TypeError, "nothing");
});
