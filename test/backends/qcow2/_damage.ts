/**
 * Images of QEMU's, and damage to their tables.
 *
 * @module
 */
import type { Random } from "../../_random.ts";
import { qemu } from "./_qemu.ts";

/** Options of `qemu-img create -o`. */
export const DAMAGE_KINDS: readonly string[] = [
  "cluster_size=512",
  "cluster_size=4k",
  "cluster_size=64k",
  "compat=0.10,cluster_size=4k",
  "refcount_bits=1,cluster_size=1k",
  "refcount_bits=2,cluster_size=512",
  "refcount_bits=32,cluster_size=512",
  "refcount_bits=64,cluster_size=512",
  "extended_l2=on,cluster_size=16k",
  "data_file=data.img,cluster_size=4k",
];

/** Makes an image with clusters of every kind, snapshots and bitmaps. */
export async function makeUsedImage(
  directory: string,
  kind: string,
  random: Random,
): Promise<void> {
  const size = 200_000 + 512 * random.below(2000);
  const create = ["create", "-q", "-f", "qcow2", "-o", kind];
  await qemu(directory, "qemu-img", ...create, "a.qcow2", `${size}`);
  const hasSnapshots = !/data_file|refcount_bits=1,/.test(kind);
  const hows = /data_file/.test(kind) ? ["", "-z "] : ["", "", "-z ", "-c "];
  for (let round = 0; round < 3; round++) {
    // QEMU 7.2 damages an image where one process both compresses and discards.
    const how = random.pick(hows);
    const commands: string[] = [];
    for (let i = 0; i < 4; i++) {
      const unit = 65_536;
      const at = random.below(Math.floor(size / unit)) * unit;
      const pattern = how === "-z " ? "" : `-P ${1 + random.below(255)} `;
      commands.push("-c", `write ${how}${pattern}${at} ${unit}`);
    }
    // QEMU does not compress what is allocated already.
    await new Deno.Command("qemu-io", {
      args: ["-f", "qcow2", ...commands, "a.qcow2"],
      cwd: directory,
    }).output();
    if (hasSnapshots && random.oneIn(2)) {
      // Two bits of a refcount may be too few for it.
      await new Deno.Command("qemu-img", {
        args: ["snapshot", "-c", `s${round}`, "a.qcow2"],
        cwd: directory,
      }).output();
    }
  }
  if (random.oneIn(3) && !kind.includes("compat=0.10")) {
    await qemu(directory, "qemu-img", "bitmap", "--add", "a.qcow2", "b");
  }
}

/** Changes one or a few words of the tables of an image. */
export function damage(image: Uint8Array<ArrayBuffer>, random: Random): void {
  const view = new DataView(image.buffer);
  for (let i = 1 + random.below(3); i > 0; i--) {
    const places = tablesOf(view);
    const [at, words] = random.pick(places);
    const place = at + 8 * random.below(words);
    const other = at + 8 * random.below(words);
    if (place + 8 > image.length || other + 8 > image.length) continue;
    const old = view.getBigUint64(place);
    const clusterSize = BigInt(2 ** view.getUint32(20));
    const next = random.pick([
      () => old ^ (1n << BigInt(random.below(64))),
      () => 0n,
      () => view.getBigUint64(other),
      () => old + clusterSize,
      () => old + 512n,
      () => BigInt(random.below(1000)) * clusterSize,
      () => 1n << 63n | BigInt(random.below(200)) * clusterSize,
      () => (1n << 56n) - clusterSize,
    ])();
    view.setBigUint64(place, BigInt.asUintN(64, next));
  }
}

/** Where tables are, and how many entries of eight bytes they have in use. */
function tablesOf(view: DataView): (readonly [number, number])[] {
  const clusterSize = 2 ** view.getUint32(20);
  const l1 = Number(view.getBigUint64(40));
  const entries = view.getUint32(36);
  const table = Number(view.getBigUint64(48));
  const places: (readonly [number, number])[] = [[l1, entries], [table, 2]];
  const inFile = (at: bigint) => at > 0n && at < BigInt(view.byteLength);
  for (let i = 0; i < entries && l1 + 8 * i + 8 <= view.byteLength; i++) {
    const at = view.getBigUint64(l1 + 8 * i) & 0x00ff_ffff_ffff_fe00n;
    if (inFile(at)) places.push([Number(at), Math.min(clusterSize / 8, 64)]);
  }
  if (table + 8 <= view.byteLength) {
    const block = view.getBigUint64(table);
    if (inFile(block)) {
      places.push([Number(block), Math.min(clusterSize / 8, 40)]);
    }
  }
  return places;
}
