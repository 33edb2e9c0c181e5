/**
 * Which images are compared with QEMU: a covering set, in which every pair of
 * choices that go together occurs, and images drawn from a seed.
 *
 * @module
 */
import { Random } from "../_random.ts";

/** The choices for an image, by name. */
export const CHOICES = {
  clusterSize: [
    ...[512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536, 131_072],
    ...[262_144, 524_288, 1_048_576, 2_097_152],
  ],
  refcountBits: [1, 2, 4, 8, 16, 32, 64],
  compression: ["none", "zlib", "zstd"],
  extendedL2: [false, true],
  dataFile: ["none", "data", "raw"],
  /** How many images are below it. */
  depth: [0, 1, 2, 3, 4, 5],
  version: ["0.10", "1.1"],
  lazyRefcounts: [false, true],
  snapshot: [false, true],
} as const;

/** The name of a choice. */
type ChoiceName = keyof typeof CHOICES;

/** An image: one of each choice. */
export type ImageCase = {
  readonly [Name in ChoiceName]: typeof CHOICES[Name][number];
};

const NAMES = Object.keys(CHOICES) as ChoiceName[];

/** Cases that are tried for each case of the covering set. */
const CANDIDATES = 30;

/**
 * Whether QEMU makes such an image.
 *
 * @param chosen Choices; what was not chosen yet is left out.
 */
function isPossible(chosen: Partial<ImageCase>): boolean {
  const { clusterSize = 65_536, compression, dataFile = "none" } = chosen;
  if (chosen.extendedL2 === true && clusterSize < 16_384) return false;
  if (dataFile !== "none") {
    if (compression !== undefined && compression !== "none") return false;
    if (chosen.snapshot === true) return false;
  }
  if (chosen.snapshot === true) {
    // Compressed clusters share one refcount, which must not overflow.
    const isShared = compression === "zlib" || compression === "zstd";
    if ((chosen.refcountBits ?? 16) < (isShared ? 8 : 2)) return false;
  }
  if (dataFile === "raw" && (chosen.depth ?? 0) > 0) return false;
  if (chosen.version !== "0.10") return true;
  return compression !== "zstd" && chosen.extendedL2 !== true &&
    dataFile === "none" && chosen.lazyRefcounts !== true &&
    (chosen.refcountBits ?? 16) === 16;
}

/** Draws one case that has the given choices. */
function draw(random: Random, given: Partial<ImageCase>): ImageCase {
  let chosen: Record<string, unknown> = { ...given };
  const order = NAMES.filter((name) => !(name in given));
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  for (const name of order) {
    const values: readonly unknown[] = CHOICES[name];
    const possible = values.filter((value) =>
      isPossible({ ...chosen, [name]: value })
    );
    chosen = { ...chosen, [name]: random.pick(possible) };
  }
  return chosen as unknown as ImageCase;
}

/** The pairs of choices in a case, as text. */
function pairsOf(chosen: Partial<ImageCase>): string[] {
  const all = NAMES.filter((name) => name in chosen).map((name) =>
    `${name}=${chosen[name]}`
  );
  return all.flatMap((one, i) =>
    all.slice(i + 1).map((two) => `${one} ${two}`)
  );
}

/** All pairs that are possible, with their choices. */
function allPairs(): Map<string, Partial<ImageCase>> {
  const pairs = new Map<string, Partial<ImageCase>>();
  NAMES.forEach((one, i) => {
    for (const two of NAMES.slice(i + 1)) {
      for (const a of CHOICES[one]) {
        for (const b of CHOICES[two]) {
          const chosen: Partial<ImageCase> = { [one]: a, [two]: b };
          if (isPossible(chosen)) pairs.set(pairsOf(chosen)[0]!, chosen);
        }
      }
    }
  });
  return pairs;
}

/** Cases in which every possible pair of choices occurs; always the same. */
export function coveringSet(): ImageCase[] {
  const random = new Random(1);
  const missing = allPairs();
  const cases: ImageCase[] = [];
  while (missing.size > 0) {
    const [next] = missing.values();
    const drawn = Array.from({ length: CANDIDATES }, () => draw(random, next!))
      .map((each) => ({
        each,
        gain: pairsOf(each).filter((pair) => missing.has(pair)).length,
      }));
    const best = drawn.reduce((a, b) => a.gain >= b.gain ? a : b);
    for (const pair of pairsOf(best.each)) missing.delete(pair);
    cases.push(best.each);
  }
  return cases;
}

/** Any case. */
export function drawnCase(random: Random): ImageCase {
  return draw(random, {});
}

/** The case as options of `qemu-img create -o`. */
export function createOptions(image: ImageCase): string {
  const { version, compression, dataFile, lazyRefcounts } = image;
  return [
    `cluster_size=${image.clusterSize}`,
    `compat=${version}`,
    ...version === "1.1" ? [`refcount_bits=${image.refcountBits}`] : [],
    ...compression === "zstd" ? ["compression_type=zstd"] : [],
    ...image.extendedL2 ? ["extended_l2=on"] : [],
    ...dataFile === "none" ? [] : ["data_file=data.img"],
    ...dataFile === "raw" ? ["data_file_raw=on"] : [],
    ...lazyRefcounts ? ["lazy_refcounts=on"] : [],
  ].join(",");
}

/** The case in a few words. */
export function caseName(image: ImageCase): string {
  const { depth, compression, snapshot } = image;
  return [
    createOptions(image),
    ...compression === "zlib" ? ["compressed"] : [],
    ...depth === 0 ? [] : [`${depth} below`],
    ...snapshot ? ["a snapshot"] : [],
  ].join(", ");
}
