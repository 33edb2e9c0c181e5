import { assertEquals, assertThrows } from "@std/assert";
import { UserError } from "../../src/base/user_error.ts";
import { formatSize, parseSize, SIZE_MAX } from "../../src/backends/size.ts";

Deno.test("parseSize reads digits and suffixes of either case", () => {
  const cases: [string, number][] = [
    ["0", 0],
    ["007", 7],
    ["4096", 4096],
    ["512b", 512],
    ["1k", 1024],
    ["25M", 25 * 2 ** 20],
    ["3g", 3 * 2 ** 30],
    ["2T", 2 ** 41],
    ["7P", 7 * 2 ** 50],
    ["0E", 0],
    ["9007199254740991", SIZE_MAX],
  ];
  for (const [text, bytes] of cases) assertEquals(parseSize(text), bytes, text);
});

Deno.test("parseSize refuses other texts and names them", () => {
  for (
    const text of [
      "",
      "-1",
      "+1",
      "1Q",
      "1.5G",
      "1 G",
      "G",
      "1GB",
      "0x10",
      "1e3",
    ]
  ) {
    const error = assertThrows(() => parseSize(text), UserError);
    assertEquals(
      error.message,
      `Cannot read size "${text}": expected digits and one of k, M, G, T, P, E, such as 512M`,
    );
  }
});

Deno.test("parseSize refuses sizes above 2^53 - 1", () => {
  for (
    const text of ["9007199254740992", "8P", "1E", "99999999999999999999T"]
  ) {
    assertThrows(() => parseSize(text), UserError, `"${text}"`);
  }
});

Deno.test("formatSize uses the largest unit and at most one decimal place", () => {
  const cases: [number, string][] = [
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1 KiB"],
    [1536, "1.5 KiB"],
    [10 * 2 ** 20, "10 MiB"],
    [2 ** 20 - 1, "1.0 MiB"],
    [1000.5 * 2 ** 20, "1001 MiB"],
    [2 ** 30 - 2 ** 19, "1.0 GiB"],
    [2 ** 40, "1 TiB"],
    [SIZE_MAX, "8.0 PiB"],
  ];
  for (const [bytes, text] of cases) assertEquals(formatSize(bytes), text);
});
