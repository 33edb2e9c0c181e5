/** VHDX images: headers, the log, parents, and what is refused. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { ImageOptions } from "../../../src/backends/driver.ts";
import { openImage } from "../../../src/backends/open_image.ts";
import { UserError } from "../../../src/base/user_error.ts";
import { FakeFiles } from "../_fake_files.ts";
import { readBack } from "../_image.ts";
import { imageOptions } from "../_image_options.ts";
import {
  buildVhdx,
  entryAt,
  type LogPlan,
  sealVhdx,
  VHDX_AT,
  vhdxByte,
  type VhdxPlan,
} from "./_build_vhdx.ts";

const MIB = 1 << 20;
const SIZE = 3 * MIB + 4096;

async function readDisk(
  files: Readonly<Record<string, Uint8Array>>,
  from = 0,
  length: number | null = null,
  options: Partial<ImageOptions> = {},
): Promise<{ bytes: Uint8Array; told: string[] }> {
  const fake = new FakeFiles();
  for (const [path, bytes] of Object.entries(files)) fake.write(path, bytes);
  const all = { ...imageOptions, ...options };
  const image = await openImage("vhdx:disk.vhdx", all, fake.services());
  try {
    const { backend, stat } = image;
    const bytes = await readBack(backend, from, length ?? stat.size - from);
    return { bytes, told: fake.told };
  } finally {
    await image.close();
    assertEquals(fake.openCount, 0);
  }
}

/** The disk of a plan, from a position on. */
async function diskOf(plan: Partial<VhdxPlan>, from = 0, length?: number) {
  const file = buildVhdx({ size: SIZE, ...plan });
  return (await readDisk({ "disk.vhdx": file }, from, length ?? null)).bytes;
}

function refuses(file: Uint8Array, why: string): Promise<unknown> {
  return assertRejects(() => readDisk({ "disk.vhdx": file }), UserError, why);
}

Deno.test("blocks of every state are read", async () => {
  const states = [6, 0, 2, 6];
  const disk = await diskOf({ stateOf: (i) => states[i]! });
  for (let i = 0; i < SIZE; i += 509) {
    const has = states[Math.floor(i / MIB)] === 6;
    assertEquals(disk[i], has ? vhdxByte(i) : 0, `${i}`);
  }
});

Deno.test("the sound header with the greater number counts", async () => {
  const file = buildVhdx({ size: SIZE });
  // Of the second one, which is newer, the log makes no sense.
  new DataView(file.buffer).setUint32(VHDX_AT.HEADERS[1] + 68, 1, true);
  sealVhdx(file);
  await refuses(file, "its log of 1 bytes");
  file[VHDX_AT.HEADERS[1] + 100]! ^= 1;
  assertEquals((await readDisk({ "disk.vhdx": file })).bytes.length, SIZE);
  file[VHDX_AT.HEADERS[0] + 100]! ^= 1;
  await refuses(file, "the checks of both of its headers are wrong");
});

/** A sector that is not in the image. */
function sector(byte: number): Uint8Array {
  const bytes = new Uint8Array(4096).fill(byte);
  bytes.set([1, 2, 3], 0);
  bytes.set([4, 5, 6], 4093);
  return bytes;
}

/** Writes that a log may have, to the second and third sectors of the disk. */
function entry(sequence: bigint, byte: number, more: Partial<LogPlan> = {}) {
  const offset = VHDX_AT.BLOCKS + 4096;
  return { sequence, changes: [{ offset, data: sector(byte) }], ...more };
}

Deno.test("the log is replayed in memory, in order", async () => {
  const zero = { offset: VHDX_AT.BLOCKS + 6144, length: 4096 };
  const log: LogPlan[] = [
    entry(11n, 0x11),
    { sequence: 12n, changes: [{ ...zero, offset: VHDX_AT.BLOCKS + 8192 }] },
    entry(13n, 0x22),
  ];
  const file = buildVhdx({ size: SIZE, log });
  const before = file.slice();
  const { bytes, told } = await readDisk({ "disk.vhdx": file });
  assertEquals(file, before);
  assertEquals(bytes.subarray(4096, 8192), sector(0x22));
  assert(bytes.subarray(8192, 12_288).every((byte) => byte === 0));
  assertEquals(bytes[4095], vhdxByte(4095));
  assertEquals(bytes[12_288], vhdxByte(12_288));
  assert(told[0]!.includes("was not closed"), told.join());
});

