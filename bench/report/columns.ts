/** A column of reports: one server, or the fastest of some. */
export type Column =
  | "mqfuse-n"
  | "mqfuse-n-best"
  | "mqfuse-y"
  | "mqfuse-y-best"
  | "passthrough"
  | "qemu"
  | "nbdfuse"
  | "file";

/** What a column shows. */
export interface ColumnText {
  /** Its title. */
  readonly title: string;
  /** Names of the servers of which it shows the fastest. */
  readonly servers: RegExp;
}

/** All columns, in their order. */
export const COLUMNS: Readonly<Record<Column, ColumnText>> = {
  "mqfuse-n": { title: "mqfuse, default options", servers: /^mqfuse-n$/ },
  "mqfuse-n-best": {
    title: "mqfuse, best options",
    servers: /^mqfuse-n(?:-q\d)?$/,
  },
  "mqfuse-y": { title: "io_uring, default options", servers: /^mqfuse-y$/ },
  "mqfuse-y-best": {
    title: "io_uring, best options",
    servers: /^mqfuse-y(?:-q\d)?$/,
  },
  "passthrough": { title: "passthrough", servers: /^mqfuse-n-passthrough$/ },
  "qemu": { title: "QEMU", servers: /^qemu-/ },
  "nbdfuse": { title: "nbdfuse", servers: /^nbdfuse$/ },
  "file": { title: "the file itself", servers: /^file$/ },
};

/** All columns, in their order. */
export const COLUMN_NAMES = Object.keys(COLUMNS) as Column[];

/** The title of a column, with the version that was measured. */
export function columnTitle(
  column: Column,
  versions: Readonly<Record<string, string>>,
): string {
  const { title } = COLUMNS[column];
  const version = column === "qemu" ? versions["qemu"] : undefined;
  return version === undefined ? title : `${title} ${version}`;
}
