import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { UserError } from "../../src/base/user_error.ts";
import { libc } from "../../src/linux/syscall/libc.ts";
import {
  checkSplice,
  planSplicing,
  type SpliceFacts,
  splicingOver,
} from "../../src/session/splicing.ts";
import { missingPermission, testIf } from "../requirements.ts";

const missing = missingPermission("ffi");
// Opened before the tests, so that the first one is not reported to leak it.
if (missing === "") libc();

const MIB = 1 << 20;
const FACTS: SpliceFacts = {
  isFile: true,
  inMemory: false,
  direct: false,
  traced: false,
  maxPayload: MIB,
};
const DEVICE = { kind: "device", reason: null } as const;
const URING = { kind: "uring", reason: null } as const;

Deno.test("checkSplice() takes auto, off and sizes of READs", () => {
  for (const choice of ["auto", "off", 4096, MIB] as const) {
    assertEquals(checkSplice(choice, "splice", MIB), choice);
  }
  for (const wrong of [0, 4095, MIB + 1, 1.5, NaN, "on"]) {
    assertThrows(
      () => checkSplice(wrong as number, "splice", MIB),
      UserError,
      "splice",
    );
  }
});

testIf(missing, "planSplicing() splices files in the page cache", () => {
  assertEquals(planSplicing("auto", FACTS).from, 65536);
  const inMemory = { ...FACTS, inMemory: true };
  assertEquals(planSplicing("auto", inMemory).from, 16384);
  assertEquals(planSplicing(4096, FACTS).from, 4096);
  // Without CAP_SYS_RESOURCE, a pipe cannot hold a READ of 1 MiB and its header.
  const { maxRead } = planSplicing("auto", FACTS);
  assertEquals([MIB / 2, MIB].includes(maxRead), true);
  assertEquals(
    planSplicing("auto", { ...FACTS, maxPayload: 4096 }).maxRead,
    4096,
  );
});

Deno.test("planSplicing() says why nothing is spliced", () => {
  const off = { from: null, reason: null, maxRead: MIB };
  assertEquals(planSplicing("off", FACTS), off);
  for (
    const [fact, reason] of [
      [{ isFile: false }, /^the image is not a raw file/],
      [{ direct: true }, /^direct I\/O/],
      [{ traced: true }, /^traces/],
    ] as const
  ) {
    const facts = { ...FACTS, ...fact };
    const plan = planSplicing("auto", facts);
    assertEquals([plan.from, plan.maxRead], [null, MIB]);
    assertMatch(plan.reason ?? "", reason);
    assertThrows(
      () => planSplicing(65536, facts),
      UserError,
      "Cannot splice READs: ",
    );
  }
});

Deno.test("splicingOver() is off over io_uring, and where a Worker has no pipe", () => {
  const plan = { from: 16384, reason: null, maxRead: MIB };
  assertEquals(splicingOver(DEVICE, plan, null), { from: 16384, reason: null });
  assertEquals(splicingOver(URING, plan, null).from, null);
  assertEquals(splicingOver(DEVICE, plan, "no more pipes"), {
    from: null,
    reason: "no more pipes",
  });
});
