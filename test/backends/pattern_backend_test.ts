import { assertEquals } from "@std/assert";
import { PatternBackend } from "../../src/backends/protocols/pattern.ts";
import { randomly } from "../_random.ts";
import { byteOfPattern } from "./_image.ts";

Deno.test("PatternBackend fills each 8 bytes with their own position", () => {
  const bytes = new Uint8Array(16);
  new PatternBackend(2 ** 53 - 1).read(0x1f_1234_5678_9ab0, bytes, 0, 16);
  const view = new DataView(bytes.buffer);
  assertEquals(view.getBigUint64(0), 0x1f_1234_5678_9ab0n);
  assertEquals(view.getBigUint64(8), 0x1f_1234_5678_9ab8n);
});

Deno.test("PatternBackend returns the same byte in every read", () =>
  randomly(200, (random) => {
    const backend = new PatternBackend(2 ** 53 - 1);
    const edge = random.pick([0, 2 ** 31, 2 ** 32, 2 ** 40, 2 ** 53 - 101]);
    const position = Math.max(0, edge + random.below(101) - 50);
    const length = random.below(50);
    const buffer = new Uint8Array(60).subarray(random.below(10));
    buffer.fill(0xee);
    assertEquals(backend.read(position, buffer, 0, length), length);
    assertEquals(
      [...buffer],
      Array.from(
        buffer,
        (_, i) => i < length ? byteOfPattern(position + i) : 0xee,
      ),
    );
  }));
