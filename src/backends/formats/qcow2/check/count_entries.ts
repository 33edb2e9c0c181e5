import { SECTOR } from "../constants.ts";
import type { ReferenceCounter } from "./reference_counter.ts";
import { hasPlace, tableOffset } from "./table_entry.ts";

const COPIED = 0x8000_0000;
const COMPRESSED = 0x4000_0000;
/** Bits of a plain entry that are 0. */
const RESERVED_HIGH = 0x3f00_0000;
const RESERVED_LOW = 0x1fe;

/**
 * Counts what the entries of an L2 table refer to.
 *
 * @param counter Takes it.
 * @param at Where the table is.
 * @param references How many entries of L1 tables lead to it.
 */
export async function countEntries(
  counter: ReferenceCounter,
  at: number,
  references: number,
): Promise<void> {
  const { image, report } = counter;
  const { clusterSize, geometry: { entryWords, hasDataFile } } = image;
  const words = await image.readWords(at, clusterSize);
  if (words === null) {
    report.unreadable++;
    return;
  }
  for (let word = 0; word < words.length; word += entryWords) {
    const high = words[word]!;
    const low = words[word + 1]!;
    const isExtended = entryWords === 4;
    const zero = isExtended ? words[word + 2]! : 0;
    const allocated = isExtended ? words[word + 3]! : 0;
    if ((high | low | zero | allocated) === 0) continue;
    const entry = { high, low, zero, allocated };
    const what = `entry ${word / entryWords} of the L2 table at ${at}`;
    if ((high & COMPRESSED) !== 0) {
      countStream(counter, entry, what, references);
      continue;
    }
    if ((high & RESERVED_HIGH) !== 0 || (low & RESERVED_LOW) !== 0) {
      report.corrupt("RESERVED_BITS", what, references);
    }
    const offset = tableOffset(high, low);
    if (!hasPlace(high, low, hasDataFile)) {
      if (allocated !== 0) report.corrupt("SUBCLUSTERS", what, references);
      continue;
    }
    if ((zero & allocated) !== 0) {
      report.corrupt("SUBCLUSTERS", what, references);
    }
    if (offset % clusterSize !== 0) {
      report.corrupt("UNALIGNED", what, references);
    }
    if (!hasDataFile) counter.refer(offset, clusterSize, what, references);
  }
}

/** The words of an L2 entry. */
interface EntryWords {
  readonly high: number;
  readonly low: number;
  readonly zero: number;
  readonly allocated: number;
}

/** Counts the clusters that a compressed stream touches. */
function countStream(
  counter: ReferenceCounter,
  { high, low, zero, allocated }: EntryWords,
  what: string,
  references: number,
): void {
  const { report, image: { geometry } } = counter;
  const damaged = () => report.corrupt("COMPRESSED", what, references);
  if ((high & COPIED) !== 0) damaged();
  if (geometry.hasDataFile || (zero | allocated) !== 0) return damaged();
  const shift = 38 - geometry.clusterBits;
  const host = (high & 2 ** shift - 1) * 2 ** 32 + (low >>> 0);
  const sectors = ((high & ~COPIED & ~COMPRESSED) >>> shift) + 1;
  const length = sectors * SECTOR - (low & SECTOR - 1);
  counter.refer(host, length, what, references);
}
