/**
 * Whether `tune` picks well: `deno task bench:tune [--seconds=N] [IMAGE...]`.
 * Lets it pick as the command does, then measures everything that it could have
 * picked in more rounds and for N seconds, 180 if left out, and compares. Ends
 * with status 1 if a pick is more than 10 % slower than the best. Needs
 * /dev/fuse.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { picksOf } from "../../src/cli/commands/tune.ts";
import { formatTable } from "../../src/cli/output/table.ts";
import {
  type Measured,
  measureVariants,
  type TunedImage,
} from "../../src/cli/tune/measure.ts";
import { median, wordsOf } from "../../src/cli/tune/variants.ts";

/** The least share of the best rate that a pick has to have. */
const TARGET = 0.9;
const ROUNDS = 9;
const SECONDS = 180;
const TRIES_MAX = 5;

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

/** Measures; once more if it fails, as when the machine has stopped meanwhile. */
async function measure(
  image: TunedImage,
  more: { rounds?: number; budgetMs?: number } = {},
): Promise<Measured[]> {
  for (let tries = 1;; tries++) {
    try {
      const { signal } = new AbortController();
      const hooks = { signal, onProgress: () => {}, ...more };
      return await measureVariants(image, hooks);
    } catch (error) {
      if (tries === TRIES_MAX) throw error;
      print(`measured again: ${error}`);
    }
  }
}

/** Measures for long: the medians of many rounds. */
async function measureLong(
  image: TunedImage,
  seconds: number,
): Promise<Measured[]> {
  const budgetMs = seconds * 1000 / ROUNDS;
  const rounds: Measured[][] = [];
  for (let i = 0; i < ROUNDS; i++) {
    rounds.push(await measure(image, { rounds: 1, budgetMs }));
  }
  return rounds[0]!.map(({ variant, rates }, at) => ({
    variant,
    rates: rates.map((_, use) =>
      median(rounds.map((round) => round[at]!.rates[use]!))
    ),
  }));
}

/** Prints a row for each use; returns the least share of the best rate. */
async function compare(image: TunedImage, long: number): Promise<number> {
  const start = performance.now();
  const picks = picksOf(await measure(image), image);
  const seconds = (performance.now() - start) / 1000;
  const all = await measureLong(image, long);
  const bests = picksOf(all, image);
  const words = all.map(({ variant }) => wordsOf(variant).join(" "));
  const rows = picks.map(({ use, options }, at) => {
    const rateOf = (line: string) => all[words.indexOf(line)]!.rates[at]!;
    const picked = options.join(" ");
    const best = Math.max(...all.map(({ rates }) => rates[at]!));
    const share = rateOf(picked) / best;
    return { use, picked, best: bests[at]!.options.join(" "), share };
  });
  print(
    `${image.source}, overlay ${image.overlay ?? "none"}: ` +
      `picked of ${all.length} variants in ${seconds.toFixed(0)} s`,
  );
  const table = rows.map(({ use, picked, best, share }) => [
    use,
    picked,
    best,
    `${(share * 100).toFixed(0)} %`,
  ]);
  const headings = ["use", "picked", "best", "share of the best"];
  for (const line of formatTable([headings, ...table])) print(line);
  return Math.min(...rows.map(({ share }) => share));
}

/** An image in memory, which is removed afterwards. */
async function withImage<T>(use: (path: string) => Promise<T>): Promise<T> {
  const path = await Deno.makeTempFile({ dir: "/dev/shm", suffix: ".img" });
  try {
    using file = await Deno.open(path, { write: true });
    const block = new Uint8Array(1 << 20).fill(7);
    for (let i = 0; i < 128; i++) await file.write(block);
    return await use(path);
  } finally {
    await Deno.remove(path);
  }
}

async function main(args: readonly string[]): Promise<number> {
  const { _, seconds } = parseArgs([...args], {
    string: ["_", "seconds"],
    default: { seconds: String(SECONDS) },
  });
  const sources = _.map(String);
  const shares: number[] = [];
  const add = async (source: string, overlay: string | null = null) => {
    shares.push(await compare({ source, overlay }, Number(seconds)));
  };
  for (const source of sources) await add(source);
  if (sources.length === 0) {
    await withImage(async (path) => {
      await add(path);
      await add(path, "memory");
      await add("memory:128M");
    });
  }
  return shares.every((share) => share >= TARGET) ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
