/** What a writer leaves alone: bitmaps, tables, and an image that was settled. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { ERRNO } from "../../../src/base/errno.ts";
import { TableClusters } from "../../../src/backends/formats/qcow2/writing/table_clusters.ts";
import { randomly } from "../../_random.ts";
import { testIf } from "../../requirements.ts";
import { inDirectory, MISSING, openReal, qemu } from "./_qemu.ts";

const CLUSTER = 4096;
const OFFSET = 0x00ff_ffff_ffff_fe00n;

/** Makes an image with data in its first 16 clusters. */
async function makeImage(
  directory: string,
  options: string = "lazy_refcounts=on",
) {
  const create = ["create", "-q", "-f", "qcow2", "-o"];
  const all = `cluster_size=${CLUSTER},${options}`;
  await qemu(directory, "qemu-img", ...create, all, "a.qcow2", "1M");
  const write = ["-f", "qcow2", "-c", "write -P 7 0 64k", "a.qcow2"];
  await qemu(directory, "qemu-io", ...write);
  return `${directory}/a.qcow2`;
}

const autoclearOf = async (path: string) =>
  new DataView((await Deno.readFile(path)).buffer).getBigUint64(88);

testIf(
  MISSING,
  "bitmaps stay valid until data change, as with QEMU",
  () =>
    inDirectory(async (directory) => {
      const path = await makeImage(directory);
      const add = ["bitmap", "--add", "a.qcow2", "b"];
      await qemu(directory, "qemu-img", ...add);
      const bitmapsOf = async () => {
        const info = await qemu(directory, "qemu-img", "info", "a.qcow2");
        return /bitmaps:/.test(info);
      };
      // QEMU opens it for writing, and so do we.
      await qemu(directory, "qemu-io", "-f", "qcow2", "-c", "read 0 4k", path);
      assertEquals(await autoclearOf(path), 1n);
      const before = await Deno.readFile(path);
      const data = new Uint8Array(CLUSTER).fill(9);
      const open = () => openReal(`qcow2:${path}`, { writable: true });
      const reader = await open();
      assertEquals(await reader.backend.read(0, data, 0, CLUSTER), CLUSTER);
      assertEquals(await reader.backend.flush(), 0);
      await reader.close();
      // The last cluster may be made whole.
      const after = await Deno.readFile(path);
      assertEquals(after.slice(0, before.length), before);
      assertEquals(await bitmapsOf(), true);

      const changes: Record<string, (image: typeof reader) => unknown> = {
        "in place": ({ backend }) => backend.write(0, data, 0, CLUSTER),
        "a new cluster": ({ backend }) => backend.write(800_000, data, 0, 512),
        "zeroes": ({ backend }) => backend.zero(0, CLUSTER, { unmap: true }),
        "the size": ({ backend }) => backend.truncate(1 << 21),
      };
      for (const [name, change] of Object.entries(changes)) {
        await Deno.writeFile(path, before);
        const image = await open();
        // Before it, durably: a crash after the change must not leave the bit.
        const result = await change(image);
        assert(Number(result) >= 0, `${name}: ${result}`);
        assertEquals(await autoclearOf(path), 0n, name);
        await image.close();
        assertEquals(await bitmapsOf(), false, name);
      }
    }),
);

testIf(
  MISSING,
  "other features that a writer does not know are cleared when it opens the image",
  () =>
    inDirectory(async (directory) => {
      const path = await makeImage(directory);
      const bytes = await Deno.readFile(path);
      new DataView(bytes.buffer).setBigUint64(88, 1n << 40n);
      await Deno.writeFile(path, bytes);
      await (await openReal(`qcow2:${path}`, { writable: true })).close();
      assertEquals(await autoclearOf(path), 0n);
    }),
);

testIf(
  MISSING,
  "closing an image that was settled writes nothing",
  () =>
    inDirectory(async (directory) => {
      for (const options of ["lazy_refcounts=on", "lazy_refcounts=off"]) {
        const path = await makeImage(directory, options);
        const image = await openReal(`qcow2:${path}`, { writable: true });
        const { backend } = image;
        const data = new Uint8Array(300_000).fill(9);
        assertEquals(await backend.write(5000, data, 0, 300_000), 300_000);
        assertEquals(await backend.zero(0, 65_536, { unmap: true }), 0);
        assertEquals(await backend.settle?.(), 0);
        const settled = await Deno.readFile(path);
        const { mtime } = await Deno.stat(path);
        await image.close();
        assertEquals(await Deno.readFile(path), settled);
        assertEquals((await Deno.stat(path)).mtime, mtime);
        await qemu(directory, "qemu-img", "check", "-q", "a.qcow2");
        await Deno.remove(path);
      }
    }),
);

