/**
 * Random numbers that can be had again: from a seed, which a failure names.
 *
 * @module
 */
import { Random as SimRandom } from "../sim/determinism/random.ts";
import { granted } from "./requirements.ts";

/** {@linkcode SimRandom} with what tests ask for besides. */
export class Random extends SimRandom {
  /** Whether something that happens once in `times` happens. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  /** Bytes, none of them 0. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length }, () => 1 + this.below(255));
  }

  /** A sequence of its own for something that runs beside this. */
  override fork(): Random {
    return new Random(this.below(2 ** 32));
  }
}

/**
 * Runs a test several times, each with numbers of its own; a failure names the
 * seed, and MQFUSE_SEED in the environment repeats it.
 *
 * @param times How often.
 * @param body The test.
 */
export async function randomly(
  times: number,
  body: (random: Random) => void | Promise<void>,
): Promise<void> {
  const wanted = granted("env") ? Deno.env.get("MQFUSE_SEED") : undefined;
  const first = crypto.getRandomValues(new Uint32Array(1))[0]!;
  const seeds = wanted === undefined
    ? Array.from({ length: times }, (_, i) => (first + i) % 2 ** 32)
    : [Number(wanted)];
  for (const seed of seeds) {
    try {
      await body(new Random(seed));
    } catch (cause) {
      throw new Error(`Failed with MQFUSE_SEED=${seed}: ${cause}`, { cause });
    }
  }
}
