/**
 * The commands of docs/CLUSTERS.md as they stand, those too that the tests leave
 * out.
 *
 * @module
 */
import { findBlocks } from "../docs/_markdown.ts";
import { runInSandbox } from "../docs/_sandbox.ts";
import { scriptOf } from "../docs/_script.ts";
import type { Trial } from "./inside.ts";

const PAGE = "docs/CLUSTERS.md";
const LIMIT_MS = 1_500_000;
const ROOT = new URL("../../", import.meta.url).pathname;

/** Runs the blocks of the page, each section with the servers that it names. */
export async function tryPages(trial: Trial): Promise<void> {
  const text = await Deno.readTextFile(`${ROOT}${PAGE}`);
  const blocks = findBlocks(PAGE, text);
  const script = scriptOf(blocks, true);
  const start = performance.now();
  const { code, output } = await runInSandbox(
    trial.directory,
    script,
    LIMIT_MS,
  );
  if (code !== 0) throw new Error(`the page ended with ${code}:\n${output}`);
  const seconds = Math.round((performance.now() - start) / 1000);
  trial.tell(`${blocks.length} blocks of ${PAGE} work, in ${seconds} s`);
}
