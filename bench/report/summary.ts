import { type Cell, CELLS } from "../fio/cells.ts";
import type { Sample } from "../fio/sample.ts";
import { type Section, SECTIONS } from "../fio/sections.ts";
import { SERVERS } from "../fio/servers.ts";
import type { ServerKind } from "../servers/servers.ts";
import { type Column, COLUMN_NAMES, COLUMNS } from "./columns.ts";
import { geometricMean, median, type Spread, spreadOf } from "./statistics.ts";

/** The figures of one server in one cell, over all rounds. */
export interface Score {
  readonly server: ServerKind;
  /** Thousand requests a second, or MiB a second in sequential cells. */
  readonly rate: Spread;
  /** Median of the 99th percentile of latency, microseconds. */
  readonly p99Us: number;
  /** Median of the server's CPU microseconds a request. */
  readonly serverUs: number | null;
}

/** One cell's scores. */
export interface CellSummary {
  readonly cell: Cell;
  /** By the server's name; servers that were not measured are left out. */
  readonly scores: ReadonlyMap<string, Score>;
  /** The score of the highest median of each column. */
  readonly best: ReadonlyMap<Column, Score>;
}

/** One section of the reports. */
export interface SectionSummary {
  readonly section: Section;
  readonly cells: readonly CellSummary[];
  /** The columns that have figures in it. */
  readonly columns: readonly Column[];
  /** The servers that were measured in it. */
  readonly servers: readonly ServerKind[];
}

/** One column compared with another over a section. */
export interface Comparison {
  /** The first column's value divided by the second's, by the cell's name. */
  readonly ratios: ReadonlyMap<string, number>;
  /** Their geometric mean; `null` if no cell has both. */
  readonly mean: number | null;
}

const MIB = 1 << 20;

/** Summarizes samples: the sections that have any, their cells in order. */
export function summarize(samples: readonly Sample[]): SectionSummary[] {
  const byCell = Map.groupBy(samples, ({ cell }) => cell);
  const sections = Object.keys(SECTIONS) as Section[];
  return sections.flatMap((section) => {
    const cells = CELLS.filter((cell) => cell.section === section)
      .map((cell) => summarizeCell(cell, byCell.get(cell.name) ?? []))
      .filter(({ scores }) => scores.size > 0);
    return cells.length === 0 ? [] : [{
      section,
      cells,
      columns: COLUMN_NAMES.filter((column) =>
        cells.some(({ best }) => best.has(column))
      ),
      servers: SERVERS.map(({ kind }) => kind).filter(({ name }) =>
        cells.some(({ scores }) => scores.has(name))
      ),
    }];
  });
}

function summarizeCell(cell: Cell, samples: readonly Sample[]): CellSummary {
  const scores = new Map<string, Score>();
  const best = new Map<Column, Score>();
  for (const { kind } of SERVERS) {
    const own = samples.filter(({ server }) => server === kind.name);
    if (own.length === 0) continue;
    const score = scoreOf(kind, cell, own);
    scores.set(kind.name, score);
    for (const column of COLUMN_NAMES) {
      if (!COLUMNS[column].servers.test(kind.name)) continue;
      const top = best.get(column);
      if (top === undefined || score.rate.median > top.rate.median) {
        best.set(column, score);
      }
    }
  }
  return { cell, scores, best };
}

function scoreOf(
  server: ServerKind,
  { section }: Cell,
  samples: readonly Sample[],
): Score {
  const cpu = samples.flatMap(({ serverUs }) =>
    serverUs === null ? [] : [serverUs]
  );
  return {
    server,
    rate: spreadOf(
      samples.map(({ iops, bytesPerSecond }) =>
        section === "sequential" ? bytesPerSecond / MIB : iops / 1000
      ),
    ),
    p99Us: median(samples.map(({ p99Us }) => p99Us)),
    serverUs: cpu.length === 0 ? null : median(cpu),
  };
}

/**
 * Compares two columns in every cell.
 *
 * @param cells The cells.
 * @param pair The column, and the one that it is compared with.
 * @param value The value that is compared; cells without it are left out.
 */
export function compare(
  cells: readonly CellSummary[],
  [one, other]: readonly [one: Column, other: Column],
  value: (score: Score) => number | null = ({ rate }) => rate.median,
): Comparison {
  const ratios = new Map(cells.flatMap(({ cell, best }) => {
    const [a, b] = [one, other].map((column) => {
      const score = best.get(column);
      return score === undefined ? null : value(score);
    });
    return a && b ? [[cell.name, a / b] as const] : [];
  }));
  return { ratios, mean: geometricMean([...ratios.values()]) };
}

/** A rate in reports: one decimal place below 100, none above. */
export function formatRate(rate: number): string {
  return rate < 100 ? rate.toFixed(1) : rate.toFixed(0);
}
