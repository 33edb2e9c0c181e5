/**
 * Writes docs/speed.svg from the tables of docs/benchmarks.md:
 * `deno task doc:speed`.
 *
 * @module
 */
import { speedFigure } from "../bench/report/speed_svg.ts";
import { readSpeeds } from "../bench/report/speed_table.ts";
import report from "./benchmarks.md" with { type: "text" };

/** The section that has all servers, and the unit of its rates. */
export const SECTION = "Raw file on tmpfs, 4 KiB";
const UNIT = "thousands a second";

/** The figure, as an SVG document. */
export function speedDocument(): string {
  return speedFigure(readSpeeds(report, SECTION), UNIT);
}

if (import.meta.main) {
  const path = new URL("speed.svg", import.meta.url);
  await Deno.writeTextFile(path, speedDocument());
}
