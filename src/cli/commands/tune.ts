import { ProgressBar } from "@std/cli/unstable-progress-bar";
import { parseSource } from "../../backends/registry.ts";
import { UserError } from "../../base/user_error.ts";
import { UsageError } from "../arguments/options.ts";
import type { Arguments } from "../arguments/read_arguments.ts";
import { inUsage } from "../arguments/values.ts";
import { type Command, EXIT, type ExitCode } from "../command.ts";
import type { Output } from "../output/output.ts";
import { formatTable } from "../output/table.ts";
import { reportTo } from "../service/serving.ts";
import { onStopSignals } from "../service/stop_signals.ts";
import { usesOf } from "../tune/load.ts";
import {
  mayBeWritten,
  type Measured,
  measureVariants,
  type TunedImage,
} from "../tune/measure.ts";
import { fastest, wordsOf } from "../tune/variants.ts";

/** `tune`: finds the fastest options of `export` for an image. */
export const TUNE: Command = {
  name: "tune",
  summary: "find the fastest options of export for an image, in a minute",
  description:
    "Exports IMAGE with one queue up to one for each CPU, at most four, over each transport that is switched on, with polling and without, and by passthrough where that is possible. Reads it with each of them: at random (4 KiB, two threads), one block after another (128 KiB, one thread), and mixed (one thread of each; the geometric mean of their rates). Where writing harms nothing, with --overlay and of memory: and null:, it writes too (4 KiB, at random, two threads). Prints all rates, and the options that were fastest for each use. Never writes to the image.",
  operands: { IMAGE: "a source of export, such as a path or qcow2:PATH" },
  options: ["partition", "overlay", "json"],
  optionHelp: {
    partition:
      "measure exports of this partition of IMAGE, by its number, name or UUID (default: all of it)",
    overlay: "measure exports with an overlay in memory, and writing to it too",
    json: "print the rates as one line of JSON",
  },
  examples: {
    "tune disk.img": "find the fastest options for an image",
    "tune --overlay=memory disk.img":
      "for one that is exported with an overlay",
  },
  run: runTune,
};

const USAGE = "usage: tune [OPTIONS] IMAGE";

async function runTune(
  { operands, values }: Arguments,
  output: Output,
): Promise<ExitCode> {
  const [source, more] = operands;
  if (source === undefined) {
    throw new UsageError(`Cannot measure without an IMAGE; ${USAGE}`);
  }
  if (more !== undefined) {
    throw new UsageError(`Cannot measure a second image, ${more}; ${USAGE}`);
  }
  inUsage(() => parseSource(source), "IMAGE");
  const overlay = values.get("overlay") ?? null;
  if (overlay !== null && !/^memory(?::|$)/.test(overlay)) {
    throw new UsageError(
      `Cannot measure with an overlay at ${overlay}: use --overlay=memory`,
    );
  }
  const partition = values.get("partition") ?? null;
  const image = { source, overlay, partition };
  const stopping = new AbortController();
  using _ = onStopSignals(() => stopping.abort());
  const measured = await measureWithProgress(image, stopping.signal, output);
  if (measured === null) throw new UserError("Stopped before the end");
  tell(measured, image, output);
  return EXIT.OK;
}

/** Measures, with a progress bar on a terminal; `null` if it was stopped. */
async function measureWithProgress(
  image: TunedImage,
  signal: AbortSignal,
  output: Output,
): Promise<Measured[] | null> {
  const bar = output.live
    ? new ProgressBar({
      max: 1,
      clear: true,
      formatter: ({ styledTime, progressBar }) =>
        `[${styledTime}] [${progressBar}] measuring`,
    })
    : null;
  try {
    return await measureVariants(image, {
      ...reportTo(output),
      signal,
      onProgress: (done, all) => {
        if (bar !== null) bar.value = done / all;
      },
    });
  } catch (error) {
    if (signal.aborted) return null;
    throw error;
  } finally {
    await bar?.stop();
  }
}

/** The fastest variant for a use. */
export interface TunePick {
  /** The name of the use. */
  readonly use: string;
  /** What the rate counts. */
  readonly unit: string;
  /** The rate that was measured. */
  readonly rate: number;
  /** The options that choose the variant. */
  readonly options: readonly string[];
}

/** The fastest variant for each use of an image. */
export function picksOf(
  measured: readonly Measured[],
  image: TunedImage,
): TunePick[] {
  return usesOf(mayBeWritten(image)).map(({ name, unit }, use) => {
    const at = fastest(measured.map(({ rates }) => rates[use]!));
    const { variant, rates } = measured[at]!;
    return { use: name, unit, rate: rates[use]!, options: wordsOf(variant) };
  });
}

function tell(
  measured: readonly Measured[],
  image: TunedImage,
  output: Output,
): void {
  const uses = usesOf(mayBeWritten(image));
  const picks = picksOf(measured, image);
  if (output.json) {
    const { source } = image;
    const variants = measured.map(({ variant, rates }) => ({
      options: wordsOf(variant),
      rates: Object.fromEntries(uses.map(({ name }, i) => [name, rates[i]])),
    }));
    return output.print(JSON.stringify({ source, variants, fastest: picks }));
  }
  const headings = uses.map(({ name, unit }) => `${name} ${unit}`);
  const rows = measured.map(({ variant, rates }) => [
    wordsOf(variant).join(" "),
    ...rates.map((rate) => rate.toFixed(0)),
  ]);
  for (const line of formatTable([["options", ...headings], ...rows])) {
    output.print(line);
  }
  for (const pick of picks) {
    output.print(`fastest for ${pickText(pick, image)}`);
  }
  if (measured.every(({ variant }) => variant.passthrough !== "on")) return;
  // The kernel alone reads then, which not everybody can use.
  const served = measured.filter(({ variant }) => variant.passthrough !== "on");
  for (const pick of picksOf(served, image)) {
    output.print(`without passthrough, ${pickText(pick, image)}`);
  }
}

function pickText(
  { use, unit, rate, options }: TunePick,
  { source, overlay, partition }: TunedImage,
): string {
  const words = [
    "mqfuse export",
    ...options,
    ...partition === null ? [] : [`--partition=${partition}`],
    ...overlay === null ? [] : [`--overlay=${overlay}`],
    source,
    "MOUNTPOINT",
  ];
  return `${use} use (${rate.toFixed(0)} ${unit}): ${words.join(" ")}`;
}
