/** Headers that an attacker may have written: each is refused in a sentence. */
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { UserError } from "../../../src/base/user_error.ts";
import {
  parseHeader,
  type Qcow2Header,
} from "../../../src/backends/formats/qcow2/header.ts";
import { buildImage, type ImagePlan } from "./_build_image.ts";

const MIB = 1 << 20;

function parse(plan: Partial<ImagePlan> = {}): Qcow2Header {
  const clusterSize = 2 ** (plan.clusterBits ?? 16);
  const image = buildImage({ size: MIB, ...plan });
  return parseHeader(image.subarray(0, clusterSize), "a.qcow2");
}

function withHeader(header: ImagePlan["header"] & object): Qcow2Header {
  return parse({ header });
}

Deno.test("a header is parsed", () => {
  const unknown = Uint8Array.of(1, 2, 3);
  const header = parse({
    size: 5 * MIB,
    compression: "zstd",
    backing: { name: "base.img", format: "raw" },
    extensions: [[0x12345678, unknown]],
  });
  const { version, size, clusterBits, refcountOrder, compression } = header;
  assertEquals([version, size, clusterBits, refcountOrder, compression], [
    3,
    5 * MIB,
    16,
    4,
    "zstd",
  ]);
  assertEquals([header.backingName, header.backingFormat], ["base.img", "raw"]);
  assertEquals(header.extensions.map(({ type }) => type), [
    0xe2792aca,
    0x12345678,
  ]);
  assertEquals(header.extensions[1]?.data, unknown);
});

Deno.test("a header of version 2 has no features", () => {
  const header = parse({
    version: 2,
    header: (view) => view.setBigUint64(72, 0n),
  });
  assertEquals([header.version, header.headerLength, header.refcountOrder], [
    2,
    72,
    4,
  ]);
  assertEquals([header.incompatible, header.compression], [0n, "deflate"]);
});

const u32 = (at: number, value: number) => (view: DataView) =>
  view.setUint32(at, value);
const u64 = (at: number, value: bigint) => (view: DataView) =>
  view.setBigUint64(at, value);
const SET = { u32, u64 };

/** What makes a header wrong, and what the refusal has to say. */
const REFUSED: Readonly<
  Record<string, readonly [(view: DataView<ArrayBuffer>) => void, RegExp]>
