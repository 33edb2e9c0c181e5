/** VMDK images that QEMU's tools made, of every kind, byte for byte. */
import { assert, assertEquals } from "@std/assert";
import { type ImageRange, mapImage } from "../../../src/backends/image_map.ts";
import type { ImageOptions } from "../../../src/backends/driver.ts";
import { type Random, randomly } from "../../_random.ts";
import { testIf } from "../../requirements.ts";
import {
  assertSameBytes,
  inDirectory,
  MISSING,
  openReal,
  qemu,
} from "../qcow2/_qemu.ts";
import { buildSparse, descriptorText } from "./_build_vmdk.ts";

/** Not a multiple of a grain. */
const SIZE = 3_000_320;

const KINDS: readonly string[] = [
  "subformat=monolithicSparse",
  "subformat=monolithicSparse,zeroed_grain=on",
  "subformat=monolithicSparse,adapter_type=lsilogic,hwversion=6",
  "subformat=monolithicFlat",
  "subformat=twoGbMaxExtentSparse",
  "subformat=twoGbMaxExtentSparse,zeroed_grain=on",
  "subformat=twoGbMaxExtentFlat",
];

/** A disk with runs of data, repeated bytes, and zeroes. */
function drawDisk(random: Random): Uint8Array<ArrayBuffer> {
  const disk = new Uint8Array(SIZE);
  for (let i = 0; i < 12; i++) {
    const at = random.below(SIZE);
    const length = random.below(Math.min(SIZE - at, 200_000));
    if (random.oneIn(2)) disk.set(random.bytes(length), at);
    else disk.fill(random.below(256), at, at + length);
  }
  return disk;
}

/** Writes some bytes of an image, at random. */
async function change(directory: string, random: Random): Promise<void> {
  const commands = Array.from({ length: 20 }, () => {
    const at = random.below(SIZE / 512) * 512;
    const most = Math.min(SIZE - at, random.pick([512, 8192, 200_192]));
    const length = Math.max(512, Math.floor(most / 512) * 512);
    const how = random.pick(["-z", `-P ${1 + random.below(255)}`]);
    return ["-c", `write ${how} ${at} ${length}`];
  });
  const args = ["-f", "vmdk", ...commands.flat(), "a.vmdk"];
  await qemu(directory, "qemu-io", ...args);
}

/** Compares an image with what `qemu-img convert` makes of it. */
async function compare(
  directory: string,
  image: string,
  options: Partial<ImageOptions> = {},
): Promise<void> {
  const convert = ["convert", "-f", "vmdk", "-O", "raw", image, "wanted.raw"];
  await qemu(directory, "qemu-img", ...convert);
  const wanted = await Deno.readFile(`${directory}/wanted.raw`);
  await assertSameBytes(`vmdk:${directory}/${image}`, wanted, options);
}

/** A range as qemu-img prints it, without what it says of files. */
type Told = Pick<ImageRange, "start" | "length" | "zero" | "data" | "depth">;

/** QEMU calls a hole of a flat extent data that is zeroes. */
const told = ({ start, length, zero, data, depth }: Told): Told => {
  return { start, length, zero, data: data && !zero, depth };
};

/** Neighbours that are alike, as one. */
function joined(ranges: readonly Told[]): Told[] {
  const all: Told[] = [];
  for (const next of ranges.map(told)) {
    const last = all.at(-1);
    const isSame = last?.zero === next.zero && last.data === next.data &&
      last.depth === next.depth;
    if (isSame) all.pop();
    all.push(
      isSame
        ? { ...next, start: last.start, length: last.length + next.length }
        : next,
    );
  }
  return all;
}

/** Compares the map of an image with that of `qemu-img map`. */
async function compareMaps(directory: string, image: string): Promise<void> {
  const map = ["map", "--output=json", "-f", "vmdk", image];
  const said = JSON.parse(await qemu(directory, "qemu-img", ...map));
  const opened = await openReal(`vmdk:${directory}/${image}`);
  const ranges = await Array.fromAsync(mapImage(opened.backend));
  await opened.close();
  assertEquals(joined(ranges), joined(said), image);
}

