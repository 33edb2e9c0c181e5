/**
 * What is converted, and by which commands.
 *
 * @module
 */

/** The images that are converted. */
export const SOURCES = [
  "full.img",
  "sparse.img",
  "full.qcow2",
  "sparse.qcow2",
  "files.img",
] as const;
/** One of {@linkcode SOURCES}. */
export type Source = typeof SOURCES[number];

/** One conversion. */
export interface Cell {
  readonly name: string;
  readonly source: Source;
  readonly format: "raw" | "qcow2";
  /** How clusters are compressed; `null` if they are not. */
  readonly compress: "zlib" | "zstd" | null;
}

/** All conversions. */
export const CELLS: readonly Cell[] = [
  cell("raw to qcow2, sparse", "sparse.img", "qcow2"),
  cell("raw to qcow2, full", "full.img", "qcow2"),
  cell("qcow2 to raw, sparse", "sparse.qcow2", "raw"),
  cell("qcow2 to raw, full", "full.qcow2", "raw"),
  cell("raw to qcow2, zlib", "files.img", "qcow2", "zlib"),
  cell("raw to qcow2, zstd", "files.img", "qcow2", "zstd"),
];

function cell(
  name: string,
  source: Source,
  format: Cell["format"],
  compress: Cell["compress"] = null,
): Cell {
  return { name, source, format, compress };
}

/** A program with options, which converts. */
export interface Converter {
  readonly name: string;
  /** Whether it is this project's. */
  readonly isOurs: boolean;
  command(cell: Cell, target: string): string[];
}

/** How many requests qemu-img has under way, at most 16. */
const COROUTINES = [1, 2, 4, 8];

/**
 * The converters that are compared.
 *
 * @param program The path of this project's program.
 */
export function convertersOf(program: string): Converter[] {
  const ours: Converter = {
    name: "mqfuse",
    isOurs: true,
    command: ({ source, format, compress }, target) => [
      Deno.execPath(),
      "run",
      "--no-prompt",
      "--allow-ffi",
      program,
      "convert",
      ...compress === null ? [] : [`--compress=${compress}`],
      source.endsWith(".qcow2") ? `qcow2:${source}` : source,
      format === "qcow2" ? `qcow2:${target}` : target,
    ],
  };
  const others = COROUTINES.flatMap((count) =>
    [false, true].map((isUnordered) => qemuImg(count, isUnordered))
  );
  return [ours, ...others];
}

function qemuImg(coroutines: number, isUnordered: boolean): Converter {
  const options = [`-m${coroutines}`, ...isUnordered ? ["-W"] : []];
  return {
    name: `qemu-img ${options.join(" ")}`,
    isOurs: false,
    command: ({ source, format, compress }, target) => [
      "qemu-img",
      "convert",
      ...options,
      ...compress === null ? [] : ["-c"],
      ...compress === "zstd" ? ["-o", "compression_type=zstd"] : [],
      "-f",
      source.endsWith(".qcow2") ? "qcow2" : "raw",
      "-O",
      format,
      source,
      target,
    ],
  };
}
