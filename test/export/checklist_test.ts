/**
 * Items of the checklist without a kernel: those about the export's answers
 * rather than about mounting or programs.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type Backend,
  createMemoryDisk,
  MemoryBackend,
} from "../../src/backends/mod.ts";
import {
  BlockExport,
  exportCapabilities,
} from "../../src/export/block_export.ts";
import type { ExportRules } from "../../src/export/export_context.ts";
import { ExportState } from "../../src/export/export_state.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { FALLOC_FL, O, SEEK } from "../../src/base/file_flags.ts";
import {
  serveInThread,
  SimClient,
  SimError,
  SimKernel,
} from "../../sim/mod.ts";

const SIZE = 1 << 20;
const GROWTH = 65536;

/** An export in the simulator, and a client of it. */
interface Simulated {
  client: SimClient;
  backend: Backend;
}

/** Registers the test of one item. */
function simItem(
  number: number,
  name: string,
  rules: Partial<ExportRules>,
  body: (simulated: Simulated) => Promise<void>,
  change: (backend: MemoryBackend) => Backend = (same) => same,
): void {
  const title = `checklist ${String(number).padStart(2, "0")}, simulated`;
  Deno.test(`${title}: ${name}`, async () => {
    const all = {
      writable: true,
      growable: false,
      allowOther: false,
      ...rules,
    };
    const { growable, writable } = all;
    const disk = createMemoryDisk(SIZE, { growable: true });
    new MemoryBackend(disk).write(0, new Uint8Array(SIZE).fill(7), 0, SIZE);
    const mode = writable ? 0o600 : 0o400;
    const state = ExportState.create({ size: SIZE, mode, uid: 0, gid: 0 });
    const kernel = new SimKernel({ queues: 4, readOnly: !writable });
    const backend = change(new MemoryBackend(disk));
    const rulesOf = { ...all, growable };
    const server = await serveInThread(kernel, {
      wanted: exportCapabilities(rulesOf),
      handler: () => new BlockExport({ backend, state, rules: rulesOf }),
    });
    await body({ client: new SimClient(kernel), backend });
    kernel.unmount();
    await server.ended;
    assertEquals(kernel.violations, []);
  });
}

async function errnoOf(call: () => Promise<unknown>): Promise<number> {
  return (await assertRejects(call, SimError)).errno;
}

const READ_ONLY = { writable: false };
const AS_QEMU = { truncate: "as-qemu" } as const;

simItem(
  3,
  "a read-only export shows the image",
  READ_ONLY,
  async ({ client }) => {
    const { size, mode } = await client.stat();
    assertEquals([size, mode & 0o7777], [SIZE, 0o400]);
    const file = await client.open(O.RDONLY);
    const bytes = new Uint8Array(SIZE);
    assertEquals(await file.pread(bytes, 0), SIZE);
    assert(bytes.every((byte) => byte === 7));
    await file.close();
  },
);

simItem(
  4,
  "a read-only export keeps its mode",
  READ_ONLY,
  async ({ client }) => {
    for (const mode of [0o600, 0o500]) {
      assertEquals(await errnoOf(() => client.chmod(mode)), ERRNO.EROFS);
    }
    assertEquals((await client.stat()).mode & 0o7777, 0o400);
  },
);

simItem(
  6,
  "the last read of a copy is empty",
  READ_ONLY,
  async ({ client }) => {
    const file = await client.open(O.RDONLY);
    const bytes = new Uint8Array(GROWTH);
    assertEquals(await file.pread(bytes, SIZE - 100), 100);
    assertEquals(await file.pread(bytes, SIZE), 0);
    assertEquals(await file.pread(bytes, SIZE + GROWTH), 0);
    await file.close();
  },
);

simItem(
  9,
  "nothing opens a read-only export to write",
  READ_ONLY,
  async ({ client }) => {
    assertEquals(await errnoOf(() => client.open(O.RDWR)), ERRNO.EROFS);
  },
);

simItem(
  11,
  "an export of fixed size is full at its end",
  {},
  async ({ client }) => {
    const file = await client.open(O.RDWR);
    const bytes = new Uint8Array(GROWTH);
    assertEquals(await errnoOf(() => file.pwrite(bytes, SIZE)), ERRNO.ENOSPC);
    assertEquals(await file.pwrite(bytes, SIZE - 512), 512);
    assertEquals((await client.stat()).size, SIZE);
    await file.close();
  },
);

simItem(
  12,
  "fallocate grows an export of fixed size",
  AS_QEMU,
  async ({ client, backend }) => {
    const file = await client.open(O.RDWR);
    await file.fallocate(0, SIZE, GROWTH);
    assertEquals((await client.stat()).size, SIZE + GROWTH);
    assertEquals((await backend.stat()).size, SIZE + GROWTH);
    await file.fallocate(0, 0, GROWTH);
    await file.close();
  },
);

