/**
 * Images of every kind, and ways to damage them.
 *
 * @module
 */
import type { Random } from "../_random.ts";
import type { ImagePlan } from "../backends/qcow2/_build_image.ts";

const BASE = { name: "base", format: "raw" };
const ALL = ["data", "zero", "compressed", "kept zero", "unallocated"] as const;

/** Images to damage. */
export const PLANS: readonly ImagePlan[] = [
  { size: 9000, clusterBits: 9, clusters: [...ALL, ...ALL] },
  { size: 100_000, clusterBits: 12, clusters: ALL, compression: "zstd" },
  {
    size: 50_000,
    clusterBits: 12,
    version: 2,
    clusters: ["data", "compressed"],
  },
  { size: 70_000, clusterBits: 12, clusters: ALL, backing: BASE },
  {
    size: 40_000,
    clusterBits: 12,
    dataFile: "data",
    clusters: ["data", "zero"],
  },
  {
    size: 300_000,
    clusterBits: 14,
    clusters: ["data", "unallocated"],
    header: (view) => view.setBigUint64(72, 16n),
  },
];

const NASTY: readonly bigint[] = [
  0n,
  1n,
  511n,
  512n,
  4096n,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  2n ** 53n - 1n,
  2n ** 62n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
];

/** A damaged copy of an image: mostly of its header and tables. */
export function damage(
  image: Uint8Array<ArrayBuffer>,
  { clusterBits = 16 }: ImagePlan,
  random: Random,
): Uint8Array<ArrayBuffer> {
  const bytes = image.slice();
  const view = new DataView(bytes.buffer);
  const clusterSize = 2 ** clusterBits;
  const clusters = Math.floor(bytes.length / clusterSize);
  const place = (): number => {
    switch (random.below(4)) {
      case 0:
        return random.below(112);
      case 1:
        return random.below(Math.min(400, clusterSize));
      case 2:
        // The first entries of a table.
        return random.below(clusters) * clusterSize + random.below(128);
      default:
        return random.below(bytes.length);
    }
  };
  const flags = () => BigInt(random.below(4)) << 62n | BigInt(random.below(2));
  for (let i = 1 + random.below(4); i > 0; i--) {
    const at = place();
    const word = Math.min(at & ~7, bytes.length - 8);
    const cluster = BigInt(random.below(clusters + 2) * clusterSize);
    switch (random.below(6)) {
      case 0:
        bytes[at]! ^= 1 << random.below(8);
        break;
      case 1:
        bytes[at] = random.below(256);
        break;
      case 2:
        view.setBigUint64(word, random.pick(NASTY));
        break;
      case 3:
        view.setUint32(at & ~3, Number(random.pick(NASTY) & 0xffff_ffffn));
        break;
      case 4:
        // Another cluster, with flags: tables over each other and over data.
        view.setBigUint64(word, cluster | flags());
        break;
      default:
        bytes.copyWithin(at, random.below(bytes.length), at + 64);
    }
  }
  return random.oneIn(12) ? bytes.slice(0, random.below(bytes.length)) : bytes;
}
