import type { ImageRange } from "../../backends/image_map.ts";
import { formatSize } from "../../backends/size.ts";
import type { Qcow2Facts } from "../../backends/formats/qcow2/describe.ts";
import type { ImageFacts, PartitionFacts } from "./image_facts.ts";

/** The text of `info IMAGE`: two columns. */
export function imageRows(facts: ImageFacts): string[] {
  const { source, qcow2, chain, size, fileSize, allocated } = facts;
  const rows: [string, string][] = [
    ["Image", quoted(source)],
    ["Looks like", likenessOf(facts)],
    ["Disk", `${formatSize(size)} (${size} bytes)`],
    ["File", `${formatSize(fileSize)}, ${spaceOf(allocated)} on the medium`],
    ...qcow2 === null ? [] : qcow2Rows(qcow2),
  ];
  if (typeof chain === "string") rows.push(["Chain", chain]);
  else {
    chain.forEach(({ driver, name }, i) =>
      rows.push([i === 0 ? "Chain" : "", `${quoted(name)} (${driver})`])
    );
  }
  rows.push(...partitionRows(facts));
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `${name.padEnd(width)}  ${text}`);
}

function likenessOf({ looksLike, exportAs, source }: ImageFacts): string {
  if (looksLike === null) return "raw bytes";
  if (exportAs === null) {
    return `${looksLike.name}, which no driver opens: convert it with 'qemu-img convert -O qcow2'`;
  }
  return exportAs === source
    ? looksLike.name
    : `${looksLike.name}: export it as ${quoted(exportAs)}`;
}

function spaceOf(allocated: number | null): string {
  return allocated === null ? "an unknown size" : formatSize(allocated);
}

function qcow2Rows(facts: Qcow2Facts): [string, string][] {
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
    rows.push(["Backing file", `${quoted(backingName)} (${format})`]);
  }
  if (dataFileName !== null) rows.push(["Data file", quoted(dataFileName)]);
  for (const { id, name, size, seconds } of facts.snapshots) {
    const date = new Date(seconds * 1000).toISOString().slice(0, 19);
    const text = `${quoted(id)} ${quoted(name)}, ${formatSize(size)}, ${date}Z`;
    rows.push(["Snapshot", text]);
  }
  return rows;
}

/** The partition table, or what the whole disk holds. */
function partitionRows(
  { partitions: table, fileSystem }: ImageFacts,
): [string, string][] {
  if (table === null) {
    return fileSystem === null ? [] : [["Content", fileSystem]];
  }
  if (typeof table === "string") return [["Partitions", table]];
  const { kind, sectorSize, partitions, remarks } = table;
  return [
    ["Partitions", `${kind.toUpperCase()}, sectors of ${sectorSize} bytes`],
    ...partitions.map((each): [string, string] => [
      `  ${each.number}`,
      partitionText(each),
    ]),
    ...remarks.map((remark): [string, string] => ["Remark", remark]),
  ];
}

function partitionText(
  { offset, size, type, typeName, name, fileSystem }: PartitionFacts,
): string {
  const parts = [
    `${formatSize(size)} from byte ${offset}`,
    typeName ?? `type ${type}`,
    ...name === null ? [] : [quoted(name)],
    ...fileSystem === null ? [] : [fileSystem],
  ];
  return parts.join(", ");
}

/** A name that may hold anything, for a terminal. */
function quoted(name: string): string {
  return /^[\x21-\x7e]+$/.test(name) ? name : JSON.stringify(name);
}

/** One line of `info --map IMAGE`. */
export function mapLine(range: ImageRange): string {
  const { start, length, depth, offset } = range;
  const kind = range.compressed
    ? "compressed"
    : range.data
    ? "data"
    : range.present
    ? "zero"
    : "hole";
  const from = depth === 0 ? "" : `, ${depth} below`;
  const at = offset === null ? "" : `, at ${offset}`;
  return `${start} ${length} ${kind}${at}${from}`;
}
