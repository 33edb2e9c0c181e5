import { assertEquals } from "@std/assert";
import { crc32 as crcOfZlib } from "node:zlib";
import { crc32, crc32c } from "../../src/backends/crc32.ts";
import { withSeeds } from "../_random.ts";

Deno.test("checks are those of the standards", () => {
  const digits = new TextEncoder().encode("123456789");
  assertEquals(crc32(digits), 0xcbf4_3926);
  assertEquals(crc32c(digits), 0xe306_9283);
  // RFC 3720, appendix B.4.
  assertEquals(crc32c(new Uint8Array(32)), 0x8a91_36aa);
  assertEquals(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8_ab43);
  assertEquals(crc32(new Uint8Array(0)), 0);
});

Deno.test("a check of any length agrees with zlib's, and goes on anywhere", () =>
  withSeeds([1], (random) => {
    for (let i = 0; i < 300; i++) {
      const bytes = random.bytes(random.below(100));
      const whole = crc32(bytes);
      assertEquals(whole, crcOfZlib(bytes));
      const cut = random.below(bytes.length + 1);
      const start = crc32(bytes.subarray(0, cut));
      assertEquals(crc32(bytes.subarray(cut), start), whole);
      const startC = crc32c(bytes.subarray(0, cut));
      assertEquals(crc32c(bytes.subarray(cut), startC), crc32c(bytes));
    }
  }));
