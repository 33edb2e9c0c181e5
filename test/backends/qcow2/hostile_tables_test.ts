/**
 * Tables that an attacker may have written: the image is refused, or each read
 * and change of it succeeds or fails with an errno, soon.
 */
import { assert, assertEquals } from "@std/assert";
import { openImage } from "../../../src/backends/open_image.ts";
import { ERRNO } from "../../../src/base/errno.ts";
import { UserError } from "../../../src/base/user_error.ts";
import { FakeFiles } from "../_fake_files.ts";
import { imageOptions } from "../_image_options.ts";
import { buildImage, builtByte, type ImagePlan } from "./_build_image.ts";

const CLUSTER = 4096;
/** Places in a built image: the header, and a table in each next cluster. */
const AT = {
  REFCOUNT_TABLE: CLUSTER,
  REFCOUNTS: 2 * CLUSTER,
  L1: 3 * CLUSTER,
  L2: 4 * CLUSTER,
  DATA: 5 * CLUSTER,
};
const COPIED = 1n << 63n;
const COMPRESSED = 1n << 62n;
const PLAN: ImagePlan = {
  size: 100_000,
  clusterBits: 12,
  clusters: ["data", "zero", "compressed", "kept zero", "unallocated", "data"],
};
/** Milliseconds that one image may take. */
const LIMIT_MS = 5000;

const entry = (at: number, value: bigint) => (view: DataView) =>
  view.setBigUint64(at, value);
const copied = (at: number) => COPIED | BigInt(at);

const HOSTILE: Readonly<Record<string, (view: DataView) => void>> = {
  "no entries in the L1 table": (view) => view.setUint32(36, 0),
  "an L1 table over the header": entry(40, 0n),
  "an L1 table over the refcount table": entry(40, BigInt(AT.REFCOUNT_TABLE)),
  "an L1 table over the L2 table": entry(40, BigInt(AT.L2)),
  "an L1 table over data": entry(40, BigInt(AT.DATA)),
  "an L1 entry that is copied and refers to nothing": entry(AT.L1, COPIED),
  "an L1 entry of the header": entry(AT.L1, copied(512)),
  "an L1 entry of itself": entry(AT.L1, copied(AT.L1)),
  "an L1 entry of the refcounts": entry(AT.L1, copied(AT.REFCOUNTS)),
  "an L1 entry of data": entry(AT.L1, copied(AT.DATA)),
  "an L1 entry beyond the file": entry(AT.L1, copied(2 ** 40)),
  "an L1 entry that others use too": entry(AT.L1, BigInt(AT.L2)),
  "an L2 table that maps itself": entry(AT.L2, copied(AT.L2)),
  "an L2 entry of the L1 table": entry(AT.L2, copied(AT.L1)),
  "an L2 entry of the refcounts": entry(AT.L2, copied(AT.REFCOUNTS)),
  "an L2 entry beyond the file": entry(AT.L2, copied(2 ** 50)),
  "an unaligned L2 entry": entry(AT.L2, copied(AT.DATA + 512)),
  "an L2 entry with reserved bits": entry(AT.L2, copied(AT.DATA) | 1n << 60n),
  "a compressed cluster that is copied": entry(AT.L2, COPIED | COMPRESSED),
  "a compressed cluster beyond the file": entry(
    AT.L2,
    COMPRESSED | 15n << 58n | BigInt(2 ** 40),
  ),
  "a compressed cluster in the header": entry(AT.L2, COMPRESSED | 15n << 58n),
  "refcounts of 0": (view) => {
    for (let i = 0; i < CLUSTER; i += 8) {
      view.setBigUint64(AT.REFCOUNTS + i, 0n);
    }
  },
  "refcounts that are full": (view) => {
    for (let i = 0; i < CLUSTER; i += 8) {
      view.setBigUint64(AT.REFCOUNTS + i, 2n ** 64n - 1n);
    }
  },
  "a refcount table over the header": entry(48, 0n),
  "a refcount table of itself": entry(
    AT.REFCOUNT_TABLE,
    BigInt(AT.REFCOUNT_TABLE),
  ),
  "refcounts beyond the file": entry(AT.REFCOUNT_TABLE, BigInt(2 ** 40)),
  "no refcounts": entry(AT.REFCOUNT_TABLE, 0n),
  "refcounts of 64 bits that were of 16": (view) => view.setUint32(96, 6),
  "the bit of extended L2 entries": (view) => {
    view.setUint32(20, 14);
    view.setBigUint64(72, 16n);
  },
};

/** Opens an image of some bytes, and reads and changes all of it. */
async function use(bytes: Uint8Array, writable: boolean): Promise<void> {
  const files = new FakeFiles();
  files.write("disk", bytes, 4096);
  const options = { ...imageOptions, writable, cacheSize: 0 };
  let image;
  try {
    image = await openImage("qcow2:disk", options, files.services());
  } catch (error) {
    if (error instanceof UserError) return;
    throw error;
  }
  const { backend, stat: { size } } = image;
  const data = new Uint8Array(CLUSTER).fill(0xaa);
  for (let at = 0; at < size; at += CLUSTER) {
    const length = Math.min(CLUSTER, size - at);
    assertAnswer(await backend.read(at, new Uint8Array(length), 0, length));
    if (!writable) continue;
    assertAnswer(await backend.write(at, data, 0, Math.min(700, length)));
    if (at % 3 === 0) assertAnswer(await backend.flush());
    if (at % 5 !== 0) continue;
    assertAnswer(await backend.zero(at, length, { unmap: true }));
  }
  await image.close();
  assertEquals(files.openCount, 0);
}

/** Requires that a call succeeded, or failed with an expected errno. */
function assertAnswer(result: number): void {
  const isExpected = result >= 0 || result === -ERRNO.EIO ||
    result === -ERRNO.ENOSPC;
  assert(isExpected, `${result}`);
}

for (const [what, change] of Object.entries(HOSTILE)) {
  Deno.test(`an image with ${what} does no harm`, async () => {
    const bytes = buildImage(PLAN);
    change(new DataView(bytes.buffer));
    const start = performance.now();
    for (const writable of [false, true]) await use(bytes, writable);
    assert(performance.now() - start < LIMIT_MS);
  });
}

Deno.test("an L1 entry that is copied and refers to nothing gets a table", async () => {
  const bytes = buildImage(PLAN);
  new DataView(bytes.buffer).setBigUint64(AT.L1, COPIED);
  const files = new FakeFiles();
  files.write("disk", bytes);
  const options = { ...imageOptions, writable: true };
  const image = await openImage("qcow2:disk", options, files.services());
  const data = Uint8Array.from({ length: 700 }, (_, i) => builtByte(i));
  assertEquals(await image.backend.write(0, data, 0, 700), 700);
  await image.close();
  // The header was not taken for the table.
  const again = await openImage("qcow2:disk", options, files.services());
  const got = new Uint8Array(700);
  assertEquals(await again.backend.read(0, got, 0, 700), 700);
  assertEquals(got, data);
  await again.close();
  const raw = await openImage("disk", imageOptions, files.services());
  const header = new Uint8Array(112);
  assertEquals(await raw.backend.read(0, header, 0, 112), 112);
  assertEquals(header, bytes.subarray(0, 112));
  await raw.close();
});