simItem(
  13,
  "a growable export grows by writing",
  { growable: true },
  async ({ client, backend }) => {
    const file = await client.open(O.RDWR);
    const bytes = new Uint8Array(64).fill(9);
    for (let at = SIZE; at < SIZE + GROWTH; at += 64) {
      assertEquals(await file.pwrite(bytes, at), 64);
    }
    assertEquals((await backend.stat()).size, SIZE + GROWTH);
    await file.close();
  },
);

simItem(
  14,
  "truncate shrinks both sides",
  AS_QEMU,
  async ({ client, backend }) => {
    const file = await client.open(O.RDWR);
    await file.fallocate(0, SIZE, GROWTH);
    await client.truncate(SIZE);
    assertEquals((await client.stat()).size, SIZE);
    assertEquals((await backend.stat()).size, SIZE);
    await file.close();
  },
);

simItem(
  16,
  "zeroed ranges that may be unmapped read as zeroes",
  {},
  async ({ client, backend }) => {
    const file = await client.open(O.RDWR);
    await file.fallocate(FALLOC_FL.PUNCH_HOLE | FALLOC_FL.KEEP_SIZE, 0, SIZE);
    const bytes = new Uint8Array(SIZE).fill(1);
    assertEquals(await file.pread(bytes, 0), SIZE);
    assert(bytes.every((byte) => byte === 0));
    assertEquals((await backend.stat()).allocated, 0);
    await file.close();
  },
);

simItem(
  17,
  "64 requests at once reach four queues",
  READ_ONLY,
  async ({ client }) => {
    const file = await client.open(O.RDONLY);
    for (let turn = 0; turn < 50; turn++) {
      const reads = Array.from(
        { length: 64 },
        (_, i) => file.aioRead(new Uint8Array(4096), i * 4096),
      );
      assertEquals(new Set(await Promise.all(reads)), new Set([4096]));
    }
    await file.close();
  },
);

simItem(
  19,
  "modes and owners that give others access are refused",
  {},
  async ({ client }) => {
    for (const mode of [0, 0o400]) {
      await client.chmod(mode);
      assertEquals((await client.stat()).mode & 0o7777, mode);
    }
    assertEquals(await errnoOf(() => client.chmod(0o444)), ERRNO.EPERM);
    assertEquals((await client.stat()).mode & 0o7777, 0o400);
  },
);

simItem(
  19,
  "or allowed with allow_other",
  { allowOther: true },
  async ({ client }) => {
    await client.chmod(0o444);
    await client.chown(65534, 65534);
    const { mode, uid } = await client.stat();
    assertEquals([mode & 0o7777, uid], [0o444, 65534]);
  },
);

simItem(
  20,
  "an image that fails gives EIO, and nothing else happens",
  {},
  async ({ client }) => {
    const file = await client.open(O.RDWR);
    const bytes = new Uint8Array(4096);
    assertEquals(await errnoOf(() => file.pwrite(bytes, 0)), ERRNO.EIO);
    assertEquals(await errnoOf(() => file.pread(bytes, 0)), ERRNO.EIO);
    assertEquals((await client.stat()).size, SIZE);
    await file.close();
  },
  (backend) =>
    Object.assign(backend, {
      read: () => -ERRNO.EIO,
      write: () => -ERRNO.EIO,
    }),
);

simItem(21, "holes end at the end", AS_QEMU, async ({ client }) => {
  const file = await client.open(O.RDWR);
  await file.fallocate(FALLOC_FL.PUNCH_HOLE | FALLOC_FL.KEEP_SIZE, 0, SIZE);
  assertEquals(await errnoOf(() => file.lseek(0, SEEK.DATA)), ERRNO.ENXIO);
  assertEquals(await file.lseek(0, SEEK.HOLE), 0);
  await file.fallocate(0, SIZE, 1);
  await file.pwrite(Uint8Array.of(1), SIZE);
  assertEquals(await file.lseek(0, SEEK.DATA), SIZE);
  assertEquals(await file.lseek(SIZE, SEEK.HOLE), SIZE + 1);
  assertEquals(
    await errnoOf(() => file.lseek(SIZE + 1, SEEK.DATA)),
    ERRNO.ENXIO,
  );
  await file.close();
});

simItem(
  26,
  "O_TRUNC does not wipe an image of fixed size",
  AS_QEMU,
  async ({ client, backend }) => {
    const file = await client.open(O.RDWR | O.TRUNC);
    const bytes = new Uint8Array(1);
    assertEquals((await backend.stat()).size, SIZE);
    assertEquals((await client.stat()).size, SIZE);
    assertEquals(await file.pread(bytes, SIZE - 1), 1);
    assertEquals([...bytes], [7]);
    await file.close();
  },
);

simItem(26, "df and fsync are answered", {}, async ({ client }) => {
  const { blocks, blockSize } = await client.statfs();
  assertEquals(blocks * blockSize, SIZE);
  const file = await client.open(O.RDWR);
  await file.fsync();
  await file.close();
});
