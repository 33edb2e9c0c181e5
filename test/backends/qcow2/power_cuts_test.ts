/**
 * Cuts of the power at every single write of an image: its check finds nothing but
 * leaks, and what was flushed is there. In full:
 * `deno test test/backends/qcow2/power_cuts_test.ts -- --full`.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { createImage } from "../../../src/backends/create_image.ts";
import { COMPATIBLE } from "../../../src/backends/formats/qcow2/constants.ts";
import { parseHeader } from "../../../src/backends/formats/qcow2/header.ts";
import { setBacking } from "../../../src/backends/formats/qcow2/set_backing.ts";
import { openImage } from "../../../src/backends/open_image.ts";
import {
  listSnapshots,
  snapshotImage,
} from "../../../src/backends/snapshot_image.ts";
import { Random, withSeeds } from "../../_random.ts";
import { amount, isFull, tell } from "../../torture/_scale.ts";
import { imageOptions } from "../_image_options.ts";
import {
  buildImage,
  type ClusterKind,
  type ImagePlan,
} from "./_build_image.ts";
import { type CutDisk, cutServices, PATH } from "./_cut_disk.ts";
import {
  assertSound,
  bytesOf,
  changed,
  contentOf,
  load,
  MAX,
  Model,
  SOURCE,
} from "./_cut_model.ts";
import { type Check, type Entry, RecordedDisk } from "./_power_cuts.ts";

const SECTOR = 512;
/** Where a header has its compatible features. */
const COMPATIBLE_AT = 80;
const SEEDS: readonly number[] = Array.from(
  { length: amount(1, 10) },
  (_, i) => i + 1,
);

/** A disk of 96 clusters in two L2 tables, some of each kind at their ends. */
function built(plan: Partial<ImagePlan> = {}): Uint8Array<ArrayBuffer> {
  const version = plan.version ?? 3;
  const kinds: ClusterKind[] = version === 3
    ? ["data", "compressed", "zero", "unallocated", "data", "kept zero"]
    : ["data", "compressed", "unallocated", "data"];
  const clusters = Array.from(
    { length: 20 },
    (_, i) => kinds[i % kinds.length]!,
  );
  return buildImage({ clusterBits: 9, size: 96 * SECTOR, clusters, ...plan });
}

/** A new image whose clusters have subclusters of one sector. */
async function extended(): Promise<Uint8Array> {
  const disk = new RecordedDisk(new Uint8Array(), MAX, new Random(1));
  const services = cutServices(disk, null);
  const created = {
    ...{ file: disk, path: PATH, syncName: () => 0, rename() {} },
    ...{ remove() {}, close() {} },
  };
  const files = { ...services.files, create: () => created };
  await createImage(
    SOURCE,
    {
      ...{ size: 10 * 16_384, backing: null, preallocation: "off" },
      ...{ clusterSize: 16_384, extendedL2: true, dataFile: null },
    },
    imageOptions,
    { ...services, files },
  );
  await changed(disk, (backend) => {
    const data = new Uint8Array(40_000).fill(9);
    assertEquals(backend.write(5000, data, 0, data.length), data.length);
  });
  return bytesOf(disk);
}

/** The image that `built()` makes, with a snapshot that shares its clusters. */
async function shared(): Promise<Uint8Array> {
  const disk = new RecordedDisk(built(), MAX, new Random(1));
  await snapshotImage(SOURCE, "create", "s", 0, cutServices(disk, null));
  return bytesOf(disk);
}

const IMAGES: Readonly<
  Record<string, () => Uint8Array | Promise<Uint8Array>>
> = {
  "small clusters": () => built(),
  "version 2": () => built({ version: 2 }),
  "lazy refcounts": () =>
    built({
      header: (view) =>
        view.setBigUint64(COMPATIBLE_AT, COMPATIBLE.LAZY_REFCOUNTS),
    }),
  "clusters of 4 KiB": () => built({ clusterBits: 12, size: 40 * 4096 }),
  "subclusters": extended,
  "a snapshot": shared,
};

/** Records a load on an image. */
async function recorded(
  name: string,
  random: Random,
): Promise<RecordedDisk> {
  const disk = new RecordedDisk(await IMAGES[name]!(), MAX, random.fork());
  const model = new Model(await contentOf(disk));
  disk.expect(model.check());
  // An image with snapshots keeps its size.
  await load(disk, model, random, 14, name !== "a snapshot");
  return disk;
}

for (const name of Object.keys(IMAGES)) {
  Deno.test(`a cut at any write leaves a sound image, and what was flushed, with ${name}`, () =>
    withSeeds(SEEDS, async (random) => {
      const disk = await recorded(name, random);
      const states = await disk.cutEverywhere(disk.log, random, isFull);
      tell(`${name}: ${states} states after ${disk.log.length} steps`);
      assert(states > 50, `${states} states`);
    }));
}

/** Logs of programs that flush less than they have to. */
const MISTAKES: Readonly<
  Record<string, (log: readonly Entry[]) => readonly Entry[]>