for (const kind of KINDS) {
  testIf(
    MISSING,
    `QEMU's VMDK image with ${kind} reads as QEMU reads it`,
    () =>
      randomly(1, (random) =>
        inDirectory(async (directory) => {
          await Deno.writeFile(`${directory}/a.raw`, drawDisk(random));
          const convert = ["convert", "-O", "vmdk", "-o", kind];
          await qemu(directory, "qemu-img", ...convert, "a.raw", "a.vmdk");
          await change(directory, random);
          await compare(directory, "a.vmdk");
          await compare(directory, "a.vmdk", { cacheSize: 0 });
          await compareMaps(directory, "a.vmdk");
        })),
  );
}

testIf(
  MISSING,
  "a streamOptimized VMDK image reads as its source",
  () =>
    randomly(1, (random) =>
      inDirectory(async (directory) => {
        const disk = drawDisk(random);
        await Deno.writeFile(`${directory}/a.raw`, disk);
        const kind = "subformat=streamOptimized";
        const convert = ["convert", "-O", "vmdk", "-o", kind];
        await qemu(directory, "qemu-img", ...convert, "a.raw", "a.vmdk");
        const image = `${directory}/a.vmdk`;
        await assertSameBytes(`vmdk:${image}`, disk);
        await assertSameBytes(`vmdk:${image}`, disk, { cacheSize: 0 });
        await compareMaps(directory, "a.vmdk");
        // VMware writes the grain directory at the end, which only a footer tells.
        await moveDirectoryToFooter(image);
        await compare(directory, "a.vmdk");
        await assertSameBytes(`vmdk:${image}`, disk);
      })),
);

async function moveDirectoryToFooter(path: string): Promise<void> {
  const bytes = await Deno.readFile(path);
  const header = bytes.slice(0, 512);
  const footer = new Uint8Array(3 * 512);
  footer[12] = 3;
  footer.set(header, 512);
  new DataView(bytes.buffer).setBigUint64(56, 2n ** 64n - 1n, true);
  await Deno.writeFile(path, bytes);
  await Deno.writeFile(path, footer, { append: true });
}

testIf(
  MISSING,
  "chains of QEMU's VMDK images read as QEMU reads them",
  () =>
    randomly(1, (random) =>
      inDirectory(async (directory) => {
        await Deno.writeFile(`${directory}/a.raw`, drawDisk(random));
        const convert = ["convert", "-O", "vmdk", "a.raw", "0.vmdk"];
        await qemu(directory, "qemu-img", ...convert);
        for (
          const [i, kind] of ["monolithicSparse", "twoGbMaxExtentSparse"]
            .entries()
        ) {
          const subformat = ["-o", `subformat=${kind}`];
          const create = ["create", "-q", "-f", "vmdk", ...subformat];
          const backing = ["-b", `${i}.vmdk`, "-F", "vmdk", "a.vmdk"];
          await qemu(directory, "qemu-img", ...create, ...backing);
          await change(directory, random);
          await compare(directory, "a.vmdk");
          await compare(directory, "a.vmdk", { cacheSize: 0 });
          await compareMaps(directory, "a.vmdk");
          if (i > 0) break;
          await Deno.rename(`${directory}/a.vmdk`, `${directory}/1.vmdk`);
        }
        const { size } = await Deno.stat(`${directory}/1.vmdk`);
        assert(size > 65_536);
      })),
);

testIf(
  MISSING,
  "an extent of ESX reads as QEMU reads it",
  () =>
    inDirectory(async (directory) => {
      const bytes = buildSparse({
        size: SIZE,
        isCowd: true,
        grainSize: 512,
        grains: ["data", "unallocated", "data", "data"],
      });
      await Deno.writeFile(`${directory}/a-s.vmdk`, bytes);
      const extent = `RW ${SIZE / 512} VMFSSPARSE "a-s.vmdk"`;
      const text = descriptorText([extent], "vmfsSparse");
      await Deno.writeTextFile(`${directory}/a.vmdk`, text);
      await compare(directory, "a.vmdk");
    }),
);
