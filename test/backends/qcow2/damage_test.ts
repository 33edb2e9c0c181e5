/** Damage that is found while an image is used. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { ERRNO } from "../../../src/base/errno.ts";
import { testIf } from "../../requirements.ts";
import { inDirectory, MISSING, openReal, qemu } from "./_qemu.ts";

const SIZE = 1 << 20;
const CLUSTER = 65_536;

/** An image whose second cluster is mapped to no place that there can be. */
async function damaged(directory: string, version: "0.10" | "1.1") {
  const path = `${directory}/a.qcow2`;
  const create = ["create", "-q", "-f", "qcow2", "-o", `compat=${version}`];
  await qemu(directory, "qemu-img", ...create, "a.qcow2", `${SIZE}`);
  const write = ["-f", "qcow2", "-c", "write -P 7 0 256k", "a.qcow2"];
  await qemu(directory, "qemu-io", ...write);
  const bytes = await Deno.readFile(path);
  const view = new DataView(bytes.buffer);
  const l1 = Number(view.getBigUint64(40));
  const l2 = Number(view.getBigUint64(l1) & 0x00ff_ffff_ffff_fe00n);
  view.setBigUint64(l2 + 8, view.getBigUint64(l2 + 8) + 512n);
  await Deno.writeFile(path, bytes);
  return path;
}

const isMarked = async (path: string) =>
  ((await Deno.readFile(path))[79]! & 2) !== 0;

for (const version of ["0.10", "1.1"] as const) {
  testIf(
    MISSING,
    `an image with compat=${version} that turns out to be damaged takes no more writes`,
    () =>
      inDirectory(async (directory) => {
        const path = await damaged(directory, version);
        const told: string[] = [];
        const services = { tell: (text: string) => void told.push(text) };
        const options = { writable: true };
        const image = await openReal(`qcow2:${path}`, options, services);
        const { backend } = image;
        const data = new Uint8Array(CLUSTER).fill(9);
        const write = (cluster: number) =>
          backend.write(cluster * CLUSTER, data, 0, CLUSTER);
        assertEquals(await write(8), CLUSTER);
        assertEquals(await backend.read(CLUSTER, data, 0, 512), -ERRNO.EIO);
        assertEquals(await backend.read(CLUSTER, data, 0, 512), -ERRNO.EIO);
        assertEquals(told.length, 1, told.join());
        assertMatch(
          told[0]!,
          /is damaged: its table at byte 65536 of the disk/,
        );
        assertEquals(await write(0), -ERRNO.EIO);
        assertEquals(await write(9), -ERRNO.EIO);
        const unmap = { unmap: true };
        assertEquals(await backend.zero(0, CLUSTER, unmap), -ERRNO.EIO);
        assertEquals(await backend.truncate(512), -ERRNO.EIO);
        // What was written before is durable, and other clusters are read.
        assertEquals(await backend.flush(), 0);
        const got = new Uint8Array(CLUSTER);
        assertEquals(await backend.read(8 * CLUSTER, got, 0, CLUSTER), CLUSTER);
        assert(got.every((byte) => byte === 9));
        await image.close();
        assertEquals(await isMarked(path), version === "1.1");
        const read = ["-r", "-f", "qcow2", "-c", `read -P 9 512k 64k`];
        await qemu(directory, "qemu-io", ...read, "a.qcow2");
      }),
  );
}

testIf(
  MISSING,
  "a write finds damage too, and a reader does not mark it",
  () =>
    inDirectory(async (directory) => {
      for (const writable of [true, false]) {
        const path = await damaged(directory, "1.1");
        const told: string[] = [];
        const services = { tell: (text: string) => void told.push(text) };
        const image = await openReal(`qcow2:${path}`, { writable }, services);
        const data = new Uint8Array(512);
        const result = writable
          ? await image.backend.write(CLUSTER, data, 0, 512)
          : await image.backend.read(CLUSTER, data, 0, 512);
        assertEquals(result, -ERRNO.EIO);
        assertEquals(told.length, 1);
        await image.close();
        assertEquals(await isMarked(path), writable);
        if (!writable) continue;
        // The next reader is told.
        const next = await openReal(`qcow2:${path}`, {}, services);
        await next.close();
        assertMatch(told[1]!, /is marked as corrupt/);
      }
    }),
);
