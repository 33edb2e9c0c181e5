import { quoteName } from "../../../base/quote_name.ts";
import type { Backend } from "../../backend.ts";
import { formatSize } from "../../size.ts";
import { AUTOCLEAR, COMPATIBLE, INCOMPATIBLE } from "./constants.ts";
import type { Compression, Qcow2Header } from "./header.ts";
import { readHeader } from "./read_header.ts";
import { readSnapshots, type Snapshot } from "./snapshot_table.ts";

/** What a qcow2 image says of itself. Plain data; sizes in bytes. */
export interface Qcow2Facts {
  readonly version: number;
  /** The size of the disk. */
  readonly size: number;
  readonly clusterSize: number;
  readonly refcountBits: number;
  readonly compression: Compression;
  readonly features: readonly string[];
  /** The names that the header gives, which nothing was opened by. */
  readonly backingName: string | null;
  readonly backingFormat: string | null;
  readonly dataFileName: string | null;
  readonly snapshots: readonly Snapshot[];
}

/**
 * Reads what a qcow2 image says of itself, and opens no other file.
 *
 * @param file The image's file.
 * @param name Its name in errors.
 * @throws {UserError} If its header or table of snapshots makes no sense.
 */
export async function describeQcow2(
  file: Backend,
  name: string,
): Promise<Qcow2Facts> {
  const header = await readHeader(file, name);
  const { version, size, compression, clusterBits, refcountOrder } = header;
  const { backingName, backingFormat, dataFileName } = header;
  return {
    version,
    size,
    clusterSize: 2 ** clusterBits,
    refcountBits: 2 ** refcountOrder,
    compression,
    features: featuresOf(header),
    backingName,
    backingFormat,
    dataFileName,
    snapshots: await readSnapshots(file, header, name),
  };
}

function featuresOf(
  { incompatible, compatible, autoclear }: Qcow2Header,
): string[] {
  const named: readonly (readonly [bigint, bigint, string])[] = [
    [incompatible, INCOMPATIBLE.DIRTY, "dirty"],
    [incompatible, INCOMPATIBLE.CORRUPT, "corrupt"],
    [incompatible, INCOMPATIBLE.DATA_FILE, "external data file"],
    [incompatible, INCOMPATIBLE.EXTENDED_L2, "extended L2 entries"],
    [compatible, COMPATIBLE.LAZY_REFCOUNTS, "lazy refcounts"],
    [autoclear, AUTOCLEAR.BITMAPS, "bitmaps"],
    [autoclear, AUTOCLEAR.RAW_DATA_FILE, "raw data file"],
  ];
  return named.flatMap(([field, bit, name]) =>
    (field & bit) === 0n ? [] : [name]
  );
}

/** The same facts for people: names and texts. */
export function qcow2Rows(facts: Qcow2Facts): [string, string][] {
  const { backingName, backingFormat, dataFileName } = facts;
  const { clusterSize, refcountBits, compression, features } = facts;
  const rows: [string, string][] = [
    [
      "qcow2",
      `version ${facts.version}, clusters of ${formatSize(clusterSize)}`,
    ],
    ["Refcounts", `${refcountBits} bits`],
    ["Compression", compression],
    ["Features", features.length === 0 ? "none" : features.join(", ")],
  ];
  if (backingName !== null) {
    const format = backingFormat ?? "format not recorded";
    rows.push(["Backing file", `${quoteName(backingName)} (${format})`]);
  }
  if (dataFileName !== null) rows.push(["Data file", quoteName(dataFileName)]);
  for (const { id, name, size, seconds } of facts.snapshots) {
    const date = new Date(seconds * 1000).toISOString().slice(0, 19);
    const text = `${quoteName(id)} ${quoteName(name)}, ${
      formatSize(size)
    }, ${date}Z`;
    rows.push(["Snapshot", text]);
  }
  return rows;
}
