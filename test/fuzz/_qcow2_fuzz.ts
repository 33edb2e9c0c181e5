/**
 * Damaged qcow2 images: opening one gives an image or a sentence, and reading it
 * gives bytes or EIO, soon, and the same whether its file answers at once or
 * later.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { Backend } from "../../src/backends/backend.ts";
import { describeQcow2 } from "../../src/backends/formats/qcow2/describe.ts";
import { rangeAt } from "../../src/backends/image_map.ts";
import { type OpenImage, openImage } from "../../src/backends/open_image.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { errnoOf } from "../../src/base/errno_of.ts";
import { UserError } from "../../src/base/user_error.ts";
import { FakeFiles } from "../backends/_fake_files.ts";
import { imageOptions } from "../backends/_image_options.ts";
import { LaterFileIo } from "../backends/_later_file_io.ts";
import { buildImage, type ImagePlan } from "../backends/qcow2/_build_image.ts";
import type { Random } from "../_random.ts";

/** Milliseconds that one damaged image may take. */
const LIMIT_MS = 5000;

/** Bytes of a buffer, all of which one read may take. */
const BUFFER = 70_000;

const BASE = { name: "base", format: "raw" };
const ALL = ["data", "zero", "compressed", "kept zero", "unallocated"] as const;

/** Images to damage. */
const PLANS: readonly ImagePlan[] = [
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

/** Damages images one by one, and uses each. */
export class Qcow2Fuzzer {
  /** Images so far. */
  count = 0;
  /** Of these, how many could be opened. */
  opened = 0;
  /** Milliseconds that the slowest took. */
  slowestMs = 0;
  readonly #random: Random;
  /** The bytes of the backing file and the data file. */
  readonly #others: Uint8Array;
  readonly #buffers = [
    new Uint8Array(BUFFER + 64),
    new Uint8Array(BUFFER + 64),
  ] as const;
  readonly #images = PLANS.map((plan) => buildImage(plan));

  constructor(random: Random) {
    this.#random = random;
    this.#others = random.bytes(60_000);
  }

  /**
   * Damages and uses one image.
   *
   * @throws {Error} If it does harm.
   */
  async next(): Promise<void> {
    const random = this.#random;
    this.count++;
    const plan = random.below(PLANS.length);
    const bytes = damage(this.#images[plan]!, PLANS[plan]!, random);
    const files = new FakeFiles();
    files.write("disk", bytes);
    files.write("base", this.#others.subarray(0, 60_000));
    files.write("data", this.#others.subarray(10_000, 50_960));
    const start = performance.now();
    await this.#use(files);
    const ms = performance.now() - start;
    this.slowestMs = Math.max(this.slowestMs, ms);
    assert(ms < LIMIT_MS, `it took ${ms} ms`);
    assertEquals(files.openCount, 0);
  }

  async #use(files: FakeFiles): Promise<void> {
    const services = files.services();
    const later = { ...services, fileIo: () => new LaterFileIo(files) };
    const options = { ...imageOptions, cacheSize: 4096 };
    const raw = await openImage(
      "disk",
      { ...options, growable: true },
      services,
    );
    await orRefusal(describeQcow2(raw.backend, "disk"));
    await raw.close();
    const open = () => openImage("qcow2:disk", options, services);
    const now = await orRefusal(open());
    const then = await orRefusal(openImage("qcow2:disk", options, later));
    assertEquals(now === null, then === null);
    if (now === null || then === null) return;
    this.opened++;
    await this.#read(now, then);
    await now.close();
    await then.close();
  }

  async #read(now: OpenImage, then: OpenImage): Promise<void> {
    const random = this.#random;
    const { size } = now.stat;
    assertEquals(then.stat.size, size);
    for (let i = 0; i < 8; i++) {
      const near = random.oneIn(2) ? Math.min(size, 100_000) : size;
      const position = Math.min(size - 1, random.below(near));
      const most = random.pick([600, 600, 5000, BUFFER]);
      const length = 1 + random.below(Math.min(size - position, most));
      const [one, other] = this.#buffers;
      const got = await read(now.backend, position, one, length);
      assertEquals(await read(then.backend, position, other, length), got);
      for (let at = 0; at < got; at++) {
        if (one[at] !== other[at]) {
          throw new Error(`reads at ${position + at} differ`);
        }
      }
    }
    let at = random.below(size);
    for (let i = 0; i < 8 && at < size; i++) {
      const position = at;
      const extent = await orEio(async () =>
        await now.backend.extent(position)
      );
      await orEio(() => rangeAt(now.backend, position));
      if (extent === null) break;
      assert(extent.end > at, `an extent at ${at} ends at ${extent.end}`);
      at = extent.end;
    }
  }
}

/** The result of a read: bytes or `-EIO`; nothing after them is touched. */
async function read(
  backend: Backend,
  position: number,
  buffer: Uint8Array,
  length: number,
): Promise<number> {
  const after = buffer.fill(0xee, length, length + 64);
  const got = await backend.read(position, buffer, 0, length);
  assert(got === -ERRNO.EIO || (got > 0 && got <= length), `${got}`);
  assert(after.subarray(length, length + 64).every((byte) => byte === 0xee));
  return got;
}

/** `null` if something is refused in a sentence. */
async function orRefusal<T>(result: Promise<T>): Promise<T | null> {
  try {
    return await result;
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
}

/** `null` if it fails with EIO. */
async function orEio<T>(call: () => Promise<T>): Promise<T | null> {
  try {
    return await call();
  } catch (error) {
    if (errnoOf(error) === ERRNO.EIO) return null;
    throw error;
  }
}

/** A damaged copy of an image: mostly of its header and tables. */
function damage(
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
