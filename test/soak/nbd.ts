// deno-lint-ignore-file no-console -- a program: it talks to a terminal
/**
 * Histories of the NBD client with a model server:
 * `deno task soak:nbd [--seeds N] [--seed S]`.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { type HistoryFigures, runHistory } from "../backends/nbd/_history.ts";
import { Random } from "../_random.ts";

const { seeds = "10000", seed = "0" } = parseArgs(Deno.args, {
  string: ["seeds", "seed"],
});
const figures: HistoryFigures = {
  requests: 0,
  losses: 0,
  crashes: 0,
  stalls: 0,
  syncErrors: 0,
  failures: 0,
};
for (let i = Number(seed); i < Number(seed) + Number(seeds); i++) {
  try {
    await runHistory(new Random(i), figures);
  } catch (error) {
    console.error(`--seeds=1 --seed=${i}: ${error}`);
    Deno.exit(1);
  }
}
const { requests, losses, crashes, stalls, syncErrors, failures } = figures;
console.log(
  `${seeds} histories: ${requests} requests, ${losses} lost connections, ` +
    `${crashes} crashes, ${stalls} stalls, ${syncErrors} fsyncs that said EIO, ` +
    `${failures} requests that failed; nothing was lost`,
);