> = {
  "another magic": [SET.u32(0, 0x4b444d56), /does not begin like a qcow2/],
  "version 1": [SET.u32(4, 1), /version 1, not 2 or 3/],
  "version 4": [SET.u32(4, 4), /version 4/],
  "clusters of 256 bytes": [SET.u32(20, 8), /cluster_bits is 8, not 9 to 21/],
  "clusters of 4 MiB": [SET.u32(20, 22), /cluster_bits is 22/],
  "2^31 cluster bits": [SET.u32(20, 2 ** 31), /cluster_bits is 2147483648/],
  "a size of 2^63 - 1": [SET.u64(24, 2n ** 63n - 1n), /field at byte 24/],
  "a size of 2^64 - 1": [SET.u64(24, 2n ** 64n - 1n), /field at byte 24/],
  "AES": [SET.u32(32, 1), /encrypted \(AES\)/],
  "LUKS": [SET.u32(32, 2), /encrypted \(LUKS\)/],
  "an unknown cipher": [SET.u32(32, 9), /encrypted \(method 9\)/],
  "an L1 table of 2^32 - 1 entries": [
    SET.u32(36, 2 ** 32 - 1),
    /L1 table of 4294967295 entries is too large/,
  ],
  "an unaligned L1 table": [SET.u64(40, 4096n), /L1 table is not aligned/],
  "an L1 table beyond every file": [SET.u64(40, 2n ** 62n), /byte 40/],
  "an unaligned refcount table": [SET.u64(48, 512n), /refcount table is not/],
  "a refcount table of 2^32 - 1 clusters": [
    SET.u32(56, 2 ** 32 - 1),
    /refcount table is too large/,
  ],
  "65,537 snapshots": [SET.u32(60, 65_537), /65537 snapshots/],
  "an unaligned snapshot table": [
    (view) => {
      view.setUint32(60, 1);
      view.setBigUint64(64, 8n);
    },
    /snapshot table is not aligned/,
  ],
  "refcounts of 128 bits": [SET.u32(96, 7), /refcount_order is 7/],
  "a header of 103 bytes": [SET.u32(100, 103), /header_length is 103/],
  "a header of 105 bytes": [SET.u32(100, 105), /header_length is 105/],
  "a header of 2^31 bytes": [SET.u32(100, 2 ** 31), /header_length is/],
  "compression that is not marked": [
    (view) => view.setUint8(104, 1),
    /compression type is 1/,
  ],
  "compression that is marked, and deflate": [
    SET.u64(72, 8n),
    /compression type is 0/,
  ],
  "an unknown compression": [
    (view) => {
      view.setBigUint64(72, 8n);
      view.setUint8(104, 2);
    },
    /compression type is 2/,
  ],
  "an unknown feature": [
    SET.u64(72, 1n << 40n),
    /\(bit 40 of incompatible_features\); open it with the program/,
  ],
  "an extension beyond the cluster": [
    (view) => {
      view.setUint32(112, 5);
      view.setUint32(116, 2 ** 32 - 1);
    },
    /extension of 4294967295 bytes is too long/,
  ],
  "a backing name in the header": [SET.u64(8, 50n), /not in the first cluster/],
  "a backing name in the second cluster": [
    SET.u64(8, 65_537n),
    /not in the first cluster/,
  ],
  "a backing name beyond the cluster": [
    (view) => {
      view.setBigUint64(8, 65_530n);
      view.setUint32(16, 100);
    },
    /name of 100 bytes is too long/,
  ],
  "a backing name of 1,024 bytes": [
    (view) => {
      view.setBigUint64(8, 1024n);
      view.setUint32(16, 1024);
    },
    /name of 1024 bytes is too long/,
  ],
  "a backing name with a NUL": [
    (view) => {
      view.setBigUint64(8, 1024n);
      view.setUint32(16, 4);
    },
    /backing file's name has a NUL/,
  ],
};

for (const [what, [change, message]] of Object.entries(REFUSED)) {
  Deno.test(`a header with ${what} is refused`, () => {
    const error = assertThrows(() => withHeader(change), UserError);
    assertMatch(error.message, /^Cannot open a.qcow2 as qcow2: .+; .+[^.]$/);
    assertMatch(error.message, message);
  });
}

Deno.test("small clusters with extended L2 entries are refused", () => {
  const error = assertThrows(
    () => parse({ clusterBits: 13, header: u64(72, 16n) }),
    UserError,
  );
  assertMatch(error.message, /cluster_bits is 13, too small for extended L2/);
});

Deno.test("an unknown feature is called by the name that the image gives", () => {
  const named = (text: string) => {
    const table = new Uint8Array(48);
    table[1] = 40;
    table.set(new TextEncoder().encode(text), 2);
    return assertThrows(
      () =>
        parse({
          extensions: [[0x6803f857, table]],
          header: u64(72, 1n << 40n),
        }),
      UserError,
    ).message;
  };
  assertMatch(named("time travel"), /does not know \("time travel"\)/);
  // Escapes of a terminal are not printed.
  assertMatch(named("\x1b[2J"), /does not know \(bit 40 of/);
});

Deno.test("a raw data file and a backing file contradict each other", () => {
  const error = assertThrows(
    () =>
      parse({
        dataFile: "data.img",
        backing: { name: "base.img", format: "raw" },
        header: u64(88, 2n),
      }),
    UserError,
  );
  assertMatch(error.message, /a raw data file and a backing file/);
});

Deno.test("any cut-off header is refused", () => {
  const image = buildImage({ size: MIB, clusterBits: 9 });
  for (let length = 0; length < 112; length++) {
    assertThrows(() => parseHeader(image.slice(0, length), "a"), UserError);
  }
  assert(parseHeader(image.slice(0, 512), "a").size === MIB);
});
