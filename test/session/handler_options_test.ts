import { assertEquals, assertThrows } from "@std/assert";
import { UserError } from "../../src/base/user_error.ts";
import {
  checkHandlerOptions,
  type MountHandlerOptions,
} from "../../src/session/handler_options.ts";

const handler = { handle: () => {} };

function check(options: Partial<Record<keyof MountHandlerOptions, unknown>>) {
  const given = { handler, mountpoint: "mnt", ...options };
  return checkHandlerOptions(given as MountHandlerOptions);
}

Deno.test("checkHandlerOptions() fills in the defaults", () => {
  const { root, name, wanted } = check({ wanted: { maxWrite: undefined } });
  assertEquals([root, name], ["directory", "mqfuse"]);
  assertEquals([wanted.maxWrite, wanted.maxBackground], [131072, 64]);
  assertEquals(wanted.flags.includes("ABORT_ERROR"), true);
});

Deno.test("checkHandlerOptions() accepts the ends of each range", () => {
  for (const maxWrite of [65536, 69632, 1048576]) {
    assertEquals(check({ wanted: { maxWrite } }).wanted.maxWrite, maxWrite);
  }
  const ends = {
    maxReadahead: 0,
    maxBackground: 65535,
    timeGran: 1_000_000_000,
    maxStackDepth: 2,
    requestTimeout: 65535,
  };
  const { wanted } = check({ wanted: { ...ends, flags: ["ASYNC_DIO"] } });
  assertEquals(wanted, { ...wanted, ...ends });
  assertEquals(wanted.flags.at(-1), "ASYNC_DIO");
});

/** Values that cannot be used, and how they are refused. */
const REFUSED: readonly [Parameters<typeof check>[0], string][] = [
  ...[4096, 65535, 2 ** 21, -1, NaN, Infinity, 65536.5, "big", null].map((
    maxWrite,
  ): [Parameters<typeof check>[0], string] => [
    { wanted: { maxWrite } },
    `Cannot use ${maxWrite} (wanted.maxWrite): expected a whole number from 65536 to 1048576`,
  ]),
  [
    { wanted: { maxWrite: 65537 } },
    "Cannot use 65537 (wanted.maxWrite): expected a multiple of 4096",
  ],
  [
    { wanted: { maxReadahead: 2 ** 32 } },
    "Cannot use 4294967296 (wanted.maxReadahead): expected a whole number from 0 to 4294967295",
  ],
  [
    { wanted: { maxBackground: 65536 } },
    "Cannot use 65536 (wanted.maxBackground): expected a whole number from 0 to 65535",
  ],
  [
    { wanted: { congestionThreshold: NaN } },
    "Cannot use NaN (wanted.congestionThreshold): expected a whole number from 0 to 65535",
  ],
  [
    { wanted: { timeGran: 0 } },
    "Cannot use 0 (wanted.timeGran): expected a whole number from 1 to 1000000000",
  ],
  [
    { wanted: { maxStackDepth: 3 } },
    "Cannot use 3 (wanted.maxStackDepth): expected a whole number from 0 to 2",
  ],
  [
    { wanted: { requestTimeout: 1.5 } },
    "Cannot use 1.5 (wanted.requestTimeout): expected a whole number from 0 to 65535",
  ],
  [
    { wanted: { flags: ["FAST"] } },
    "Cannot use FAST (wanted.flags): expected names of INIT flags such as ASYNC_DIO",
  ],
  [
    { wanted: { flags: ["OVER_IO_URING"] } },
    "Cannot use OVER_IO_URING (wanted.flags): set the option transport to uring",
  ],
  [
    { root: "link" },
    "Cannot use link (root): expected one of file, directory",
  ],
  ...["", "a\0b", 5, "x".repeat(4096)].map((
    name,
  ): [Parameters<typeof check>[0], string] => [
    { name },
    `Cannot use ${
      JSON.stringify(name)
    } (name): expected a text of 1 to 4095 bytes without NUL`,
  ]),
  ...[undefined, null, 5, {}, { module: 5 }].map((
    handler,
  ): [Parameters<typeof check>[0], string] => [
    { handler },
    "Cannot mount the handler: expected an object with a method handle(), or { module: URL }",
  ]),
];

Deno.test("checkHandlerOptions() refuses values in one sentence", () => {
  for (const [options, sentence] of REFUSED) {
    const error = assertThrows(() => check(options), UserError);
    assertEquals(error.message, sentence);
  }
});
