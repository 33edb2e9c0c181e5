import { assertEquals } from "@std/assert";
import { decodeName, encodeName, isName } from "../../src/base/name_bytes.ts";
import { Random } from "../_random.ts";

/** Bytes, and how os.fsdecode() of Python spells them. */
const NAMES: [bytes: number[], name: string][] = [
  [[], ""],
  [[0x61, 0xff, 0xfe, 0x62], "a\udcff\udcfeb"],
  [[0xc3, 0xa9, 0xc3], "\u00e9\udcc3"],
  [[0xef, 0xbb, 0xbf, 0x61], "\ufeffa"],
  [[0xf0, 0x9f, 0x98, 0x80], "\u{1f600}"],
  [[0xf0, 0x9f, 0x98], "\udcf0\udc9f\udc98"],
  // Longer than needed, a surrogate, beyond U+10FFFF.
  [[0xc0, 0xaf], "\udcc0\udcaf"],
  [[0xed, 0xb3, 0xbf], "\udced\udcb3\udcbf"],
  [[0xf4, 0x90, 0x80, 0x80], "\udcf4\udc90\udc80\udc80"],
  [[0x80, 0x0a, 0x20, 0x5c], "\udc80\n \\"],
];

Deno.test("names keep the bytes that are not UTF-8", () => {
  for (const [bytes, name] of NAMES) {
    assertEquals(decodeName(Uint8Array.from(bytes)), name);
    assertEquals([...encodeName(name)], bytes);
    assertEquals(isName(name), true);
    assertEquals(JSON.parse(JSON.stringify(name)), name);
  }
});

Deno.test("any bytes survive as a name", () => {
  const random = new Random(7);
  const starts = [0xc3, 0xe2, 0xf0, 0xed, 0x41];
  for (let i = 0; i < 2000; i++) {
    const bytes = Uint8Array.from(
      { length: random.below(12) },
      () => random.below(3) === 0 ? random.pick(starts) : random.below(256),
    );
    const name = decodeName(bytes);
    assertEquals(encodeName(name), bytes);
    assertEquals(isName(name), true);
  }
});

Deno.test("other halves of surrogate pairs are no bytes", () => {
  for (const text of ["\ud83d", "\udc7f", "a\udd00", "\udcff\ud800"]) {
    assertEquals(isName(text), false);
  }
  assertEquals([...encodeName("\ud83d")], [0xef, 0xbf, 0xbd]);
});
