/**
 * Images that QEMU makes and changes, with images below them.
 *
 * @module
 */
import type { Random } from "../_random.ts";
import { createOptions, drawnCase, type ImageCase } from "./plan.ts";
import type { QemuTools } from "./tools.ts";

/** The name of the image at the top. */
export const TOP = "top.qcow2";
/** The name of its snapshot. */
export const SNAPSHOT = "before";

/** Commands of qemu-io that write. */
const WRITES = 25;
/** Commands of qemu-io that write compressed clusters. */
const COMPRESSED = 10;

/**
 * Makes the image of a case, and images below it that are shorter, longer, and
 * of any kind.
 *
 * @param directory Where the files go.
 * @returns The names of the images below it.
 */
export async function buildChain(
  tools: QemuTools,
  directory: string,
  image: ImageCase,
  random: Random,
): Promise<string[]> {
  const size = drawSize(image, random);
  const below: string[] = [];
  let backing: string[] = [];
  for (let left = image.depth; left > 0; left--) {
    const name = `below-${left}.img`;
    const length = Math.floor(size * random.pick([0.5, 1, 1, 1.3]) / 512) * 512;
    if (left === image.depth && random.oneIn(2)) {
      await makeRaw(directory, name, length - random.pick([0, 77]), random);
      backing = ["-b", name, "-F", "raw"];
    } else {
      const kind = kindBelow(random);
      const options = createOptions(kind);
      await create(tools, directory, name, length, options, backing);
      await change(tools, directory, name, { random, size: length, kind });
      backing = ["-b", name, "-F", "qcow2"];
    }
    below.unshift(name);
  }
  const options = createOptions(image);
  await create(tools, directory, TOP, size, options, backing);
  const changes = { random, size, kind: image };
  await change(tools, directory, TOP, changes);
  if (image.snapshot) {
    await tools.img(directory, "snapshot", "-c", SNAPSHOT, TOP);
    await change(tools, directory, TOP, changes);
  }
  return below;
}

/** Lets QEMU write to an image, in every way. */
export async function change(
  tools: QemuTools,
  directory: string,
  image: string,
  { random, size, kind }: { random: Random; size: number; kind: ImageCase },
): Promise<void> {
  const { clusterSize, compression } = kind;
  const clusters = Math.floor(size / clusterSize);
  if (compression !== "none" && clusters > 0) {
    // By a process of its own: QEMU 7.2 would share a discarded cluster.
    const list = Array.from({ length: COMPRESSED }, () => {
      const at = random.below(clusters) * clusterSize;
      return `write -c -P ${1 + random.below(255)} ${at} ${clusterSize}`;
    });
    await tools.io(directory, image, list);
  }
  const list = Array.from({ length: WRITES }, () => {
    const unit = random.pick([512, 4096, clusterSize]);
    const at = random.below(Math.ceil(size / unit)) * unit;
    const most = Math.min(size - at, random.pick([unit, 8 * clusterSize]));
    const length = Math.max(512, Math.floor(most / 512) * 512);
    const how = random.pick([
      ...["write -z", "write -z -u", "discard"],
      ...Array.from({ length: 4 }, () => `write -P ${1 + random.below(255)}`),
    ]);
    return `${how} ${at} ${length}`;
  });
  await tools.io(directory, image, list);
}

/** Sizes in whole sectors: some clusters of 2 MiB, many of 512 bytes. */
function drawSize({ clusterSize }: ImageCase, random: Random): number {
  const least = Math.max(1_500_000, 5 * clusterSize);
  const size = least + random.below(least);
  return Math.floor(size / 512) * 512;
}

/** An image that may lie below others, of moderate clusters. */
function kindBelow(random: Random): ImageCase {
  for (;;) {
    const kind = drawnCase(random);
    if (kind.dataFile === "none" && kind.clusterSize <= 262_144) return kind;
  }
}

async function create(
  tools: QemuTools,
  directory: string,
  name: string,
  size: number,
  options: string,
  backing: readonly string[],
): Promise<void> {
  const args = ["create", "-q", "-f", "qcow2", "-o", options, ...backing];
  await tools.img(directory, ...args, name, `${size}`);
}

/** A raw file of random bytes with holes. */
async function makeRaw(
  directory: string,
  name: string,
  size: number,
  random: Random,
): Promise<void> {
  using file = await Deno.create(`${directory}/${name}`);
  await file.truncate(size);
  for (let at = 0; at < size; at += 65_536) {
    if (random.oneIn(3)) continue;
    await file.seek(at, Deno.SeekMode.Start);
    const length = Math.min(65_536, size - at);
    await file.write(new Uint8Array(length).fill(1 + random.below(255)));
  }
}
