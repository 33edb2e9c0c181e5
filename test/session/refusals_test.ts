import { assertEquals, assertRejects } from "@std/assert";
import {
  mountExport,
  type MountExportOptions,
  mountHandler,
  type MountHandlerOptions,
  UserError,
} from "../../mod.ts";
import { createMemoryDisk, MemoryBackend } from "../../src/backends/mod.ts";
import { kernelTest } from "../requirements.ts";
import { client, TemporaryMountpoint } from "./_client.ts";

/** A module with a default export. */
function moduleOf(expression: string): string {
  return `data:text/javascript,export default ${
    encodeURIComponent(expression)
  }`;
}

const FIVE = moduleOf("() => 5");
const THROWS = moduleOf("() => { throw new TypeError('boom'); }");
const IDLE = moduleOf("() => ({ handle() {} })");
const backend = new MemoryBackend(createMemoryDisk(4096));
const handler = { handle: () => {} };

/** Options that only mountExport() can get, and how it refuses them. */
const EXPORTS: readonly [Partial<MountExportOptions>, string][] = [
  ...[5, {}, null, { backend: 5 }, { module: 5 }].map((
    source,
  ): [Partial<MountExportOptions>, string] => [
    { source } as unknown as Partial<MountExportOptions>,
    "Cannot export the source: expected a path or a text such as memory:1G, { module: URL } or { backend }",
  ]),
  [{ mountpoint: "" }, 'Cannot mount on "" (mountpoint): expected a path'],
  [
    { queueMemory: NaN, queues: 2 },
    "Cannot use NaN (queueMemory): expected a whole number from 1 to 9007199254740991",
  ],
  [
    { queues: 1.5 },
    "Cannot use 1.5 (queues): expected a whole number from 1 to 64",
  ],
  [
    { pollUs: -1 },
    "Cannot use -1 (pollUs): expected auto or a whole number from 0 to 1000000",
  ],
  [
    { hangMs: 0 },
    "Cannot use 0 (hangMs): expected a whole number from 1 to 2147483647",
  ],
  [
    { offset: 0.5 },
    "Cannot use 0.5 (offset): expected a whole number from 0 to 9007199254740991",
  ],
  [
    { size: 0 },
    "Cannot use 0 (size): expected a whole number from 1 to 9007199254740991",
  ],
  [
    { growable: true },
    "Cannot make a read-only export growable: make it writable too",
  ],
  [
    { truncate: "zero" },
    "Cannot choose what truncating a read-only export does: it is never truncated; leave truncate out",
  ],
  [
    { truncate: "zero", writable: true, growable: true },
    "Cannot choose what truncating a growable export does: it is truncated like any file; leave truncate out",
  ],
  [
    { truncate: "wipe" as "zero", writable: true },
    "Cannot use wipe (truncate): expected one of refuse, zero, as-qemu",
  ],
  [
    { loopSafe: true },
    "Cannot make the export loop-safe: the program was not started for it; call restartLoopSafe() first in the program, or leave loop-safe off",
  ],
  [
    { source: { backend }, queues: 2 },
    "Cannot serve a backend of the calling thread with 2 queues: use 1, or pass it as a module",
  ],
  [
    { source: { module: "./disk.ts" } },
    "Cannot load the backend module ./disk.ts: expected a URL, such as import.meta.resolve() returns",
  ],
  [
    { source: { module: FIVE } },
    `Cannot use the backend module ${FIVE}: what it makes has no method stat()`,
  ],
  [
    { source: { module: THROWS } },
    `Cannot make a backend from the module ${THROWS}: boom`,
  ],
  [
    { source: "a\0b" },
    'Cannot use "a\\u0000b" as a path or name: it contains a NUL character (remove it)',
  ],
];

/** Options that mountHandler() refuses, and how. */
const HANDLERS: readonly [Partial<MountHandlerOptions>, string][] = [
  [
    { queues: 0 },
    "Cannot use 0 (queues): expected a whole number from 1 to 64",
  ],
  [
    { mountpoint: 5 as unknown as string },
    "Cannot mount on 5 (mountpoint): expected a path",
  ],
  [
    { wanted: { maxWrite: 4096 } },
    "Cannot use 4096 (wanted.maxWrite): expected a whole number from 65536 to 1048576",
  ],
  [
    { queues: 2 },
    "Cannot serve a handler of the calling thread with 2 queues: use 1, or pass it as a module",
  ],
  [
    { handler: { module: IDLE }, queues: 2 },
    `Cannot serve the handler module ${IDLE} with 2 queues: each Worker would have a handler with a state of its own; use 1, or put "export const shared = true" into the module if its handlers are one file system`,
  ],
  [
    { handler: { module: `${IDLE};export const shared = 1` } },
    `Cannot use the handler module ${IDLE};export const shared = 1: its export shared must be true or false`,
  ],
  [
    { handler: { module: "data:text/javascript,export const a = 1" } },
    "Cannot use the handler module data:text/javascript,export const a = 1: its default export must be a function that makes a handler",
  ],
  [
    { handler: { module: FIVE } },
    `Cannot use the handler module ${FIVE}: what it makes has no method handle()`,
  ],
  [
    { handler: { module: THROWS } },
    `Cannot make a handler from the module ${THROWS}: boom`,
  ],
];

kernelTest(
  "the library refuses bad options in one sentence, a UserError",
  async () => {
    using place = new TemporaryMountpoint();
    const { mountpoint } = place;
    for (const [options, sentence] of EXPORTS) {
      const source = "null:1M";
      const error = await assertRejects(
        () => mountExport({ source, mountpoint, ...options }),
        UserError,
      );
      assertEquals(error.message, sentence);
    }
    for (const [options, sentence] of HANDLERS) {
      const error = await assertRejects(
        () => mountHandler({ handler, mountpoint, root: "file", ...options }),
        UserError,
      );
      assertEquals(error.message, sentence);
    }
    const { stdout } = await client("stat", "-c", "%s", mountpoint);
    assertEquals(stdout, "0\n");
  },
);
