import { IDLE_CELLS, IDLE_LIMIT, IDLE_QUEUES } from "../idle/idle.ts";
import type { IdleResult } from "../idle/idle.ts";
import type { Section } from "../fio/sections.ts";
import type { Column } from "./columns.ts";
import { type ProgramSummary, speedsToQemu } from "./program_summary.ts";
import { geometricMean } from "./statistics.ts";
import {
  type CellSummary,
  compare,
  type Score,
  type SectionSummary,
} from "./summary.ts";

/** What the figures have to reach. */
export interface Target {
  /** `null, default options: geometric mean to QEMU`. */
  readonly what: string;
  /** The limit, and whether it is the least or the most that is allowed. */
  readonly limit: number;
  readonly bound: "least" | "most";
  /** What was reached; `null` if it was not measured. */
  readonly value: number | null;
  /** Where the value comes from: the cell or program that is furthest away. */
  readonly where: string;
}

/** What targets are computed from. */
export interface Figures {
  readonly sections: readonly SectionSummary[];
  readonly programs: readonly ProgramSummary[];
  readonly idle: readonly IdleResult[];
}

/** Whether a target is met; `null` if it was not measured. */
export function isMet({ value, limit, bound }: Target): boolean | null {
  if (value === null) return null;
  return bound === "least" ? value >= limit : value <= limit;
}

/** All targets, with what was reached. */
export function targetsOf(figures: Figures): Target[] {
  const cells = (section: Section, which: (cell: CellSummary) => boolean) =>
    (figures.sections.find((each) => each.section === section)?.cells ?? [])
      .filter(which);
  const all = () => true;
  const isAio = ({ cell }: CellSummary) => cell.engine === "aio";
  const isBusy = (each: CellSummary) => isAio(each) && each.cell.jobs === 4;
  const isRead = ({ cell }: CellSummary) => cell.pattern === "read";
  return [
    ...both(
      "null, best options",
      [1.35, 1],
      cells("null", all),
      "mqfuse-n-best",
    ),
    ...both(
      "null, default options",
      [1.3, 0.9],
      cells("null", all),
      "mqfuse-n",
    ),
    ...both("null, io_uring", [1.5, 1], cells("null", all), "mqfuse-y-best"),
    mean("tmpfs, default options", 2.8, cells("tmpfs", all), "mqfuse-n"),
    worst("tmpfs, aio with 4 jobs", 2.5, cells("tmpfs", isBusy), "mqfuse-n"),
    worst("sequential reads", 4, cells("sequential", isRead), "mqfuse-n"),
    worst(
      "sequential writes",
      2,
      cells("sequential", (each) => !isRead(each)),
      "mqfuse-n",
    ),
    worst(
      "sequential reads, aio, to the file itself",
      0.8,
      cells("sequential", (each) => isRead(each) && isAio(each)),
      "mqfuse-n",
      "file",
    ),
    cost("CPU a request, aio", 0.55, cells("null", isAio), "mqfuse-n"),
    cost(
      "CPU a request, aio, io_uring",
      0.55,
      cells("null", isAio),
      "mqfuse-y",
    ),
    ...nbdTargets(cells("nbd", all)),
    ...qcow2Targets(cells),
    ...programTargets(figures.programs),
    ...IDLE_CELLS.map(({ name, setting }) => ({
      what: `CPU of ${IDLE_QUEUES} idle queues, enable_uring=${setting}, %`,
      limit: 100 * IDLE_LIMIT,
      bound: "most" as const,
      value: percent(figures.idle.find(({ cell }) => cell === name)?.share),
      where: "",
    })),
  ];
}

/** Least means of the ratios to nbdfuse and to QEMU. */
const NBD_LEAST: readonly [Column, string, number, number][] = [
  ["mqfuse-n", "NBD", 1.5, 1.2],
  ["mqfuse-y", "NBD, io_uring", 2, 1.5],
];

