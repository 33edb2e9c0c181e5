import { assertEquals, assertThrows } from "@std/assert";
import { initFlag } from "../../src/protocol/init.ts";
import {
  NO_PASSTHROUGH,
  type PassthroughFacts,
  planPassthrough,
  whyNoPassthrough,
  withPassthroughCapability,
} from "../../src/session/passthrough.ts";

/** A whole image that is only read, by root. */
const READ_ONLY: PassthroughFacts = {
  regularFile: true,
  part: false,
  writable: false,
  growable: false,
  writethrough: false,
  direct: false,
  hasDirectIo: true,
  mayChange: false,
  watched: false,
  capSysAdmin: true,
};
const GROWABLE = { ...READ_ONLY, writable: true, growable: true };

const TABLE: readonly [string, PassthroughFacts, string | null][] = [
  ["read-only", READ_ONLY, null],
  ["growable", GROWABLE, null],
  ["read-only, controlled", { ...READ_ONLY, mayChange: true }, null],
  [
    "no file",
    { ...READ_ONLY, regularFile: false },
    "the image is not a plain file",
  ],
  ["a part", { ...GROWABLE, part: true }, "a part of the image is shown"],
  [
    "fixed in size",
    { ...GROWABLE, growable: false },
    "the export is fixed in size",
  ],
  [
    "writethrough",
    { ...GROWABLE, writethrough: true },
    "writes have to be durable",
  ],
  [
    "direct",
    { ...READ_ONLY, direct: true },
    "the image is used past the page cache",
  ],
  [
    "a file system without O_DIRECT",
    { ...READ_ONLY, hasDirectIo: false },
    "the image's file system has no direct I/O",
  ],
  [
    "growable, controlled",
    { ...GROWABLE, mayChange: true },
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

Deno.test("whyNoPassthrough() shows requests unless passthrough is insisted on", () => {
  const watched = { ...READ_ONLY, watched: true };
  assertEquals(whyNoPassthrough("auto", watched), "requests are to be shown");
  assertEquals(whyNoPassthrough("on", watched), null);
});

Deno.test("planPassthrough() does what was asked for, tells why not, or throws", () => {
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
    reason: "the export is fixed in size",
  });
  assertThrows(
    () => planPassthrough("on", fixed, 3),
    Error,
    "(passthrough): the export is fixed in size; leave passthrough to 'auto', or off",
  );
});

Deno.test("passthroughWish() asks the kernel only where there is a plan", () => {
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
