/**
 * Random numbers that can be repeated, from a seed that a failure names.
 *
 * @module
 */
import { Random as SimRandom } from "../sim/determinism/random.ts";
import { granted } from "./requirements.ts";

/** {@linkcode SimRandom} with more kinds of values for tests. */
export class Random extends SimRandom {
  /** True once in `times` calls, on average. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  /** Bytes other than 0. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length }, () => 1 + this.below(255));
  }

  /** An independent sequence. */
  override fork(): Random {
    return new Random(this.below(2 ** 32));
  }
}

/**
 * Runs a test several times with different numbers. A failure names the seed;
 * MQFUSE_SEED in the environment repeats it.
 *
 * @param times The number of runs.
 * @param body The test.
 */
export function randomly(
  times: number,
  body: (random: Random) => void | Promise<void>,
): Promise<void> {
  const first = crypto.getRandomValues(new Uint32Array(1))[0]!;
  const seeds = Array.from({ length: times }, (_, i) => (first + i) % 2 ** 32);
  return withSeeds(seeds, body);
}

/**
 * Runs a test with the numbers of each seed, or of MQFUSE_SEED in the
 * environment alone.
 *
 * @param seeds The seeds.
 * @param body The test.
 */
export async function withSeeds(
  seeds: readonly number[],
  body: (random: Random) => void | Promise<void>,
): Promise<void> {
  const wanted = granted("env") ? Deno.env.get("MQFUSE_SEED") : undefined;
  for (const seed of wanted === undefined ? seeds : [Number(wanted)]) {
    try {
      await body(new Random(seed));
    } catch (cause) {
      throw new Error(`Failed with MQFUSE_SEED=${seed}: ${cause}`, { cause });
    }
  }
}
