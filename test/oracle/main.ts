// deno-lint-ignore-file no-console -- a program: it talks to a terminal
/**
 * Compares many qcow2 images with QEMU: `deno task oracle:qcow2 --help`.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { CaseLog } from "../_case_log.ts";
import { Random } from "../_random.ts";
import { allTransports, compareImage } from "./compare_image.ts";
import { caseName, coveringSet, drawnCase, type ImageCase } from "./plan.ts";
import { QemuTools } from "./tools.ts";

const HELP = `deno task oracle:qcow2 [OPTIONS]

QEMU makes images of every kind. Clients of the mount of each one, with four
queues over each transport, make random operations, and QEMU changes it in
between. Every time, qemu-img check finds no error and no leak, qemu-img compare
finds the bytes of a model, and qemu-img map finds what 'info --map' does. The
images are a covering set, in which every possible pair of choices occurs
(cluster size, refcount width, compression, extended L2 entries, data file,
number of images below, version, lazy refcounts, snapshot), and some drawn at
random. Ends with status 1 if an image differs.

  --tree DIR       take QEMU's tools from the Debian system in DIR, which its own
                   dynamic loader runs (default: this system's)
  --draws N        images at random, besides the covering set (default: 20)
  --operations N   operations over each transport (default: 2000)
  --seed S         seed of the random images and operations (default: 1)
  --only N         only image N
  --results FILE   keeps the figures of each image, which is then not compared
                   again by a later run with this version of QEMU
`;

interface Plan {
  readonly tools: QemuTools;
  readonly version: string;
  readonly operations: number;
  readonly seed: number;
  readonly images: readonly ImageCase[];
}

/** Compares one image; returns whether all is well. */
async function compare(plan: Plan, i: number, log: CaseLog): Promise<boolean> {
  const { tools, version, operations, seed } = plan;
  const image = plan.images[i]!;
  const name = `${version} ${seed} ${i}`;
  if (log.has(name)) return true;
  try {
    const transports = allTransports();
    const counts = await compareImage({
      ...{ tools, image, operations, transports },
      seed: (seed * 100_003 + i) % 2 ** 32,
    });
    log.add(name, { kind: caseName(image), ...counts });
    return true;
  } catch (error) {
    console.error(`image ${i} (${caseName(image)}): ${error}`);
    return false;
  }
}

async function main(): Promise<number> {
  const numbers = ["draws", "operations", "seed", "only"] as const;
  const { help, results, tree, ...given } = parseArgs(Deno.args, {
    boolean: ["help"],
    string: ["tree", "results", ...numbers],
    default: { draws: "20", operations: "2000", seed: "1" },
  });
  if (help) {
    console.log(HELP);
    return 0;
  }
  const [draws, operations, seed, only = 0] = numbers.map((name) =>
    Number(given[name] ?? 0)
  ) as [number, number, number, number];
  if (given._.length > 0 || !(draws + operations + seed + only >= 0)) {
    console.error("Cannot use these arguments: --help lists the options");
    return 2;
  }
  const tools = new QemuTools(tree ?? null);
  const version = await tools.version();
  const random = new Random(seed);
  const drawn = Array.from({ length: draws }, () => drawnCase(random));
  const images = [...coveringSet(), ...drawn];
  const log = new CaseLog(results ?? null);
  const plan = { tools, version, operations, seed, images };
  let failures = 0;
  for (let i = 0; i < images.length; i++) {
    if (given.only !== undefined && i !== only) continue;
    if (!await compare(plan, i, log)) failures++;
  }
  const kinds = ["write", "read", "punch", "zero", "zeroes", "sync"]
    .map((kind) => `${log.sum(kind, version)} ${kind}`);
  console.log(
    `QEMU ${version}: ${log.count(version)} images agree, ${failures} do not; ${
      kinds.join(", ")
    }, ${log.sum("refused", version)} refused`,
  );
  return failures === 0 ? 0 : 1;
}

Deno.exitCode = await main();