Deno.test("entries of the table that only the log has count", async () => {
  const plan: VhdxPlan = { size: SIZE, stateOf: (i) => i === 0 ? 6 : 0 };
  const table = buildVhdx(plan).slice(VHDX_AT.TABLE, VHDX_AT.TABLE + 4096);
  // Block 2 has the bytes of block 0.
  table.copyWithin(16, 0, 8);
  const log = [{
    sequence: 3n,
    changes: [{ offset: VHDX_AT.TABLE, data: table }],
  }];
  const disk = await diskOf({ ...plan, log }, 2 * MIB, 100);
  assertEquals([...disk], Array.from({ length: 100 }, (_, i) => vhdxByte(i)));
});

Deno.test("a log may wrap, and have older entries around it", async () => {
  const end = MIB - 4096;
  const log = [
    entry(4n, 0x44, { at: 65_536, tail: 65_536 }),
    entry(21n, 0x11, { at: end, tail: end }),
    entry(22n, 0x33, { tail: end }),
  ];
  const file = buildVhdx({ size: SIZE, log });
  const { bytes } = await readDisk({ "disk.vhdx": file }, 4096, 4096);
  assertEquals(bytes, sector(0x33));
});

Deno.test("only the entries from the tail of the last one on are replayed", async () => {
  const other = VHDX_AT.BLOCKS + 40_960;
  const log: LogPlan[] = [
    { sequence: 7n, changes: [{ offset: other, data: sector(0x66) }] },
    entry(8n, 0x55, { tail: 8192 }),
  ];
  const disk = await diskOf({ log });
  assertEquals(disk.subarray(4096, 8192), sector(0x55));
  assertEquals(disk[40_970], vhdxByte(40_970));
});

Deno.test("a log without a whole sequence is refused, and so is a short file", async () => {
  const plan = (log: LogPlan[]) => buildVhdx({ size: SIZE, log });
  const none = "its log has no whole sequence of entries";
  await refuses(plan([]), none);
  // The last entry names one that does not precede it without a gap.
  await refuses(
    plan(
      [entry(5n, 1), entry(7n, 2, { tail: 0 })].slice(1)
        .map((each) => ({ ...each, at: 16_384 })),
    ),
    none,
  );
  const torn = plan([entry(5n, 1)]);
  torn[VHDX_AT.LOG + 5000]! ^= 1;
  await refuses(torn, none);
  await refuses(
    plan([entry(5n, 1, { flushedSize: 64 * MIB })]),
    "its log wants a file of 67108864 bytes",
  );
});

Deno.test("an entry that does not follow ends a sequence", async () => {
  const log = [entry(5n, 0x11), entry(9n, 0x22, { tail: 0 })];
  const disk = await diskOf({ log }, 4096, 4096);
  // The second one, by itself, names a tail that is not part of it.
  assertEquals(disk, sector(0x11));
});

Deno.test("a log makes the file as large as it says", async () => {
  const place = VHDX_AT.BLOCKS + 4 * MIB;
  const table = buildVhdx({ size: SIZE }).slice(
    VHDX_AT.TABLE,
    VHDX_AT.TABLE + 4096,
  );
  new DataView(table.buffer).setBigUint64(
    8,
    BigInt(place / MIB) << 20n | 6n,
    true,
  );
  const log = [{
    sequence: 3n,
    lastSize: place + MIB,
    changes: [
      { offset: VHDX_AT.TABLE, data: table },
      { offset: place, data: sector(0x31) },
    ],
  }];
  const disk = await diskOf({ log }, MIB, 8192);
  assertEquals(disk.subarray(0, 4096), sector(0x31));
  assert(disk.subarray(4096).every((byte) => byte === 0));
});

const ID = "0b0b0b0b-0b0b-0b0b-0b0b-0b0b0b0b0b0b";

