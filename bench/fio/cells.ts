/** What an export is made of in a cell. */
export type Driver = "null" | "file";

/** What fio does to the exported file. */
export type Pattern = "read" | "write" | "randread" | "randwrite";

/** How a job of fio waits: 16 requests in flight, or one after the other. */
export type Engine = "aio" | "sync";

/** One load on one kind of export: what every contestant is measured with. */
export interface Cell {
  /** `null:randread:aio:4`, or `bandwidth:read:aio:1` for 1 MiB requests. */
  readonly name: string;
  readonly driver: Driver;
  readonly pattern: Pattern;
  readonly engine: Engine;
  /** Jobs, each with requests of its own in flight. */
  readonly jobs: number;
  /** Bytes of a request. */
  readonly blockSize: number;
}

/** Which part of the reports a cell belongs to. */
export type Section = Driver | "bandwidth";

const SMALL = 4096;
const LARGE = 1 << 20;

/** What fio calls each engine, and how many requests a job has in flight. */
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
 * Picks by name. A pattern is a name or its beginning up to a `:` or `-`; `*`
 * stands for anything.
 *
 * @param items What there is to pick from.
 * @param filter Patterns with commas between them; all items if left out.
 * @param what What the items are called in the error's message.
 * @throws {RangeError} If a pattern picks nothing.
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