> = {
  "no flush reaches the medium": (log) =>
    log.filter(({ kind }) => kind !== "flush"),
  "only the last flush before an answer reaches the medium": (log) =>
    log.filter(({ kind }, i) =>
      kind !== "flush" || (log[i + 1]?.kind ?? "expect") === "expect"
    ),
};

for (const [mistake, change] of Object.entries(MISTAKES)) {
  Deno.test(`cuts find it if ${mistake}`, async () => {
    const random = new Random(1);
    const disk = await recorded("small clusters", random);
    await assertRejects(() =>
      disk.cutEverywhere(change(disk.log), random, isFull)
    );
  });
}

/** A disk and its snapshots by name. */
type State = Readonly<Record<string, Uint8Array>>;

async function stateOf(disk: CutDisk): Promise<State> {
  const snapshots = await listSnapshots(SOURCE, cutServices(disk, null));
  const state: Record<string, Uint8Array> = { "": await contentOf(disk) };
  for (const { name } of snapshots) state[name] = await contentOf(disk, name);
  return state;
}

/** Requires that an image is in one of some states. */
function oneOf(states: readonly State[]): Check {
  const text = (state: State) =>
    JSON.stringify(Object.entries(state).map(([name, b]) => [name, b.toHex()]));
  const wanted = states.map(text);
  return async (disk) => {
    await assertSound(disk);
    const now = text(await stateOf(disk));
    assert(wanted.includes(now), "neither as before nor as afterwards");
  };
}

Deno.test("a cut at any write leaves a snapshot whole, or none of it", () =>
  withSeeds(SEEDS, async (random) => {
    const disk = new RecordedDisk(built(), MAX, random);
    const services = cutServices(disk, null);
    let states = 0;
    const actions = [
      ...[["create", "a"], ["create", "b"], ["apply", "a"]] as const,
      ...[["delete", "b"], ["delete", "a"]] as const,
    ];
    for (const [i, [action, name]] of actions.entries()) {
      await changed(disk, (backend) => {
        const data = new Uint8Array(7000).fill(20 + i);
        assertEquals(backend.write(3000 * i, data, 0, 7000), 7000);
        assertEquals(backend.zero(20_000 + 2000 * i, 4000, { unmap: true }), 0);
      });
      const before = await stateOf(disk);
      disk.record();
      await snapshotImage(SOURCE, action, name, 0, services);
      const { log } = disk;
      const after = await stateOf(disk);
      const checks: Entry[] = [[before, after], [after]].map((all) => (
        { kind: "expect", check: oneOf(all) }
      ));
      const whole = [checks[0]!, ...log, checks[1]!];
      states += await disk.cutEverywhere(whole, random, isFull);
    }
    tell(`snapshots: ${states} states`);
  }));

/** Names of features as QEMU writes them: more than a sector with the header. */
const FEATURE_NAMES: readonly [number, Uint8Array] = [
  0x6803f857,
  new Uint8Array(8 * 48).fill(0x61),
];
const UNKNOWN: readonly [number, Uint8Array] = [
  0x12345678,
  Uint8Array.of(1, 2, 3),
];

for (const clusterBits of [9, 12]) {
  const size = 2 ** clusterBits;
  // A cluster that is one sector has no room for them.
  const extensions = clusterBits === 9 ? [UNKNOWN] : [FEATURE_NAMES, UNKNOWN];
  Deno.test(`a cut at any write leaves one backing file or the other recorded, and every other extension, in clusters of ${size} bytes`, async () => {
    const backing = { name: "old.img", format: "raw" };
    const random = new Random(1);
    const disk = new RecordedDisk(
      built({ backing, extensions, clusterBits, size: 96 * size }),
      1 << 20,
      random,
    );
    const recorded = (names: readonly (string | null)[]): Check => (cut) => {
      const header = parseHeader(bytesOf(cut).slice(0, size), PATH);
      assert(names.includes(header.backingName), `${header.backingName}`);
      const kept = header.extensions.map(({ type, data }) => [type, data]);
      // Names of features are a help only, and may be missing meanwhile.
      const others = kept.filter(([type]) => type !== FEATURE_NAMES[0]);
      const format = [0xe2792aca, new TextEncoder().encode("raw")];
      const wanted = header.backingName === null ? [] : [format];
      assertEquals(others, [...wanted, UNKNOWN]);
      if (names.length > 1) return Promise.resolve();
      assertEquals(kept.length - others.length, extensions.length - 1);
      return Promise.resolve();
    };
    const options = { ...imageOptions, writable: true };
    const file = await openImage(PATH, options, cutServices(disk, null));
    let before: string | null = backing.name;
    const long = `${"a/".repeat(clusterBits === 9 ? 30 : 400)}long.img`;
    for (const name of ["another.img", null, long, "short.img", long, null]) {
      disk.expect(recorded([before, name]));
      const next = name === null ? null : { name, format: "raw" };
      await setBacking(file.backend, PATH, next);
      disk.expect(recorded([name]));
      before = name;
    }
    assert(await disk.cutEverywhere(disk.log, random, isFull) > 6);
    await file.close();
  });
}
