/** The check of images and their repair, beside those of QEMU. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { randomly, withSeeds } from "../../_random.ts";
import { testIf } from "../../requirements.ts";
import {
  checkByQemu,
  checkByUs,
  compareChecks,
  compareRepairs,
  repairs,
} from "./_check_beside_qemu.ts";
import { DAMAGE_KINDS } from "./_damage.ts";
import { inDirectory, MISSING, openReal, qemu } from "./_qemu.ts";

/** Damaged images of each kind and seed. */
const IMAGES = 12;
/** Seeds for every kind; `deno task oracle:check` takes others. */
const SEEDS = [2, 607048524];
/** Seeds whose images had different verdicts once, by kind. */
const FOUND: Readonly<Record<string, readonly number[]>> = {
  "compat=0.10,cluster_size=4k": [1],
  "refcount_bits=1,cluster_size=1k": [1, 8, 451789471, 2399823090],
  "refcount_bits=32,cluster_size=512": [2078874976],
  "data_file=data.img,cluster_size=4k": [451789471],
};

for (const kind of DAMAGE_KINDS) {
  const seeds = [...SEEDS, ...FOUND[kind] ?? []];
  testIf(
    MISSING,
    `QEMU finds as much damage as our check, with ${kind}`,
    () => withSeeds(seeds, (random) => compareChecks(kind, IMAGES, random)),
  );
  testIf(
    MISSING,
    `what our repair leaves has no damage that QEMU could have repaired, with ${kind}`,
    () => withSeeds(seeds, (random) => compareRepairs(kind, IMAGES, random)),
  );
}

testIf(
  MISSING,
  "a table that begins where the file ends is damage",
  () =>
    inDirectory(async (directory) => {
      const create = ["create", "-q", "-f", "qcow2", "-o", "cluster_size=4k"];
      await qemu(directory, "qemu-img", ...create, "a.qcow2", "1M");
      const bytes = await Deno.readFile(`${directory}/a.qcow2`);
      const size = Math.ceil(bytes.length / 4096) * 4096;
      const image = new Uint8Array(size);
      image.set(bytes);
      const view = new DataView(image.buffer);
      const l1 = Number(view.getBigUint64(40));
      view.setBigUint64(l1, BigInt(size) | 1n << 63n);
      await Deno.writeFile(`${directory}/a.qcow2`, image);
      const ours = await checkByUs(directory);
      const theirs = await checkByQemu(directory);
      assert(!("refusal" in ours) && !("refusal" in theirs));
      const { report, ...numbers } = ours;
      assertEquals(numbers, theirs, JSON.stringify(report.damage));
      assertEquals(
        report.damage.map(({ kind }) => kind).includes("BEYOND_END"),
        true,
      );
    }),
);

/** An image of 1 MiB with data at its start, and its tables. */
async function simpleImage(directory: string) {
  const create = ["create", "-q", "-f", "qcow2", "-o", "cluster_size=4k"];
  await qemu(directory, "qemu-img", ...create, "a.qcow2", "1M");
  const write = ["-f", "qcow2", "-c", "write -P 7 0 64k", "a.qcow2"];
  await qemu(directory, "qemu-io", ...write);
  const path = `${directory}/a.qcow2`;
  const bytes = await Deno.readFile(path);
  const view = new DataView(bytes.buffer);
  const l1 = Number(view.getBigUint64(40));
  const l2 = Number(view.getBigUint64(l1) & 0x00ff_ffff_ffff_fe00n);
  const save = () => Deno.writeFile(path, bytes);
  return { path, bytes, view, l1, l2, save };
}

testIf(
  MISSING,
  "an entry without data forgets a place that makes no sense when all is repaired",
  () =>
    inDirectory(async (directory) => {
      const { view, l2, save } = await simpleImage(directory);
      const offset = view.getBigUint64(l2) & 0x00ff_ffff_ffff_fe00n;
      view.setBigUint64(l2, (offset + 512n) | 1n << 63n | 1n);
      await save();
      const before = await checkByUs(directory);
      assert(!("refusal" in before));
      assertEquals(
        before.report.damage.map(({ kind }) => kind).includes("UNALIGNED"),
        true,
      );
      assertEquals(await repairs(directory, "all"), true);
      await qemu(directory, "qemu-img", "check", "-q", "a.qcow2");
      const reads = ["-c", "read -P 0 0 4k", "-c", "read -P 7 4k 60k"];
      await qemu(directory, "qemu-io", "-f", "qcow2", ...reads, "a.qcow2");
    }),
);

