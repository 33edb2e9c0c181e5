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
import { comparableRates, wordsOf } from "../../src/cli/tune/variants.ts";

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

/** Measures for long, in many rounds. */
async function measureLong(
  image: TunedImage,
  seconds: number,
): Promise<Measured[]> {
  const budgetMs = seconds * 1000 / ROUNDS;
  const rounds: Measured[][] = [];
  for (let i = 0; i < ROUNDS; i++) {
    rounds.push(await measure(image, { rounds: 1, budgetMs }));
  }
  const [first = []] = rounds;
  const byUse = first[0]!.rates.map((_, use) =>
    comparableRates(
      first.map((_, at) => rounds.map((round) => round[at]!.rates[use]!)),
    )
  );
  return first.map(({ variant }, at) => ({
    variant,
    rates: byUse.map((all) => all[at]!),
  }));
}

/** A pick beside the best that could have been picked. */
interface Comparison {
  readonly use: string;
  readonly picked: string;
  readonly best: string;
  /** The rate of the pick, as a share of that of the best. */
  readonly share: number;
}

/** Compares picks of a short measurement by the rates of a long one. */
function comparisonsOf(
  short: readonly Measured[],
  long: readonly Measured[],
  image: TunedImage,
): Comparison[] {
  const words = long.map(({ variant }) => wordsOf(variant).join(" "));
  return picksOf(short, image).map(({ use, options }, at) => {
    const rates = long.map(({ rates }) => rates[at]!);
    const most = Math.max(...rates);
    const picked = options.join(" ");
    return {
      use,
      picked,
      best: words[rates.indexOf(most)]!,
      share: rates[words.indexOf(picked)]! / most,
    };
  });
}

/** Prints how good the picks are; returns the least share of the best rate. */
async function compare(image: TunedImage, seconds: number): Promise<number> {
  const start = performance.now();
  const short = await measure(image);
  const took = ((performance.now() - start) / 1000).toFixed(0);
  const long = await measureLong(image, seconds);
  print(
    `${image.source}, overlay ${image.overlay ?? "none"}: ` +
      `picked of ${long.length} variants in ${took} s`,
  );
  // Of what the kernel does alone, and of what Workers serve, as tune prints it.
  const served = ({ variant }: Measured) => variant.passthrough !== "on";
  const rows = comparisonsOf(short, long, image);
  if (!short.every(served)) {
    const more = comparisonsOf(
      short.filter(served),
      long.filter(served),
      image,
    );
    rows.push(...more);
  }
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
    shares.push(
      await compare({ source, overlay, partition: null }, Number(seconds)),
    );
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
