/** Partition tables: what is read of sound and of damaged ones. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Backend } from "../../../src/backends/backend.ts";
import { ERRNO } from "../../../src/base/errno.ts";
import { readTable } from "../../../src/backends/partitions/partition_table.ts";
import { findPartition } from "../../../src/backends/partitions/find_partition.ts";
import type {
  PartitionTable,
} from "../../../src/backends/partitions/partition_table.ts";
import { readPartitions } from "../../../src/backends/partitions/read_partitions.ts";
import {
  createMemoryDisk,
  MemoryBackend,
} from "../../../src/backends/protocols/memory.ts";
import { UserError } from "../../../src/base/user_error.ts";
import {
  buildGpt,
  buildMbr,
  type GptEntry,
  type MbrEntry,
  sealGptHeader,
} from "./_build_table.ts";

const SECTORS = 2048;

/** Reads the table of a disk that has some bytes. */
function tableOf(
  parts: Record<number, Uint8Array>,
  size: number = SECTORS * 512,
): Promise<PartitionTable | null> {
  const image = new MemoryBackend(createMemoryDisk(size));
  for (const [position, bytes] of Object.entries(parts)) {
    image.write(Number(position), bytes, 0, bytes.length);
  }
  return readPartitions(image, "disk.img");
}

/** Number, offset and size of each partition. */
function placesOf(table: PartitionTable | null): number[][] {
  return table!.partitions.map((
    { number, offset, size },
  ) => [number, offset, size]);
}

function linux(start: number, length: number): MbrEntry {
  return { type: 0x83, start, length };
}

function extended(start: number, length: number): MbrEntry {
  return { type: 5, start, length };
}

Deno.test("an MBR with logical partitions has numbers as the kernel's", async () => {
  const table = await tableOf({
    0: buildMbr([linux(64, 100), extended(500, 1000), linux(1600, 10)]),
    [500 * 512]: buildMbr([linux(1, 50), extended(100, 60)]),
    [600 * 512]: buildMbr([linux(2, 58), extended(300, 60)]),
    [800 * 512]: buildMbr([linux(10, 20)]),
  });
  assertEquals(placesOf(table), [
    [1, 64 * 512, 100 * 512],
    [2, 500 * 512, 1000 * 512],
    [3, 1600 * 512, 10 * 512],
    [5, 501 * 512, 50 * 512],
    [6, 602 * 512, 58 * 512],
    [7, 810 * 512, 20 * 512],
  ]);
  assertEquals(table!.remarks, []);
  assertEquals(table!.partitions[3]!.uuid, "1a2b3c4d-05");
  assertEquals(table!.partitions[0]!.typeName, "Linux");
  const disk = { name: "disk.img", size: SECTORS * 512 };
  assertThrows(
    () => findPartition(table, "2", disk),
    UserError,
    "it only holds the logical partitions",
  );
  assertEquals(findPartition(table, "1A2B3C4D-06", disk).number, 6);
});

Deno.test("logical partitions that lead back, or nowhere, end with a remark", async () => {
  const mbr = buildMbr([extended(500, 1000)]);
  const loop = await tableOf({
    0: mbr,
    [500 * 512]: buildMbr([linux(1, 50), extended(100, 60)]),
    [600 * 512]: buildMbr([linux(1, 50), extended(0, 60)]),
  });
  assertEquals(placesOf(loop).length, 3);
  assertEquals(loop!.remarks, [
    "the chain of logical partitions leads back to sector 500, so some may be missing",
  ]);
  const nowhere = await tableOf({
    0: mbr,
    [500 * 512]: buildMbr([linux(1, 50), extended(0xffff_0000, 60)]),
  });
  assertEquals(nowhere!.remarks, [
    `the chain of logical partitions leads to sector ${
      500 + 0xffff_0000
    }, which has no table, so some may be missing`,
  ]);
});

Deno.test("overlaps and ends beyond the disk are remarked, and not exported", async () => {
  const table = await tableOf({
    0: buildMbr([linux(64, 100), linux(160, 10), linux(2000, 49)]),
  });
  assertEquals(table!.remarks, [
    "partitions 1 and 2 overlap",
    `partition 3 ends at byte ${2049 * 512}, beyond the end of the disk at ${
      2048 * 512
    }`,
  ]);
  const disk = { name: "disk.img", size: SECTORS * 512 };
  assertEquals(findPartition(table, "2", disk).offset, 160 * 512);
  assertThrows(
    () => findPartition(table, "3", disk),
    UserError,
    "the image is not whole",
  );
});

Deno.test("the boot sector of a file system is no table", async () => {
  const sector = buildMbr([linux(1, 2)]);
  sector[446] = 0x41;
  assertEquals(await tableOf({ 0: sector }), null);
  assertEquals(await tableOf({}), null);
  assertEquals(await tableOf({ 0: buildMbr([]) }), null);
  assertThrows(
    () => findPartition(null, "1", { name: "disk.img", size: 512 }),
    UserError,
    "it has no partition table",
  );
});

Deno.test("an MBR counts in sectors of 4096 bytes if something is found there", async () => {
  const superblock = Uint8Array.of(0x53, 0xef);
  const table = await tableOf({
    0: buildMbr([linux(16, 20)]),
    [16 * 4096 + 1080]: superblock,
  });
  assertEquals(table!.sectorSize, 4096);
  assertEquals(placesOf(table), [[1, 16 * 4096, 20 * 4096]]);
});

