// deno-lint-ignore-file no-console -- a program: it talks to a terminal
/**
 * Uses many damaged images: `deno task fuzz:images --help`.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { FUZZ_KINDS, type FuzzKind } from "./_image_fuzz.ts";
import { CaseLog } from "../_case_log.ts";
import type { Batch, BatchResult } from "./image_fuzz_worker.ts";

const HELP = `deno task fuzz:images [OPTIONS]

Damages headers, tables, logs and compressed clusters of images, opens each
image, reads it, maps it, and changes it. Ends with status 1 if one crashes the
program, takes longer than 5 s, takes too much memory, or gives anything but
bytes, an error sentence, or an errno.

  --kind KIND     ${FUZZ_KINDS.join(", ")} (default: each in turn)
  --images N      how many images (default: 20000)
  --seed S        seed of the first 500; the next 500 have S + 1 (default: 1)
  --results FILE  keeps the figures of each 500 images, which are then not used
                  again by a later run
`;

/** Images of one seed. */
const BATCH = 500;
/** Seconds without an image that has ended, after which one hangs; other load does
 * not take the CPU for so long. */
const HANG_S = 120;
/**
 * Bytes of memory that the process may have: Deno itself, the tables of images,
 * and what waits to be collected.
 */
const RSS_MAX = 768 << 20;

/** Runs one batch after the other in a Worker of its own. */
class Fuzz {
  /** The most memory so far, in bytes. */
  rss = 0;
  readonly #worker = new Worker(
    new URL("./image_fuzz_worker.ts", import.meta.url),
    { type: "module" },
  );

  /** Resolves to what is wrong; "" if nothing is. */
  async run(kind: FuzzKind, seed: number, log: CaseLog): Promise<string> {
    const progress = new SharedArrayBuffer(4);
    const batch: Batch = { kind, seed, images: BATCH, progress };
    const { promise, resolve } = Promise.withResolvers<BatchResult | string>();
    this.#worker.onmessage = ({ data }) => resolve(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      resolve(event.message);
    };
    const timer = this.#watch(new Int32Array(progress), resolve);
    this.#worker.postMessage(batch);
    const result = await promise;
    clearInterval(timer);
    if (typeof result === "string") return result;
    const { harm, ...figures } = result;
    if (harm !== "") return `image ${figures.images}: ${harm}`;
    log.add(caseOf(kind, seed), { ...figures, rss: this.rss });
    return "";
  }

  /** Looks for what takes too long or too much memory. */
  #watch(
    progress: Int32Array,
    report: (harm: string) => void,
  ): ReturnType<typeof setInterval> {
    let last = -1;
    let stuckS = 0;
    return setInterval(() => {
      const { rss } = Deno.memoryUsage();
      this.rss = Math.max(this.rss, rss);
      const count = Atomics.load(progress, 0);
      stuckS = count === last ? stuckS + 1 : 0;
      last = count;
      if (rss > RSS_MAX) report(`image ${count + 1}: ${rss >> 20} MiB`);
      if (stuckS >= HANG_S) report(`image ${count + 1} hangs`);
    }, 1000);
  }
}

function caseOf(kind: FuzzKind, seed: number): string {
  return `${kind}, seed ${seed}`;
}

async function main(): Promise<number> {
  const { help, results, ...given } = parseArgs(Deno.args, {
    boolean: ["help"],
    string: ["kind", "images", "seed", "results"],
  });
  const { kind = "", images = "20000", seed = "1" } = given;
  const kinds = FUZZ_KINDS.filter((each) => kind === "" || each === kind);
  const [count, first] = [Number(images), Number(seed)];
  if (help) {
    console.log(HELP);
    return 0;
  }
  if (
    kinds.length === 0 || !(count > 0) || !Number.isInteger(first) ||
    given._.length > 0
  ) {
    console.error("Cannot use these arguments: --help lists the options");
    return 2;
  }
  const log = new CaseLog(results ?? null);
  const fuzz = new Fuzz();
  for (let i = 0; i < Math.ceil(count / BATCH); i++) {
    const seed = (first + i) % 2 ** 32;
    const kind = kinds[i % kinds.length]!;
    if (log.has(caseOf(kind, seed))) continue;
    const harm = await fuzz.run(kind, seed, log);
    if (harm !== "") {
      console.error(`--kind=${kind} --seed=${seed}: ${harm}`);
      return 1;
    }
  }
  console.log(
    `${log.sum("images")} images, ${log.sum("opened")} opened, ${
      log.sum("openedToWrite")
    } to write; the slowest took ${log.most("slowestMs").toFixed(0)} ms, the ` +
      `process at most ${(log.most("rss") / 2 ** 20).toFixed(0)} MiB`,
  );
  return 0;
}

// A Worker that hangs must not keep the process.
Deno.exit(await main());
