/**
 * Many damaged images of one kind, each used for a short time.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { FakeFiles } from "../backends/_fake_files.ts";
import { Random } from "../_random.ts";
import { type FuzzCase, MAPPED_CASES } from "./_image_cases.ts";
import { ImageCopy } from "./_image_copy.ts";
import { ImageUse } from "./_image_use.ts";
import { READ_ONLY_CASES } from "./_read_only_cases.ts";
import { Qcow2Fuzzer } from "./_qcow2_fuzz.ts";

/** What is damaged. */
export const FUZZ_KINDS = [
  "qcow2",
  "vmdk",
  "ova",
  "vhd",
  "vhdx",
  "zst",
  "partitions",
] as const;
/** One of {@linkcode FUZZ_KINDS}. */
export type FuzzKind = typeof FUZZ_KINDS[number];

/** Damages images one by one, and uses each. */
export interface Fuzzer {
  /** Images so far. */
  readonly count: number;
  /** Of these, how many could be opened. */
  readonly opened: number;
  readonly openedToWrite: number;
  /** Milliseconds that the slowest took. */
  readonly slowestMs: number;
  /**
   * Damages and uses one image.
   *
   * @throws {Error} If it does harm.
   */
  next(): Promise<void>;
}

/** Milliseconds that one damaged image may take. */
const LIMIT_MS = 5000;
/** How often it may take longer, because other programs had the CPU. */
const SLOW_MAX = 2;

/** Makes what damages images of a kind. */
export function makeFuzzer(kind: FuzzKind, random: Random): Fuzzer {
  return kind === "qcow2"
    ? new Qcow2Fuzzer(random)
    : new CaseFuzzer(random, { ...MAPPED_CASES, ...READ_ONLY_CASES }[kind]);
}

/** Damages the images of some cases. */
class CaseFuzzer implements Fuzzer {
  count = 0;
  opened = 0;
  openedToWrite = 0;
  slowestMs = 0;
  readonly #random: Random;
  readonly #cases: readonly FuzzCase[];

  constructor(random: Random, cases: readonly FuzzCase[]) {
    this.#random = random;
    this.#cases = cases;
  }

  async next(): Promise<void> {
    const random = this.#random;
    this.count++;
    const chosen = random.pick(this.#cases);
    const copy = copyOf(chosen);
    const bytes = chosen.damage?.(copy.bytes, random) ??
      damage(copy, chosen, random);
    const seed = random.below(2 ** 32);
    let ms = Infinity;
    try {
      for (let i = 0; i <= SLOW_MAX && ms > LIMIT_MS; i++) {
        ms = await this.#use(chosen, bytes, seed);
      }
    } finally {
      copy.restore();
    }
    this.slowestMs = Math.max(this.slowestMs, ms);
    assert(ms <= LIMIT_MS, `it took ${ms} ms`);
  }

  /** Uses an image; returns the milliseconds that it took. */
  async #use(
    { source, options = {}, others = {} }: FuzzCase,
    bytes: Uint8Array,
    seed: number,
  ): Promise<number> {
    const files = new FakeFiles();
    files.share("disk", bytes);
    for (const [path, other] of Object.entries(others)) {
      files.share(path, other);
    }
    const use = new ImageUse(new Random(seed), { source, options });
    const start = performance.now();
    await use.run(files);
    const ms = performance.now() - start;
    assertEquals(files.openCount, 0);
    if (ms > LIMIT_MS) return ms;
    if (use.isOpened) this.opened++;
    if (use.isWritten) this.openedToWrite++;
    return ms;
  }
}

/** The image of each case that was used in this thread. */
const copies = new Map<FuzzCase, ImageCopy>();

function copyOf(chosen: FuzzCase): ImageCopy {
  let copy = copies.get(chosen);
  if (copy === undefined) {
    copy = new ImageCopy(chosen.build());
    copies.set(chosen, copy);
  }
  return copy;
}

const NASTY: readonly bigint[] = [
  0n,
  1n,
  2n,
  7n,
  511n,
  512n,
  4096n,
  0x10_0000n,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  2n ** 53n - 1n,
  2n ** 62n,
  2n ** 63n - 1n,
  2n ** 64n - 1n,
];

/** Damages an image, and makes its checks right again mostly. */
function damage(
  copy: ImageCopy,
  { places, seal }: FuzzCase,
  random: Random,
): Uint8Array {
  const { bytes, view } = copy;
  for (let i = 1 + random.below(4); i > 0; i--) {
    const [start, length] = random.pick(places);
    const at = Math.min(start + random.below(length), bytes.length - 8);
    const isLittle = random.oneIn(2);
    copy.touch(at & ~7, 72);
    switch (random.below(5)) {
      case 0:
        bytes[at]! ^= 1 << random.below(8);
        break;
      case 1:
        bytes[at] = random.below(256);
        break;
      case 2:
        view.setBigUint64(at & ~7, random.pick(NASTY), isLittle);
        break;
      case 3: {
        const value = Number(random.pick(NASTY) & 0xffff_ffffn);
        view.setUint32(at & ~3, value, isLittle);
        break;
      }
      default: {
        const [from, most] = random.pick(places);
        const source = from + random.below(most);
        bytes.copyWithin(at, source, source + 1 + random.below(64));
      }
    }
  }
  const touch = copy.touch.bind(copy);
  if (!random.oneIn(6)) seal?.(bytes, touch);
  return random.oneIn(20)
    ? bytes.subarray(0, random.below(bytes.length))
    : bytes;
}