const ENTRIES: readonly GptEntry[] = [
  { first: 100, last: 199, name: "boot" },
  { first: 200, last: 299, name: "\xfcber" },
  { first: 300, last: 300, name: "boot" },
];

for (const sectorSize of [512, 4096]) {
  Deno.test(`a GPT of ${sectorSize}-byte sectors, whole and damaged`, async () => {
    const size = SECTORS * sectorSize;
    const plan = { sectors: SECTORS, sectorSize, entries: ENTRIES };
    const whole = await tableOf({ 0: buildGpt(plan) }, size);
    assertEquals(whole!.sectorSize, sectorSize);
    assertEquals(whole!.remarks, []);
    assertEquals(placesOf(whole), [
      [1, 100 * sectorSize, 100 * sectorSize],
      [2, 200 * sectorSize, 100 * sectorSize],
      [3, 300 * sectorSize, sectorSize],
    ]);
    assertEquals(whole!.partitions[1]!.typeName, "Linux filesystem");
    const last = (SECTORS - 1) * sectorSize;
    const copies = { primary: sectorSize, backup: last };
    const entriesAt = { primary: 2 * sectorSize, backup: last - 16_384 };
    for (const which of ["primary", "backup"] as const) {
      for (const at of [copies[which] + 40, entriesAt[which] + 33]) {
        const disk = buildGpt(plan);
        disk[at]! ^= 1;
        const table = await tableOf({ 0: disk }, size);
        assertEquals(placesOf(table), placesOf(whole));
        assert(table!.remarks[0]!.startsWith(`the ${which} GPT is damaged`));
      }
    }
    const none = buildGpt(plan);
    none[copies.primary + 40]! ^= 1;
    none[copies.backup + 40]! ^= 1;
    await assertRejects(
      () => tableOf({ 0: none }, size),
      UserError,
      "the primary GPT is damaged: the check of its header fails, and the backup GPT is damaged",
    );
  });
}

Deno.test("a partition of a GPT is found by number, name and UUID", async () => {
  const entries = [...ENTRIES, { first: 400, last: 499, name: "2" }];
  const table = await tableOf({ 0: buildGpt({ sectors: SECTORS, entries }) });
  const disk = { name: "disk.img", size: SECTORS * 512 };
  const numberOf = (wanted: string) =>
    findPartition(table, wanted, disk).number;
  assertEquals(numberOf("2"), 2);
  assertEquals(numberOf("\xfcber"), 2);
  assertEquals(numberOf("03030303-0303-0303-0303-030303030303"), 3);
  assertThrows(
    () => numberOf("boot"),
    UserError,
    "use one of the numbers 1, 3",
  );
  assertThrows(
    () => numberOf("5"),
    UserError,
    'the partitions 1 ("boot"), 2 ("\xfcber"), 3 ("boot"), 4 ("2")',
  );
});

Deno.test("a GPT whose sound header says too much is not believed", async () => {
  const plan = { sectors: SECTORS, entries: ENTRIES };
  const fields: readonly (readonly [number, bigint])[] = [
    [72, 2n ** 63n],
    [72, 2047n],
    [80, 2n ** 32n - 1n],
    [24, 7n],
  ];
  for (const [field, value] of fields) {
    const disk = buildGpt(plan);
    const view = new DataView(disk.buffer);
    if (field === 80) view.setUint32(512 + field, Number(value), true);
    else view.setBigUint64(512 + field, value, true);
    sealGptHeader(disk, 512);
    const table = await tableOf({ 0: disk });
    assert(table!.remarks[0]!.startsWith("the primary GPT is damaged"));
    assertEquals(placesOf(table).length, 3);
  }
  const entries = [{ first: 2 ** 53 - 1, last: 10 }, ...ENTRIES];
  const table = await tableOf({ 0: buildGpt({ sectors: SECTORS, entries }) });
  assertEquals(placesOf(table).map(([number]) => number), [2, 3, 4]);
  assert(table!.remarks[0]!.startsWith("partition 1 is left out"));
});

Deno.test("an MBR beside a GPT that it does not announce counts alone", async () => {
  const disk = buildGpt({ sectors: SECTORS, entries: ENTRIES });
  disk.set(buildMbr([linux(64, 10)]));
  assertEquals((await tableOf({ 0: disk }))!.kind, "mbr");
  disk.fill(0, 0, 512);
  const table = await tableOf({ 0: disk });
  assertEquals(table!.kind, "gpt");
  assertEquals(table!.remarks, ["the disk has no protective MBR"]);
});

Deno.test("a GPT that the MBR announces and that is not there is refused", async () => {
  const disk = buildGpt({ sectors: SECTORS, entries: ENTRIES });
  disk.fill(0, 512, 1024).fill(0, disk.length - 512);
  await assertRejects(
    () => tableOf({ 0: disk }),
    UserError,
    "the MBR says that there is a GPT, and neither copy is there; repair",
  );
});

Deno.test("a table that cannot be read is refused by its error's name", async () => {
  const image = { read: () => -ERRNO.EIO } as unknown as Backend;
  const disk = { image, name: "disk.img", size: 1 << 20 };
  await assertRejects(
    () => readTable(disk, 1024, 512),
    UserError,
    "Cannot read the partition table of disk.img: its bytes at 1024 cannot be read (EIO)",
  );
});
