import { assertEquals, assertMatch } from "@std/assert";
import { loopSafeNotice } from "../../src/session/loop_safe.ts";

Deno.test("loopSafeNotice() warns of storage with large blocks", () => {
  assertEquals(loopSafeNotice(512), null);
  assertEquals(loopSafeNotice(1), null);
  const advice = /whole blocks of 4096 bytes.* 'losetup --sector-size=4096'$/;
  assertMatch(loopSafeNotice(4096) ?? "", advice);
  assertMatch(loopSafeNotice(null) ?? "", advice);
});
