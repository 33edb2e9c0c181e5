import { formatSize } from "../../src/backends/size.ts";
import { type Cell, CELLS, labelOf, type Section, sectionOf } from "./cells.ts";
import { SERIES, type Series, type ServerKind, SERVERS } from "./servers.ts";
import type { Results, Sample } from "./results.ts";
import { geometricMean, median, type Spread, spreadOf } from "./statistics.ts";

/** The figures of one server in one cell, over all rounds. */
export interface Score {
  readonly server: ServerKind;
  /** Thousand requests a second, or MiB a second where they are of 1 MiB. */
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
  /** The score of the highest median of each series. */
  readonly best: ReadonlyMap<Series, Score>;
}

/** One section of the reports. */
export interface SectionSummary {
  readonly section: Section;
  readonly cells: readonly CellSummary[];
  /** The series that were measured in it. */
  readonly series: readonly Series[];
  /** The servers that were measured in it. */
  readonly servers: readonly ServerKind[];
}

/** One series compared with another over a section. */
export interface Comparison {
  /** The first series' value divided by the second's, by the cell's name. */
  readonly ratios: ReadonlyMap<string, number>;
  /** Their geometric mean; `null` if no cell has both. */
  readonly mean: number | null;
}

/** Titles and units of the sections. */
export const SECTIONS: Readonly<
  Record<Section, { readonly title: string; readonly unit: string }>
> = {
  null: { title: "Null driver, 4 KiB", unit: "thousand IOPS" },
  file: { title: "Raw file, 4 KiB", unit: "thousand IOPS" },
  bandwidth: { title: "Raw file, 1 MiB", unit: "MiB/s" },
};

const MIB = 1 << 20;

/** Summarizes results: the sections that have samples, their cells in order. */
export function summarize(results: Results): SectionSummary[] {
  const sections = Object.keys(SECTIONS) as Section[];
  return sections.flatMap((section) => {
    const cells = CELLS.filter((cell) => sectionOf(cell) === section)
      .map((cell) => summarizeCell(cell, results.samples))
      .filter(({ scores }) => scores.size > 0);
    return cells.length === 0 ? [] : [{
      section,
      cells,
      series: (Object.keys(SERIES) as Series[])
        .filter((series) => cells.some(({ best }) => best.has(series))),
      servers: SERVERS.filter(({ name }) =>
        cells.some(({ scores }) => scores.has(name))
      ),
    }];
  });
}

function summarizeCell(cell: Cell, all: readonly Sample[]): CellSummary {
  const samples = all.filter((sample) => sample.cell === cell.name);
  const scores = new Map<string, Score>();
  const best = new Map<Series, Score>();
  for (const server of SERVERS) {
    const { name, series } = server;
    const own = samples.filter((sample) => sample.server === name);
    if (own.length === 0) continue;
    const score = scoreOf(server, cell, own);
    scores.set(name, score);
    const top = best.get(series);
    if (top === undefined || score.rate.median > top.rate.median) {
      best.set(series, score);
    }
  }
  return { cell, scores, best };
}

function scoreOf(
  server: ServerKind,
  cell: Cell,
  samples: readonly Sample[],
): Score {
  const isBandwidth = sectionOf(cell) === "bandwidth";
  const cpu = samples.flatMap(({ serverUs }) =>
    serverUs === null ? [] : [serverUs]
  );
  return {
    server,
    rate: spreadOf(
      samples.map(({ iops, bytesPerSecond }) =>
        isBandwidth ? bytesPerSecond / MIB : iops / 1000
      ),
    ),
    p99Us: median(samples.map(({ p99Us }) => p99Us)),
    serverUs: cpu.length === 0 ? null : median(cpu),
  };
}

/**
 * Compares the best variants of two series in every cell.
 *
 * @param section The cells.
 * @param pair The series, and the one that it is compared with.
 * @param value The value that is compared; cells without it are left out.
 */
export function compare(
  { cells }: SectionSummary,
  [one, other]: readonly [one: Series, other: Series],
  value: (score: Score) => number | null = ({ rate }) => rate.median,
): Comparison {
  const ratios = new Map(cells.flatMap(({ cell, best }) => {
    const [a, b] = [one, other].map((series) => {
      const score = best.get(series);
      return score === undefined ? null : value(score);
    });
    return a && b ? [[cell.name, a / b] as const] : [];
  }));
  return { ratios, mean: geometricMean([...ratios.values()]) };
}

/** A cell's label within its section. */
export function cellLabel({ cell }: CellSummary): string {
  return labelOf(cell);
}

/** The title of a series, with the version that was measured. */
export function seriesLabel(series: Series, { versions }: Results): string {
  switch (series) {
    case "qemu":
    case "qemu-old": {
      const version = versions[series];
      return version === undefined ? SERIES[series] : `QEMU ${version}`;
    }
    default:
      return SERIES[series];
  }
}

/** A rate in reports: one decimal place below 100, none above. */
export function formatRate(rate: number): string {
  return rate < 100 ? rate.toFixed(1) : rate.toFixed(0);
}

/** A sentence about the machine and the settings. */
export function describe(results: Results): string {
  const { machine, settings, samples } = results;
  const { cpus, isVirtual, kernel, memoryGiB } = machine;
  const { runtimeS, size, fileSystem } = settings;
  const counts = new Map<string, number>();
  for (const { cell, server } of samples) {
    const key = `${cell} ${server}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const [least, most] = [
    Math.min(...counts.values()),
    Math.max(...counts.values()),
  ];
  const rounds = least === most ? `${least}` : `${least} to ${most}`;
  return `${cpus} ${
    isVirtual ? "vCPUs" : "CPUs"
  }, ${memoryGiB} GiB of memory, ` +
    `Linux ${kernel}; an image of ${formatSize(size)} on ${fileSystem}; ` +
    `medians of ${rounds} ${most === 1 ? "round" : "rounds"} of ${runtimeS} s.`;
}
