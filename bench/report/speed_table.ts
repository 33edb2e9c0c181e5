/**
 * Reads the tables of docs/benchmarks.md, which are the figures that the
 * repository keeps of a measurement.
 *
 * @module
 */

/** The servers of the figure, in its order. */
export const SERVERS = [
  "mqfuse",
  "passthrough",
  "QEMU",
  "nbdfuse",
  "file",
] as const;

/** One of {@linkcode SERVERS}. */
export type Server = typeof SERVERS[number];

/** The rates of one cell, in the unit of its section. */
export interface SpeedCell {
  /** Its name, such as "randread aio, 1 job". */
  readonly label: string;
  /** By server; one that was not measured is left out. */
  readonly rates: Readonly<Partial<Record<Server, number>>>;
}

/**
 * Reads the table below a heading.
 *
 * @param markdown The report.
 * @param heading The heading of its section, without "## ".
 * @returns The cells, in the order of the table.
 * @throws {Error} If there is no such table, or it lacks mqfuse.
 */
export function readSpeeds(markdown: string, heading: string): SpeedCell[] {
  const [, section = ""] = markdown.split(`\n## ${heading}\n`);
  const [head, , ...rows] = section.split("\n## ")[0]!.split("\n")
    .filter((line) => line.startsWith("|"));
  const servers = cellsOf(head ?? "").slice(1).map(serverOf);
  if (!servers.includes("mqfuse")) {
    throw new Error(`Cannot find the rates of mqfuse below "${heading}"`);
  }
  const end = rows.findIndex((row) => /^\|\s*geometric mean/.test(row));
  return rows.slice(0, Math.max(0, end)).map((row) => {
    const [label = "", ...texts] = cellsOf(row);
    const rates: Partial<Record<Server, number>> = {};
    for (const [i, server] of servers.entries()) {
      const rate = Number(/^\**([\d.]+)/.exec(texts[i] ?? "")?.[1]);
      if (server !== null && !Number.isNaN(rate)) rates[server] = rate;
    }
    return { label, rates };
  });
}

function cellsOf(row: string): string[] {
  return row.split("|").slice(1, -1).map((cell) => cell.trim());
}

function serverOf(title: string): Server | null {
  if (title === "mqfuse, default options") return "mqfuse";
  if (title === "passthrough") return "passthrough";
  if (title.startsWith("QEMU")) return "QEMU";
  if (title.startsWith("nbdfuse")) return "nbdfuse";
  return title.endsWith("file itself") ? "file" : null;
}
