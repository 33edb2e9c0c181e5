import type { Driver } from "../servers/commands.ts";
import { formOf } from "./qcow2_images.ts";
import type { Qcow2Section, Section } from "./sections.ts";

/** The access pattern of fio. */
export type Pattern = "read" | "write" | "randread" | "randwrite";

/** How a job of fio waits: with 16 requests in flight, or with one. */
export type Engine = "aio" | "sync";

/** One load on one kind of export. */
export interface Cell {
  /** `null:randread:aio:4`, or `sequential:read:aio:128k`. */
  readonly name: string;
  readonly section: Section;
  readonly driver: Driver;
  readonly pattern: Pattern;
  readonly engine: Engine;
  /** Number of jobs, each with its own requests in flight. */
  readonly jobs: number;
  /** Bytes of a request. */
  readonly blockSize: number;
}

const KIB = 1024;
const SMALL = 4 * KIB;
const LARGE: readonly number[] = [128 * KIB, 512 * KIB, 1024 * KIB];
const PATTERNS = ["read", "write", "randread", "randwrite"] as const;
const ENGINE_NAMES = ["aio", "sync"] as const;

/** fio's name of each engine, and the requests that a job has in flight. */
export const ENGINES: Readonly<
  Record<Engine, { readonly fio: string; readonly depth: number }>
> = {
  aio: { fio: "libaio", depth: 16 },
  sync: { fio: "pvsync2", depth: 1 },
};

function smallCells(
  section: Section,
  driver: Driver,
  patterns: readonly Pattern[],
  jobCounts: readonly number[],
): Cell[] {
  return jobCounts.flatMap((jobs) =>
    ENGINE_NAMES.flatMap((engine) =>
      patterns.map((pattern) => ({
        name: `${section}:${pattern}:${engine}:${jobs}`,
        section,
        driver,
        pattern,
        engine,
        jobs,
        blockSize: SMALL,
      }))
    )
  );
}

function sequentialCells(): Cell[] {
  return LARGE.flatMap((blockSize) =>
    ENGINE_NAMES.flatMap((engine) =>
      (["read", "write"] as const).map((pattern) => ({
        name: `sequential:${pattern}:${engine}:${blockSize / KIB}k`,
        section: "sequential" as const,
        driver: "file" as const,
        pattern,
        engine,
        jobs: 1,
        blockSize,
      }))
    )
  );
}

function qcow2Cells(
  section: Qcow2Section,
  patterns: readonly Pattern[],
): Cell[] {
  return smallCells(section, "qcow2", patterns, [1, 4]);
}

/** Whether a cell's runs begin with images that have no clusters. */
export function isFresh({ section }: Cell): boolean {
  return formOf(section)?.isFresh ?? false;
}

/** All cells, in the order in which they are measured. */
export const CELLS: readonly Cell[] = [
  ...smallCells("null", "null", PATTERNS, [1, 4]),
  ...smallCells("tmpfs", "file", PATTERNS, [1, 4]),
  ...smallCells("disk", "file", ["randread", "randwrite"], [1])
    .filter(({ engine }) => engine === "aio"),
  ...sequentialCells(),
  ...smallCells("nbd", "nbd", PATTERNS, [1, 4]),
  ...qcow2Cells("qcow2", PATTERNS),
  ...qcow2Cells("qcow2-tables", ["randread"]),
  ...qcow2Cells("qcow2-deflate", ["read", "randread"]),
  ...qcow2Cells("qcow2-zstd", ["read", "randread"]),
  ...qcow2Cells("qcow2-allocate", ["randwrite"]),
  ...qcow2Cells("qcow2-backing", ["randwrite"]),
];

/** The cell of a name. */
export function cellOf(name: string): Cell {
  const cell = CELLS.find((each) => each.name === name);
  if (cell === undefined) throw new Error(`There is no cell "${name}"`);
  return cell;
}

/** A cell within its section: `randread aio, 4 jobs`, `read sync, 128 KiB`. */
export function labelOf(cell: Cell): string {
  const { section, pattern, engine, jobs, blockSize } = cell;
  const last = section === "sequential"
    ? `${blockSize / KIB} KiB`
    : `${jobs} job${jobs === 1 ? "" : "s"}`;
  return `${pattern} ${engine}, ${last}`;
}
