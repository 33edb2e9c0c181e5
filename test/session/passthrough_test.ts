import { assertEquals, assertThrows } from "@std/assert";
import { initFlag } from "../../src/protocol/init.ts";
import {
  NO_PASSTHROUGH,
  type PassthroughFacts,
  planPassthrough,
  whyNoPassthrough,
  withPassthroughCapability,
} from "../../src/session/passthrough.ts";

/** A whole image, exported read-only by root. */
const READ_ONLY: PassthroughFacts = {
  regularFile: true,
  part: false,
  writable: false,
  growable: false,
  writethrough: false,
  direct: false,
  hasDirectIo: true,
  control: false,
  observed: false,
  capSysAdmin: true,
};
const GROWABLE = { ...READ_ONLY, writable: true, growable: true };

const TABLE: readonly [string, PassthroughFacts, string | null][] = [
  ["read-only", READ_ONLY, null],
  ["growable", GROWABLE, null],
  ["read-only, controlled", { ...READ_ONLY, control: true }, null],
  [
    "no file",
    { ...READ_ONLY, regularFile: false },
    "the image is not a regular file",
  ],
  [
    "a part",
    { ...GROWABLE, part: true },
    "only a part of the image is exported",
  ],
  [
    "fixed in size",
    { ...GROWABLE, growable: false },
    "the export has a fixed size",
  ],
  [
    "writethrough",
    { ...GROWABLE, writethrough: true },
    "writethrough needs to see every write",
  ],
  [
    "direct",
    { ...READ_ONLY, direct: true },
    "the export uses direct I/O itself",
  ],
  [
    "a file system without O_DIRECT",
    { ...READ_ONLY, hasDirectIo: false },
    "the image's file system has no direct I/O",
  ],
  [
    "growable, controlled",
    { ...GROWABLE, control: true },
    "ctl may make the export read-only",
  ],
  [
    "without root",
    { ...READ_ONLY, capSysAdmin: false },
    "it needs CAP_SYS_ADMIN",
  ],
];

for (const [name, facts, reason] of TABLE) {
  Deno.test(`whyNoPassthrough(): ${name}`, () => {
    assertEquals(whyNoPassthrough("auto", facts), reason);
    assertEquals(whyNoPassthrough("on", facts), reason);
  });
}

Deno.test("whyNoPassthrough() prefers tracing to passthrough, except with on", () => {
  const observed = { ...READ_ONLY, observed: true };
  assertEquals(
    whyNoPassthrough("auto", observed),
    "tracing and statistics need to see every request",
  );
  assertEquals(whyNoPassthrough("on", observed), null);
});

Deno.test("planPassthrough() plans passthrough, gives the reason against it, or throws", () => {
  assertEquals(planPassthrough("off", READ_ONLY, 3), NO_PASSTHROUGH);
  assertEquals(planPassthrough("auto", READ_ONLY, 3), {
    choice: "auto",
    fd: 3,
    reason: null,
  });
  const fixed = { ...GROWABLE, growable: false };
  assertEquals(planPassthrough("auto", fixed, 3), {
    choice: "auto",
    fd: null,
    reason: "the export has a fixed size",
  });
  assertThrows(
    () => planPassthrough("on", fixed, 3),
    Error,
    "passthrough: the export has a fixed size; set passthrough to auto or off",
  );
});

Deno.test("withPassthroughCapability() requests the capability only for a plan with an image", () => {
  const wanted = {
    flags: ["ASYNC_READ" as const],
    maxWrite: 4096,
    maxBackground: 1,
    congestionThreshold: 1,
  };
  assertEquals(withPassthroughCapability(wanted, NO_PASSTHROUGH), wanted);
  const asked = withPassthroughCapability(wanted, {
    choice: "on",
    fd: 3,
    reason: null,
  });
  assertEquals(asked.flags, ["ASYNC_READ", "PASSTHROUGH"]);
  assertEquals(asked.maxStackDepth, 1);
  assertEquals(initFlag("PASSTHROUGH"), 1n << 37n);
});
