import { formatSize } from "../../src/backends/size.ts";
import { diskSize } from "../programs/materials.ts";
import { paragraph, table } from "../report/markdown_text.ts";
import {
  contendersOf,
  type ProgramSummary,
  speedsToQemu,
  type Timing,
} from "../report/program_summary.ts";
import { geometricMean } from "../report/statistics.ts";
import type { Results } from "./results.ts";

const METHOD =
  "Milliseconds, median (least to greatest); after a slash CPU milliseconds of the server; in brackets how many times as fast as QEMU's faster export it is. mqfuse has --truncate=zero here, because cp truncates the file that it writes to. Measured";

/**
 * The part of the Markdown document about programs.
 *
 * @param programs The programs that were measured.
 * @param results All results.
 */
export function programReport(
  programs: readonly ProgramSummary[],
  { settings }: Results,
): string[] {
  if (programs.length === 0) return [];
  const contenders = contendersOf(programs);
  const speeds = contenders.map(({ kind }) =>
    speedsToQemu(programs, kind.name)
  );
  return [
    "## Programs",
    "",
    ...paragraph(
      `${METHOD} on an image of ${
        formatSize(diskSize(settings.size))
      } on ${settings.fileSystem}.`,
    ),
    "",
    ...table([
      ["", ...contenders.map(({ title }) => title)],
      ...programs.map(({ program, timings }) => [
        program.label,
        ...contenders.map(({ kind }, at) =>
          timingText(timings.get(kind.name), speeds[at]!.get(program.name))
        ),
      ]),
      [
        "geometric mean",
        ...speeds.map((each) =>
          geometricMean([...each.values()])?.toFixed(2) ?? ""
        ),
      ],
    ]),
    "",
  ];
}

function timingText(
  timing: Timing | undefined,
  speed: number | undefined,
): string {
  if (timing === undefined) return "";
  const { seconds: { median, least, greatest }, serverS } = timing;
  const ms = (seconds: number) => (1000 * seconds).toFixed(0);
  return `${ms(median)} (${ms(least)}-${ms(greatest)}) / ${ms(serverS)}` +
    (speed === undefined ? "" : ` (${speed.toFixed(2)})`);
}
