/** The export of a cell: a null disk, or an image file. */
export type Driver = "null" | "file";

/** The access pattern of fio. */
export type Pattern = "read" | "write" | "randread" | "randwrite";

/** How a job of fio waits: with 16 requests in flight, or with one. */
export type Engine = "aio" | "sync";

/** One load on one kind of export; every server is measured with it. */
export interface Cell {
  /** `null:randread:aio:4`, or `bandwidth:read:aio:1` for 1 MiB requests. */
  readonly name: string;
  readonly driver: Driver;
  readonly pattern: Pattern;
  readonly engine: Engine;
  /** Number of jobs, each with its own requests in flight. */
  readonly jobs: number;
  /** Bytes of a request. */
  readonly blockSize: number;
}

/** Which part of the reports a cell belongs to. */
export type Section = Driver | "bandwidth";

const SMALL = 4096;
const LARGE = 1 << 20;

/** fio's name of each engine, and the requests that a job has in flight. */
export const ENGINES: Readonly<
  Record<Engine, { readonly fio: string; readonly depth: number }>
> = {
  aio: { fio: "libaio", depth: 16 },
  sync: { fio: "pvsync2", depth: 1 },
};

function smallCells(driver: Driver): Cell[] {
  const patterns = ["read", "write", "randread", "randwrite"] as const;
  return [1, 4].flatMap((jobs) =>
    (["aio", "sync"] as const).flatMap((engine) =>
      patterns.map((pattern) => ({
        name: `${driver}:${pattern}:${engine}:${jobs}`,
        driver,
        pattern,
        engine,
        jobs,
        blockSize: SMALL,
      }))
    )
  );
}

function bandwidthCells(): Cell[] {
  return (["aio", "sync"] as const).flatMap((engine) =>
    (["read", "write"] as const).map((pattern) => ({
      name: `bandwidth:${pattern}:${engine}:1`,
      driver: "file" as const,
      pattern,
      engine,
      jobs: 1,
      blockSize: LARGE,
    }))
  );
}

/** The 32 cells of 4 KiB, then the four of 1 MiB. */
export const CELLS: readonly Cell[] = [
  ...smallCells("null"),
  ...smallCells("file"),
  ...bandwidthCells(),
];

/** The cell of a name. */
export function cellOf(name: string): Cell {
  const cell = CELLS.find((each) => each.name === name);
  if (cell === undefined) throw new Error(`There is no cell "${name}"`);
  return cell;
}

/** Which part of the reports a cell belongs to. */
export function sectionOf(cell: Cell): Section {
  return cell.blockSize === LARGE ? "bandwidth" : cell.driver;
}

/** A cell within its section: `randread aio, 4 jobs`. */
export function labelOf({ pattern, engine, jobs }: Cell): string {
  return `${pattern} ${engine}, ${jobs} job${jobs === 1 ? "" : "s"}`;
}

/**
 * Picks items by name. A pattern is a name, or its beginning up to a `:` or
 * `-`; `*` matches any text.
 *
 * @param items The items to pick from.
 * @param filter Patterns, separated by commas; undefined picks all items.
 * @param what The items' name in error messages.
 * @throws {RangeError} If a pattern matches nothing.
 */
export function pick<T extends { readonly name: string }>(
  items: readonly T[],
  filter: string | undefined,
  what: string,
): T[] {
  if (filter === undefined) return [...items];
  const wanted = filter.split(",").filter((pattern) => pattern !== "")
    .map((pattern) => ({ pattern, names: expressionOf(pattern) }));
  for (const { pattern, names } of wanted) {
    if (items.some(({ name }) => names.test(name))) continue;
    const known = items.map(({ name }) => name).join(", ");
    throw new RangeError(
      `Cannot pick ${what} by "${pattern}", which matches none of ${known}`,
    );
  }
  return items.filter(({ name }) =>
    wanted.some(({ names }) => names.test(name))
  );
}

function expressionOf(pattern: string): RegExp {
  const source = pattern.split("*")
    .map((part) => part.replaceAll(/[.?+^$(){}|[\]\\]/g, "\\$&"))
    .join(".*");
  return new RegExp(`^${source}(?:$|[:-])`);
}
