/** Look-ups while another thread changes, writes and replaces slices. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { geometryOf } from "../../../src/backends/formats/qcow2/geometry.ts";
import { parseHeader } from "../../../src/backends/formats/qcow2/header.ts";
import { L2Entries } from "../../../src/backends/formats/qcow2/l2_entries.ts";
import { Mapping } from "../../../src/backends/mapped/mapping.ts";
import { SliceCache } from "../../../src/backends/mapped/slice_cache.ts";
import { SliceBuffer } from "../../../src/backends/mapped/slice_buffer.ts";
import { TableLookup } from "../../../src/backends/mapped/table_lookup.ts";
import { SliceChanges } from "../../../src/backends/formats/qcow2/writing/slice_changes.ts";
import { buildImage } from "./_build_image.ts";
import { explore } from "./_interleavings.ts";

const CLUSTER = 512;
const plan = { size: 2 ** 20, clusterBits: 9, clusters: ["data"] as const };
const geometry = geometryOf(parseHeader(buildImage(plan), "a"));
const WORDS = geometry.sliceSize / 4;

/** The words of an entry of a cluster that only this disk has. */
const entry = (host: number) => [0x8000_0000 | 0, host];

/** Tables whose one slice is cached; the file has nothing in that slice. */
function tables(change: (writer: SliceChanges) => void) {
  const l1 = new SharedArrayBuffer(4 * 32);
  new Uint32Array(l1).fill(4);
  const cache = SliceCache.create(0, 100, WORDS);
  const writer = new SliceChanges(cache, WORDS, 1);
  writer.add(0, new Int32Array(WORDS), writer.changes(0));
  change(writer);
  const lookup = new TableLookup(
    { geometry, l1, cache },
    new L2Entries(geometry),
    1,
  );
  return { memory: cache, writer, lookup };
}

/** Where the second cluster of the disk is, with the file's slice as it was. */
function look(lookup: TableLookup, staleWords: Uint8Array): number {
  const mapping = new Mapping();
  const slice = new SliceBuffer(geometry.sliceSize);
  while (!lookup.map(CLUSTER, CLUSTER, mapping)) {
    lookup.prepare(CLUSTER, slice);
    slice.bytes.set(staleWords);
    if (lookup.mapRead(slice, CLUSTER, CLUSTER, mapping)) break;
  }
  return mapping.host;
}

/** Looks the second cluster up while the entry of the first one changes. */
function lookDuringChange() {
  const { memory, writer, lookup } = tables((writer) => {
    writer.change(0, 2, entry(8 * CLUSTER));
  });
  return explore({
    memory,
    write: () => void writer.change(0, 0, entry(9 * CLUSTER)),
    read: () =>
      assertEquals(look(lookup, new Uint8Array(CLUSTER)), 8 * CLUSTER),
  });
}

Deno.test("a look-up finds what the file does not have yet, in every order", () => {
  const orders = lookDuringChange();
  assert(orders > 50, `${orders}`);
});

Deno.test("the orders find a look-up that believes what it read of the file", () => {
  const { isCurrent } = SliceCache.prototype;
  SliceCache.prototype.isCurrent = () => true;
  try {
    assertThrows(lookDuringChange);
  } finally {
    SliceCache.prototype.isCurrent = isCurrent;
  }
});

/**
 * Looks the second cluster up while its slice is changed, written to the file,
 * and replaced in the cache by another one.
 */
function lookDuringFlush() {
  const file = new SharedArrayBuffer(4 * WORDS);
  const words = new Int32Array(file);
  const { memory, writer, lookup } = tables((writer) => {
    for (let other = 1; other < 8; other++) {
      writer.add(other, new Int32Array(WORDS), writer.changes(other));
    }
    writer.change(0, 2, entry(8 * CLUSTER));
  });
  return explore({
    memory,
    file,
    write() {
      writer.change(0, 0, entry(9 * CLUSTER));
      const written = new Int32Array(WORDS);
      const slot = writer.takeDirty(written);
      for (let i = 0; i < 4; i++) Atomics.store(words, i, written[i]!);
      writer.written(slot, true);
      writer.add(8, new Int32Array(WORDS), writer.changes(8));
    },
    read() {
      const mapping = new Mapping();
      const slice = new SliceBuffer(geometry.sliceSize);
      const view = new DataView(slice.bytes.buffer);
      while (!lookup.map(CLUSTER, CLUSTER, mapping)) {
        lookup.prepare(CLUSTER, slice);
        for (let i = 0; i < 4; i++) {
          view.setInt32(4 * i, Atomics.load(words, i));
        }
        if (lookup.mapRead(slice, CLUSTER, CLUSTER, mapping)) break;
      }
      assertEquals(mapping.host, 8 * CLUSTER);
    },
  });
}

Deno.test("a look-up finds the newest slice while it moves to the file, in every order", () => {
  const orders = lookDuringFlush();
  assert(orders > 1000, `${orders}`);
});

Deno.test("the orders find a slice that counts although one was written since", () => {
  const { isCurrent } = SliceCache.prototype;
  // Only whether the cache has the slice now, not whether it had a newer one.
  SliceCache.prototype.isCurrent = function (slice) {
    return isCurrent.call(this, slice, this.changes(slice));
  };
  try {
    assertThrows(lookDuringFlush);
  } finally {
    SliceCache.prototype.isCurrent = isCurrent;
  }
});

Deno.test("a slice that was read before a newer one was written does not count", () => {
  const { writer, lookup } = tables(() => {});
  const mapping = new Mapping();
  const slice = new SliceBuffer(geometry.sliceSize);
  lookup.prepare(CLUSTER, slice);
  writer.change(0, 2, entry(8 * CLUSTER));
  const written = new Int32Array(WORDS);
  writer.written(writer.takeDirty(written), true);
  // Other slices of the set take its place.
  for (let other = 1; other <= 16; other++) {
    writer.add(other, new Int32Array(WORDS), writer.changes(other));
  }
  assertEquals(writer.find(0), -1);
  assertEquals(lookup.mapRead(slice, CLUSTER, CLUSTER, mapping), false);
});