testIf(
  MISSING,
  "tables that share clusters with something else are damage, though QEMU counts none, and a repair leaves them alone",
  () =>
    inDirectory(async (directory) => {
      const { path, bytes, view, l1, l2, save } = await simpleImage(directory);
      // The second cluster of the disk is the L1 table; both have their count.
      const block = Number(view.getBigUint64(Number(view.getBigUint64(48))));
      const lost = Number(view.getBigUint64(l2 + 8) & 0xff_ffff_ffff_fe00n);
      view.setBigUint64(l2 + 8, BigInt(l1));
      view.setUint16(block + 2 * lost / 4096, 0);
      view.setUint16(block + 2 * l1 / 4096, 2);
      // A flag is wrong in a table that is fine.
      view.setBigUint64(l2, view.getBigUint64(l2) ^ 1n << 63n);
      await save();
      assertEquals(await repairs(directory, "all"), true);
      const theirs = await checkByQemu(directory);
      assertEquals(theirs, { corruptions: 0, leaks: 0, unreadable: 0 });
      const ours = await checkByUs(directory);
      assert(!("refusal" in ours));
      assertEquals(ours.report.damage, [{
        kind: "OVERLAP",
        count: 1,
        first: `the L1 table at ${l1}`,
      }]);
      const after = await Deno.readFile(path);
      assertEquals(after.slice(l1, l1 + 4096), bytes.slice(l1, l1 + 4096));
    }),
);

testIf(
  MISSING,
  "new refcounts are not put where entries lead that lead nowhere",
  () =>
    inDirectory(async (directory) => {
      const { path, bytes, view, l2, save } = await simpleImage(directory);
      view.setBigUint64(l2, BigInt(bytes.length) | 1n << 63n);
      const table = Number(view.getBigUint64(48));
      view.setBigUint64(table, view.getBigUint64(table) + 512n);
      await save();
      assertEquals(await repairs(directory, "all"), false);
      assertEquals(await Deno.readFile(path), bytes);
    }),
);

testIf(
  MISSING,
  "an image that was not closed is repaired when it is opened for writing",
  () =>
    randomly(4, (random) =>
      inDirectory(async (directory) => {
        const image = `${directory}/a.qcow2`;
        const kind = random.pick(["64k", "4k", "512"]);
        const lazy = `lazy_refcounts=on,cluster_size=${kind}`;
        const create = ["create", "-q", "-f", "qcow2", "-o", lazy];
        await qemu(directory, "qemu-img", ...create, "a.qcow2", "2M");
        // QEMU is killed, so that it does not write its refcounts.
        await new Deno.Command("qemu-io", {
          args: [
            ...["-f", "qcow2", "-c", "write -P 7 0 1M", "-c", "flush"],
            ...["-c", "sigraise 9", "a.qcow2"],
          ],
          cwd: directory,
        }).output();
        const info = await qemu(directory, "qemu-img", "info", "-U", "a.qcow2");
        assert(info.includes("corrupt: false"), info);
        const bytes = await Deno.readFile(image);
        assertEquals(bytes[79]! & 1, 1, "dirty");
        const told: string[] = [];
        const opened = await openReal(
          `qcow2:${image}`,
          { writable: true },
          { tell: (text) => void told.push(text) },
        );
        assertEquals(told.length, 1);
        assertMatch(told[0]!, /^Repaired .*a\.qcow2, which was not closed/);
        const data = new Uint8Array(70_000).fill(9);
        const put = await opened.backend.write(1_500_000, data, 0, 70_000);
        assertEquals(put, 70_000);
        assertEquals(await opened.backend.flush(), 0);
        // Refcounts come at the end, so that the image is dirty until then.
        assertEquals((await Deno.readFile(image))[79]! & 1, 1, "dirty");
        await opened.close();
        assertEquals((await Deno.readFile(image))[87]! & 1, 1, "lazy");
        await qemu(directory, "qemu-img", "check", "-q", "a.qcow2");
        assertEquals((await Deno.readFile(image))[79]! & 1, 0, "dirty");
        await qemu(
          directory,
          "qemu-io",
          ...["-f", "qcow2", "-c", "read -P 7 0 1M"],
          ...["-c", "read -P 9 1500000 70000", "a.qcow2"],
        );
      })),
);
