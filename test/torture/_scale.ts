/**
 * How much torture: `deno task torture` gives all of it, `--scale=N` after it
 * that part of the counts and times; `deno test` alone gives a little.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { granted } from "../requirements.ts";

const { full, scale } = parseArgs(Deno.args, {
  boolean: ["full"],
  string: ["scale"],
}) as { full: boolean; scale?: string };

/** Whether the full counts were asked for. */
export const isFull: boolean = full;

/**
 * How often, or how many seconds.
 *
 * @param little For every run of the tests.
 * @param all For `deno task torture`.
 */
export function amount(little: number, all: number): number {
  if (!full) return little;
  return Math.max(little, Math.round(all * Number(scale ?? 1)));
}

/** Tells a figure where somebody looks at the full counts. */
export function tell(text: string): void {
  if (!full || !granted("write")) return;
  Deno.stderr.writeSync(new TextEncoder().encode(`  ${text}\n`));
}
