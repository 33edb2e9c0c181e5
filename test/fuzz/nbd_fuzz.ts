// deno-lint-ignore-file no-console -- a program: it talks to a terminal
/**
 * Uses many NBD servers that break the protocol:
 * `deno task fuzz:nbd --messages N [--seed S]`.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { Random } from "../_random.ts";
import { NbdFuzzer } from "./_nbd_fuzz.ts";

/** Bytes that the process may have: Deno itself, and what waits for collection. */
const RSS_MAX = 768 << 20;

const { messages = "1000000", seed = "1" } = parseArgs(Deno.args, {
  string: ["messages", "seed"],
});
let rss = 0;
let slowest = 0;
const sums = { messages: 0, damaged: 0, opened: 0, refused: 0, failed: 0 };
for (let i = Number(seed); sums.messages < Number(messages); i++) {
  const fuzzer = new NbdFuzzer(new Random(i));
  const start = performance.now();
  try {
    await fuzzer.next();
    rss = Math.max(rss, Deno.memoryUsage().rss);
    if (rss > RSS_MAX) throw new Error(`the process has ${rss >> 20} MiB`);
  } catch (error) {
    console.error(`--messages=1 --seed=${i}: ${error}`);
    Deno.exit(1);
  }
  slowest = Math.max(slowest, performance.now() - start);
  for (const key of Object.keys(sums) as (keyof typeof sums)[]) {
    sums[key] += fuzzer[key];
  }
}
console.log(
  `${sums.messages} messages, ${sums.damaged} damaged; ${sums.opened} exports ` +
    `opened, ${sums.refused} refused, ${sums.failed} requests failed; the ` +
    `slowest server took ${slowest.toFixed(0)} ms, the process ${
      rss >> 20
    } MiB`,
);
