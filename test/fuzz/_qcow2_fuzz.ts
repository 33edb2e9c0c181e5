/**
 * Many damaged qcow2 images, each used for a short time.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { FakeFiles } from "../backends/_fake_files.ts";
import { buildImage } from "../backends/qcow2/_build_image.ts";
import { Random } from "../_random.ts";
import { damage, PLANS } from "./_qcow2_damage.ts";
import { ImageUse } from "./_image_use.ts";

/** Milliseconds that one damaged image may take. */
const LIMIT_MS = 5000;
/** How often it may take longer, because other programs had the CPU. */
const SLOW_MAX = 2;

/** Pages of each file's medium, which is then full. */
const PAGES = 2048;

/** Damages images one by one, and uses each. */
export class Qcow2Fuzzer {
  /** Images so far. */
  count = 0;
  /** Of these, how many could be opened. */
  opened = 0;
  /** Of these, how many could be opened for writing. */
  openedToWrite = 0;
  /** Milliseconds that the slowest took. */
  slowestMs = 0;
  readonly #random: Random;
  /** The bytes of the backing file and the data file. */
  readonly #others: Uint8Array;
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
    const seed = random.below(2 ** 32);
    let ms = await this.#use(bytes, seed);
    for (let i = 0; i < SLOW_MAX && ms > LIMIT_MS; i++) {
      ms = await this.#use(bytes, seed);
    }
    this.slowestMs = Math.max(this.slowestMs, ms);
    assert(ms <= LIMIT_MS, `it took ${ms} ms`);
  }

  /** Uses an image; returns the milliseconds that it took. */
  async #use(bytes: Uint8Array, seed: number): Promise<number> {
    const files = new FakeFiles();
    files.write("disk", bytes, PAGES);
    files.write("base", this.#others.subarray(0, 60_000), PAGES);
    files.write("data", this.#others.subarray(10_000, 50_960), PAGES);
    const use = new ImageUse(new Random(seed), { source: "qcow2:disk" });
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
