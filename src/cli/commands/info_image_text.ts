import { adviceOn } from "../../backends/formats/known_formats.ts";
import type { ImageRange } from "../../backends/image_map.ts";
import { shownSource } from "../../backends/protocols/http/url.ts";
import { formatSize } from "../../backends/size.ts";
import { quoteName } from "../../base/quote_name.ts";
import type { ImageFacts, PartitionFacts } from "./image_facts.ts";

/** The text of `info IMAGE`: two columns. */
export function imageRows(facts: ImageFacts): string[] {
  const { source, format, chain, size, fileSize, allocated } = facts;
  const rows: (readonly [string, string])[] = [
    ["Image", quoteName(shownSource(source))],
    ["Looks like", likenessOf(facts)],
    ["Disk", `${formatSize(size)} (${size} bytes)`],
    ["File", `${formatSize(fileSize)}, ${spaceOf(allocated)} on the medium`],
    ...format?.rows ?? [],
  ];
  if (typeof chain === "string") rows.push(["Chain", chain]);
  else {
    chain.forEach(({ driver, name }, i) =>
      rows.push([i === 0 ? "Chain" : "", `${quoteName(name)} (${driver})`])
    );
  }
  rows.push(...partitionRows(facts));
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `${name.padEnd(width)}  ${text}`);
}

function likenessOf(facts: ImageFacts): string {
  const { looksLike, exportAs, source } = facts;
  if (looksLike === null) return likenessOfRaw(facts);
  const kind = looksLike.kind ?? looksLike.name;
  if (exportAs === null) {
    return `${kind}, which no driver opens: ${adviceOn(looksLike)}`;
  }
  return exportAs === source
    ? kind
    : `${kind}: export it as ${quoteName(shownSource(exportAs))}`;
}

/** No format is recognised: its disk may show that it is raw. */
function likenessOfRaw(
  { partitions, fileSystem, format }: ImageFacts,
): string {
  if (format !== null) return `what the driver ${format.driver} reads`;
  return partitions === null && fileSystem === null
    ? "raw bytes: no format is recognised"
    : "a raw disk";
}

function spaceOf(allocated: number | null): string {
  return allocated === null ? "an unknown size" : formatSize(allocated);
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
    ...name === null ? [] : [quoteName(name)],
    ...fileSystem === null ? [] : [fileSystem],
  ];
  return parts.join(", ");
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