Deno.test("a differencing image shows its parent where it has no sector", async () => {
  const stateOf = (i: number) => [7, 0, 6, 7][i]!;
  const hasSector = (i: number) => i % 3 === 0;
  for (const sectorSize of [512, 4096] as const) {
    const base = buildVhdx({
      size: SIZE,
      sectorSize,
      dataWriteId: 0x0b,
      byteAt: () => 0xbb,
    });
    for (const path of [".\\base.vhdx", "base.vhdx"]) {
      const disk = buildVhdx({
        size: SIZE,
        sectorSize,
        stateOf,
        hasSector,
        parent: { "parent_linkage": `{${ID}}`, "relative_path": path },
      });
      const files = { "disk.vhdx": disk, "base.vhdx": base };
      const { bytes } = await readDisk(files);
      for (let i = 0; i < SIZE; i += 503) {
        const state = stateOf(Math.floor(i / MIB));
        const has = state === 6 ||
          (state === 7 && hasSector(Math.floor(i / sectorSize)));
        assertEquals(bytes[i], has ? vhdxByte(i) : 0xbb, `${i}`);
      }
    }
  }
});

Deno.test("a parent whose data have changed is refused, unless it is given", async () => {
  const parent = {
    "parent_linkage": `{${ID}}`,
    "absolute_win32_path": "C:\\VMs\\base.vhdx",
  };
  const disk = buildVhdx({ size: SIZE, stateOf: () => 0, parent });
  const base = buildVhdx({ size: SIZE, dataWriteId: 0x0c });
  const files = { "disk.vhdx": disk, "base.vhdx": base };
  await assertRejects(
    () => readDisk(files),
    UserError,
    "it was changed since the image above it was made",
  );
  const given = { backing: "vhdx:base.vhdx" };
  const { bytes } = await readDisk(files, 0, 10, given);
  assertEquals(bytes[9], vhdxByte(9));
});

Deno.test("fields that make no sense are refused", async () => {
  const regions = VHDX_AT.REGIONS[0];
  const items = VHDX_AT.METADATA;
  const fields: readonly (readonly [number, number, string])[] = [
    [regions + 8, 3000, "it has 3000 regions"],
    [regions + 16, 1, "unknown kind"],
    [regions + 32, 1, "it has a region"],
    [regions + 36, 1, "lies beyond the end of its file"],
    [regions + 32, 3 * MIB, "its regions overlap"],
    [items + 10, 3000, "it has 3000 items"],
    [items + 32, 1, "unknown kind"],
    [items + 48, 1, "makes no sense"],
    [items + 65_536, 3 << 20, "its blocks have 3145728 bytes"],
    [items + 65_544, 513, "the disk has 513 bytes"],
    [items + 65_544 + 4, 0xffff_ffff, "the disk has"],
    [items + 65_568, 1024, "its sectors have 1024 bytes"],
  ];
  for (const [at, value, why] of fields) {
    const file = buildVhdx({ size: SIZE });
    const view = new DataView(file.buffer);
    view.setUint32(at, value, true);
    // Both copies of the table of regions.
    if (at < MIB) view.setUint32(at + 65_536, value, true);
    sealVhdx(file);
    await refuses(file, why);
  }
});

Deno.test("an entry of the table that makes no sense gives EIO there alone", async () => {
  const plan = { size: SIZE };
  for (const value of [4n, 7n, 6n | 2n ** 63n, 6n | 2n ** 40n]) {
    const file = buildVhdx(plan);
    new DataView(file.buffer).setBigUint64(entryAt(plan, 1), value, true);
    const fake = new FakeFiles();
    fake.write("disk.vhdx", file);
    const image = await openImage(
      "vhdx:disk.vhdx",
      imageOptions,
      fake.services(),
    );
    const buffer = new Uint8Array(8192);
    assertEquals(await image.backend.read(0, buffer, 0, 8192), 8192);
    assertEquals(await image.backend.read(MIB, buffer, 0, 8192), -5);
    assertEquals(await image.backend.read(MIB - 512, buffer, 0, 8192), 512);
    await image.close();
  }
});
