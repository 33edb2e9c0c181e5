import { assertEquals, assertMatch } from "@std/assert";
import {
  type Qcow2Facts,
  qcow2Rows,
} from "../../src/backends/formats/qcow2/describe.ts";
import type { ImageFacts } from "../../src/cli/commands/image_facts.ts";
import { imageRows, mapLine } from "../../src/cli/commands/info_image_text.ts";

const QCOW2: Qcow2Facts = {
  version: 3,
  size: 3 << 20,
  clusterSize: 65_536,
  refcountBits: 16,
  compression: "zstd",
  features: ["dirty", "bitmaps"],
  backingName: "base\x1b[2J.img",
  backingFormat: null,
  dataFileName: null,
  snapshots: [{
    id: "1",
    name: "before the update",
    l1Offset: 0,
    l1Entries: 1,
    size: 1 << 20,
    vmStateSize: 0,
    seconds: 1_700_000_000,
  }],
};

const FACTS: ImageFacts = {
  source: "disk.img",
  looksLike: { name: "qcow2", prefix: "qcow2:" },
  exportAs: "qcow2:disk.img",
  size: 3 << 20,
  fileSize: 2 << 20,
  allocated: 1 << 20,
  format: {
    driver: "qcow2",
    size: 3 << 20,
    facts: { ...QCOW2 },
    rows: qcow2Rows(QCOW2),
  },
  chain: [{ driver: "qcow2", name: "/a b" }, { driver: "file", name: "/base" }],
  partitions: null,
  fileSystem: null,
};

Deno.test("imageRows() shows what an image is", () => {
  assertEquals(imageRows(FACTS), [
    "Image         disk.img",
    "Looks like    qcow2: export it as qcow2:disk.img",
    "Disk          3 MiB (3145728 bytes)",
    "File          2 MiB, 1 MiB on the medium",
    "qcow2         version 3, clusters of 64 KiB",
    "Refcounts     16 bits",
    "Compression   zstd",
    "Features      dirty, bitmaps",
    'Backing file  "base\\u001b[2J.img" (format not recorded)',
    'Snapshot      1 "before the update", 1 MiB, 2023-11-14T22:13:20Z',
    'Chain         "/a b" (qcow2)',
    "              /base (file)",
  ]);
});

Deno.test("imageRows() shows why a chain cannot be opened", () => {
  const chain = "Cannot open the backing file";
  assertEquals(
    imageRows({ ...FACTS, chain }).at(-1),
    "Chain         Cannot open the backing file",
  );
  const looksLike = { name: "QED", prefix: null };
  const facts = { ...FACTS, looksLike, exportAs: null, format: null };
  assertMatch(imageRows(facts)[1]!, /QED, which no driver opens: convert it/);
});

Deno.test("imageRows() shows partitions, or what the whole disk has", () => {
  const partition = {
    number: 5,
    offset: 1 << 20,
    size: 2 << 20,
    type: "83",
    typeName: "Linux",
    name: null,
    uuid: null,
    isExtended: false,
    fileSystem: "ext4",
  };
  const unknown = {
    ...partition,
    number: 6,
    typeName: null,
    name: "a\x1b[2J",
    fileSystem: null,
  };
  const partitions = {
    kind: "mbr" as const,
    sectorSize: 512,
    partitions: [partition, unknown],
    remarks: ["partitions 5 and 6 overlap"],
  };
  assertEquals(imageRows({ ...FACTS, partitions }).slice(-4), [
    "Partitions    MBR, sectors of 512 bytes",
    "  5           2 MiB from byte 1048576, Linux, ext4",
    '  6           2 MiB from byte 1048576, type 83, "a\\u001b[2J"',
    "Remark        partitions 5 and 6 overlap",
  ]);
  const whole = imageRows({ ...FACTS, fileSystem: "xfs" });
  assertEquals(whole.at(-1), "Content       xfs");
});

Deno.test("mapLine() shows where bytes are", () => {
  const range = {
    start: 65_536,
    length: 512,
    depth: 0,
    present: true,
    zero: false,
    data: true,
    compressed: false,
    offset: 1024,
  };
  assertEquals(mapLine(range), "65536 512 data, at 1024");
  const below = { ...range, depth: 2, offset: null, compressed: true };
  assertEquals(mapLine(below), "65536 512 compressed, 2 below");
  const hole = { ...range, data: false, zero: true, offset: null };
  assertEquals(mapLine(hole), "65536 512 zero");
  assertEquals(mapLine({ ...hole, present: false }), "65536 512 hole");
});
