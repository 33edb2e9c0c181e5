import { formatTable } from "../../src/cli/output/table.ts";
import { spreadOf } from "../report/statistics.ts";

/** The figures of each server, by its name: one of each round, in order. */
export type Figures = ReadonlyMap<string, readonly number[]>;

/**
 * A table of some servers.
 *
 * @param title What is measured, and in which unit.
 * @param figures Their figures.
 * @param peer The server that they are compared with, in the same round.
 * @param digits Digits after the point.
 */
export function compared(
  title: string,
  figures: Figures,
  peer: string,
  digits: number,
): string[] {
  const standard = figures.get(peer)!;
  return formatTable([
    [title, "median", "quartiles", `to ${peer}`, "quartiles", "rounds"],
    ...[...figures].map(([name, values]) => {
      const ratios = values.map((value, i) => value / standard[i]!);
      return [
        name,
        ...spreadText(values, digits),
        ...spreadText(ratios, 3),
        `${values.length}`,
      ];
    }),
  ]);
}

function spreadText(values: readonly number[], digits: number): string[] {
  const { median, low, high } = spreadOf(values);
  const [middle, from, to] = [median, low, high]
    .map((value) => value.toFixed(digits));
  return [middle!, `${from}-${to}`];
}
