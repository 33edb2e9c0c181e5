// deno-lint-ignore-file no-console -- a program: it talks to a terminal
/**
 * Uses damaged qcow2 images for a time:
 * `deno task fuzz:qcow2 --seconds N [--seed S]`. Needs no permission.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { Random } from "../_random.ts";
import { Qcow2Fuzzer } from "./_qcow2_fuzz.ts";

async function main(): Promise<number> {
  const args = parseArgs(Deno.args, { string: ["seconds", "seed"] });
  const drawn = crypto.getRandomValues(new Uint32Array(1))[0]!;
  const seconds = Number(args.seconds);
  const first = Number(args.seed ?? drawn);
  if (!(seconds > 0) || !Number.isInteger(first)) {
    console.error("Usage: deno task fuzz:qcow2 --seconds N [--seed S]");
    return 2;
  }
  const end = performance.now() + 1000 * seconds;
  let count = 0;
  let opened = 0;
  let slowestMs = 0;
  for (let seed = first; performance.now() < end; seed = (seed + 1) % 2 ** 32) {
    const fuzzer = new Qcow2Fuzzer(new Random(seed));
    try {
      for (let i = 0; i < 500; i++) await fuzzer.next();
    } catch (error) {
      console.log(`image ${fuzzer.count} of --seed=${seed} does harm:`);
      console.log(error);
      return 1;
    }
    count += fuzzer.count;
    opened += fuzzer.opened;
    slowestMs = Math.max(slowestMs, fuzzer.slowestMs);
  }
  console.log(
    `fuzz: ${count} images, ${opened} opened, the slowest took ${
      slowestMs.toFixed(0)
    } ms, seeds from ${first}`,
  );
  return 0;
}

Deno.exitCode = await main();