/** Places in an image with an L2 table. */
function tablesOf(bytes: Uint8Array<ArrayBuffer>) {
  const view = new DataView(bytes.buffer);
  const l1 = Number(view.getBigUint64(40));
  const l2 = Number(view.getBigUint64(l1) & OFFSET);
  const table = Number(view.getBigUint64(48));
  const block = Number(view.getBigUint64(table));
  return { view, places: { header: 0, l1, l2, table, block } };
}

const COPIED = 1n << 63n;
const DAMAGES: Readonly<Record<string, (at: number) => bigint>> = {
  "an entry of the disk's own": (at) => COPIED | BigInt(at),
  "a shared entry": (at) => BigInt(at),
  "a compressed cluster": (at) => 1n << 62n | BigInt(at),
};

for (const [kind, entry] of Object.entries(DAMAGES)) {
  testIf(
    MISSING,
    `tables stay whole where ${kind} refers to them, and are read without harm`,
    () =>
      inDirectory(async (directory) => {
        const path = await makeImage(directory, "lazy_refcounts=off");
        const bytes = await Deno.readFile(path);
        const { view, places } = tablesOf(bytes);
        for (const [table, at] of Object.entries(places)) {
          // An offset of 0 is no place, but that of a stream may be.
          if (entry(at) % COPIED === 0n) continue;
          const copy = bytes.slice();
          const damaged = new DataView(copy.buffer);
          damaged.setBigUint64(places.l2 + 8, entry(at));
          assert(view.getBigUint64(places.l2 + 8) !== entry(at));
          for (const change of ["write", "part", "zero", "shrink"]) {
            await Deno.writeFile(path, copy);
            const told: string[] = [];
            const services = { tell: (text: string) => void told.push(text) };
            const options = { writable: true };
            const image = await openReal(`qcow2:${path}`, options, services);
            const { backend } = image;
            const data = new Uint8Array(CLUSTER).fill(9);
            const got = await backend.read(CLUSTER, data, 0, CLUSTER);
            assert(got === CLUSTER || got === -ERRNO.EIO, `${got}`);
            const result = await {
              write: () => backend.write(CLUSTER, data, 0, CLUSTER),
              part: () => backend.write(CLUSTER + 512, data, 0, 512),
              zero: () => backend.zero(0, 65_536, { unmap: true }),
              shrink: () => backend.truncate(0),
            }[change]!();
            assertEquals(result, -ERRNO.EIO, `${table}, ${change}`);
            assertEquals(told.length, 1, `${table}, ${change}`);
            assertMatch(told[0]!, /marked as corrupt and takes no more writes/);
            assertEquals(await backend.flush(), 0);
            await image.close();
            const after = await Deno.readFile(path);
            assertEquals(after[79]! & 2, 2, "marked as corrupt");
            after[79] = copy[79]!;
            assertEquals(after, copy, `${table}, ${change}`);
          }
        }
      }),
  );
}

testIf(
  MISSING,
  "an image whose tables overlap is not opened for writing",
  () =>
    inDirectory(async (directory) => {
      const path = await makeImage(directory);
      const bytes = await Deno.readFile(path);
      const { view, places } = tablesOf(bytes);
      view.setBigUint64(places.l1, COPIED | BigInt(places.block));
      await Deno.writeFile(path, bytes);
      const message = await openReal(`qcow2:${path}`, { writable: true }).then(
        () => "",
        (error) => error.message,
      );
      assertMatch(message, /^Cannot write to .*: its tables overlap, or lie/);
      await (await openReal(`qcow2:${path}`)).close();
    }),
);

Deno.test("clusters of tables are found, and not after they were removed", () =>
  randomly(20, (random) => {
    const tables = new TableClusters(TableClusters.create(random.below(500)));
    const model = new Set<number>();
    const range = random.pick([50, 5000, 2 ** 32 - 2]);
    for (let i = 0; i < 3000; i++) {
      const cluster = random.below(range);
      if (random.oneIn(2) || model.size > 400) {
        const [any = cluster] = model;
        const gone = random.oneIn(2) ? any : cluster;
        tables.remove(gone);
        model.delete(gone);
      } else {
        assertEquals(tables.add(cluster), !model.has(cluster));
        model.add(cluster);
      }
      assertEquals(tables.has(cluster), model.has(cluster));
    }
    for (const cluster of model) assert(tables.has(cluster));
    assertEquals(tables.has(2 ** 40), false);
    assertEquals(tables.overlaps(2 ** 52, 8192, 512), false);
  }));
