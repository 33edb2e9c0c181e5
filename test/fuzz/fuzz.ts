// deno-lint-ignore-file no-console -- a program: it talks to a terminal
/**
 * Tests damaged golden messages for a time:
 * `deno task fuzz --seconds N [--seed S]`. Needs no permission.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { Random } from "../_random.ts";
import { Fuzzer } from "./_fuzz.ts";

const USAGE = "Usage: deno task fuzz --seconds N [--seed S] [--messages N]";
const FAILURES_SHOWN = 5;

async function main(): Promise<number> {
  const args = parseArgs(Deno.args, {
    string: ["seconds", "seed", "messages"],
  });
  const seconds = Number(args.seconds ?? (args.messages ? Infinity : NaN));
  const most = Number(args.messages ?? Infinity);
  const drawn = crypto.getRandomValues(new Uint32Array(1))[0];
  const seed = Number(args.seed ?? drawn);
  if (!(seconds > 0) || !(most > 0) || !Number.isInteger(seed)) {
    console.error(USAGE);
    return 2;
  }
  const fuzzer = new Fuzzer(new Random(seed));
  const end = performance.now() + 1000 * seconds;
  let failures = 0;
  while (performance.now() < end && fuzzer.count < most) {
    const failure = await fuzzer.next();
    if (failure === null || ++failures > FAILURES_SHOWN) continue;
    console.log(`message ${fuzzer.count}, mutated from ${failure.origin}`);
    console.log(failure.error);
    console.log(failure.testCase);
  }
  console.log(
    `fuzz: ${fuzzer.count} messages, ${failures} failures, seed ${seed}`,
  );
  return failures === 0 ? 0 : 1;
}

Deno.exitCode = await main();
