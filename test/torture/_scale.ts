/**
 * How long torture tests run: `deno task torture` runs them in full, with
 * `--scale=N` a part of that; other runs use the short counts.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { granted } from "../requirements.ts";

const { full, scale } = parseArgs(Deno.args, {
  boolean: ["full"],
  string: ["scale"],
}) as { full: boolean; scale?: string };

/** Whether the full counts were requested. */
export const isFull: boolean = full;

/**
 * A number of rounds or seconds.
 *
 * @param short The number for every run of the tests.
 * @param full The number for `deno task torture`.
 */
export function amount(short: number, full: number): number {
  if (!isFull) return short;
  return Math.max(short, Math.round(full * Number(scale ?? 1)));
}

/** Prints a figure in a full run. */
export function tell(text: string): void {
  if (!isFull || !granted("write")) return;
  Deno.stderr.writeSync(new TextEncoder().encode(`  ${text}\n`));
}
