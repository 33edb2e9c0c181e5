import { bytesOf, writeFully } from "../write_fully.ts";
import type { ReferenceCounter } from "./reference_counter.ts";
import { hasPlace, tableOffset } from "./table_entry.ts";

const COMPRESSED = 0x4000_0000;
/** A plain entry of a cluster that reads as zeroes and has no place. */
const ZERO = 1;

/**
 * Takes the place from entries that read as zeroes and whose place makes no
 * sense, because it is not aligned to clusters: no data is lost with it. In
 * tables that share clusters with something else they stay.
 *
 * @returns How many there were, or a negated errno.
 */
export async function zeroUnaligned(
  counter: ReferenceCounter,
): Promise<number> {
  const { image, tables } = counter;
  const { file, clusterSize, geometry: { version } } = image;
  let all = 0;
  // Version 2 has no entries that read as zeroes.
  if (version === 2) return 0;
  for (const [at, references] of tables) {
    if (!counter.isAlone(at, clusterSize, references)) continue;
    const words = await image.readWords(at, clusterSize);
    const found = words === null ? 0 : zeroEntries(words, counter);
    if (words === null || found === 0) continue;
    const error = await writeFully(file, at, bytesOf(words));
    if (error < 0) return error;
    all += found;
  }
  return all;
}

/** Changes the entries of a table; returns how many it has changed. */
function zeroEntries(
  words: Int32Array,
  { image: { clusterSize, geometry } }: ReferenceCounter,
): number {
  const { entryWords, hasDataFile } = geometry;
  let found = 0;
  for (let word = 0; word < words.length; word += entryWords) {
    const [high, low] = [words[word]!, words[word + 1]!];
    const isUnaligned = (high & COMPRESSED) === 0 &&
      hasPlace(high, low, hasDataFile) &&
      tableOffset(high, low) % clusterSize !== 0;
    const isExtended = entryWords === 4;
    const hasData = isExtended ? words[word + 3] !== 0 : (low & ZERO) === 0;
    if (!isUnaligned || hasData) continue;
    words[word] = 0;
    words[word + 1] = isExtended ? 0 : ZERO;
    found++;
  }
  return found;
}
