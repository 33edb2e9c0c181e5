import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { UserError } from "../../src/base/user_error.ts";
import { initFlag } from "../../src/protocol/init.ts";
import {
  type CacheFacts,
  checkCache,
  negotiatedCache,
  planCache,
  whyNotCached,
  type WritebackFacts,
} from "../../src/session/cache.ts";

/** A locked image, exported read-only. */
const READ_ONLY: CacheFacts = {
  regularFile: true,
  locked: true,
  writable: false,
  direct: false,
  passthrough: false,
};

const TABLE: readonly [string, CacheFacts, string | null][] = [
  ["read-only", READ_ONLY, null],
  [
    "writable",
    { ...READ_ONLY, writable: true },
    "programs may write to the file",
  ],
  [
    "no file",
    { ...READ_ONLY, regularFile: false },
    "the image is not a regular file",
  ],
  [
    "not locked",
    { ...READ_ONLY, locked: false },
    "the image is not locked",
  ],
  [
    "direct",
    { ...READ_ONLY, direct: true },
    "the export uses direct I/O itself",
  ],
  [
    "passthrough",
    { ...READ_ONLY, passthrough: true },
    "passthrough uses the image's own page cache",
  ],
];

for (const [name, facts, reason] of TABLE) {
  Deno.test(`planCache() with auto: ${name}`, () => {
    assertEquals(whyNotCached(facts), reason);
    const kind = reason === null ? "reads" : "none";
    assertEquals(planCache("auto", facts), { kind, reason });
    assertEquals(planCache("none", facts), { kind: "none", reason: null });
  });
}

const WRITABLE: WritebackFacts = {
  writable: true,
  growable: false,
  truncate: "refuse",
  writethrough: false,
  loopSafe: false,
};

Deno.test("checkCache() refuses a write-back cache that would lose data", () => {
  checkCache("writeback", WRITABLE);
  const changes: Partial<WritebackFacts>[] = [
    { writable: false },
    { growable: true },
    { truncate: "zero" },
    { truncate: "as-qemu" },
    { writethrough: true },
    { loopSafe: true },
  ];
  for (const change of changes) {
    const facts = { ...WRITABLE, ...change };
    assertThrows(() => checkCache("writeback", facts), UserError);
    checkCache("auto", facts);
    checkCache("none", facts);
  }
});

Deno.test("negotiatedCache() caches nothing that was not negotiated", () => {
  const none = { flags: 0n };
  const both = {
    flags: initFlag("AUTO_INVAL_DATA") | initFlag("WRITEBACK_CACHE"),
  };
  for (const kind of ["none", "reads", "writeback"] as const) {
    assertEquals(negotiatedCache({ kind, reason: null }, both).kind, kind);
  }
  assertEquals(negotiatedCache({ kind: "reads", reason: null }, none), {
    kind: "none",
    reason: "this kernel does not offer it",
  });
  const { message } = assertThrows(
    () => negotiatedCache({ kind: "writeback", reason: null }, none),
    UserError,
  );
  assertMatch(message, /this kernel does not offer it; set cache to auto/);
});