function nbdTargets(cells: readonly CellSummary[]): Target[] {
  return NBD_LEAST.flatMap(([column, what, toNbdfuse, toQemu]) => [
    mean(`${what}, to nbdfuse`, toNbdfuse, cells, column, "nbdfuse"),
    mean(what, toQemu, cells, column),
    cost(`${what}, CPU to nbdfuse's`, 0.5, cells, column, "nbdfuse"),
  ]);
}

function qcow2Targets(
  cells: (
    section: Section,
    which: (cell: CellSummary) => boolean,
  ) => readonly CellSummary[],
): Target[] {
  const all = () => true;
  const allocated = cells("qcow2", all);
  const aio = cells("qcow2", ({ cell }) => cell.engine === "aio");
  const compressed = [
    ...cells("qcow2-deflate", all),
    ...cells("qcow2-zstd", all),
  ];
  return [
    ...both("qcow2, default options", [1.8, 1.3], allocated, "mqfuse-n"),
    ...both("qcow2, io_uring", [2, 1.3], allocated, "mqfuse-y"),
    ...(["mqfuse-n", "mqfuse-y"] as const).flatMap((column) => {
      const how = column === "mqfuse-n" ? "" : ", io_uring";
      const allocate = cells("qcow2-allocate", all);
      const backing = cells("qcow2-backing", all);
      return [
        cost(`qcow2, CPU a request, aio${how}`, 0.5, aio, column),
        mean(`qcow2, writes that allocate${how}`, 2, allocate, column),
        mean(`qcow2, the same over a backing file${how}`, 1.2, backing, column),
        ...both(`qcow2, compressed reads${how}`, [1.5, 1], compressed, column),
      ];
    }),
  ];
}

function percent(share: number | undefined): number | null {
  return share === undefined ? null : 100 * share;
}

function both(
  what: string,
  [least, each]: readonly [mean: number, each: number],
  cells: readonly CellSummary[],
  column: Column,
): Target[] {
  return [
    mean(what, least, cells, column),
    worst(what, each, cells, column),
  ];
}

function mean(
  what: string,
  limit: number,
  cells: readonly CellSummary[],
  column: Column,
  base: Column = "qemu",
): Target {
  const value = compare(cells, [column, base]).mean;
  const name = `${what}: geometric mean`;
  return { what: name, limit, bound: "least", value, where: "" };
}

function worst(
  what: string,
  limit: number,
  cells: readonly CellSummary[],
  column: Column,
  base: Column = "qemu",
): Target {
  const { ratios } = compare(cells, [column, base]);
  const [where, value] = lowest(ratios);
  const name = `${what}: each cell`;
  return { what: name, limit, bound: "least", value, where };
}

function cost(
  what: string,
  limit: number,
  cells: readonly CellSummary[],
  column: Column,
  base: Column = "qemu",
): Target {
  const cpu = ({ serverUs }: Score) => serverUs;
  const { ratios } = compare(cells, [column, base], cpu);
  const [where, value] = highest(ratios);
  const name = `${what}: each cell`;
  return { what: name, limit, bound: "most", value, where };
}

function programTargets(programs: readonly ProgramSummary[]): Target[] {
  const speeds = speedsToQemu(programs, "mqfuse-n");
  const [where, value] = lowest(speeds);
  return [
    {
      what: "programs, default options: geometric mean",
      limit: 1.5,
      bound: "least",
      value: geometricMean([...speeds.values()]),
      where: "",
    },
    {
      what: "programs, default options: each program",
      limit: 1,
      bound: "least",
      value,
      where,
    },
  ];
}

function lowest(
  values: ReadonlyMap<string, number>,
): [where: string, value: number | null] {
  return [...values].toSorted(([, a], [, b]) => a - b)[0] ?? ["", null];
}

function highest(
  values: ReadonlyMap<string, number>,
): [where: string, value: number | null] {
  return [...values].toSorted(([, a], [, b]) => b - a)[0] ?? ["", null];
}
