import type { CheckReport } from "./check_report.ts";
import type { CheckedImage } from "./checked_image.ts";
import type { ReferenceCounter } from "./reference_counter.ts";
import { hasPlace, tableOffset } from "./table_entry.ts";
import { bytesOf, writeFully } from "../write_fully.ts";

const COPIED = 0x8000_0000 | 0;
const COMPRESSED = 0x4000_0000;

/** The refcount of a cluster; `null` if it cannot be read. */
export type RefcountOf = (
  cluster: number,
) => number | null | Promise<number | null>;

/**
 * The flags that say that a cluster or table belongs to the current disk alone.
 * Those in tables of snapshots mean nothing.
 */
export class CopiedFlags {
  readonly #counter: ReferenceCounter;
  readonly #image: CheckedImage;
  readonly #refcountOf: RefcountOf;
  readonly #report: CheckReport | null;

  /**
   * Prepares for an image.
   *
   * @param report Takes wrong flags; if `null`, they are set right in the file,
   * except in tables that share clusters with something else.
   */
  constructor(
    counter: ReferenceCounter,
    refcountOf: RefcountOf,
    report: CheckReport | null,
  ) {
    this.#counter = counter;
    this.#image = counter.image;
    this.#refcountOf = refcountOf;
    this.#report = report;
  }

  /** Looks at all entries; 0, or a negated errno of a table not written. */
  async visit(): Promise<number> {
    const { header: { l1Offset, l1Entries }, clusterSize } = this.#image;
    /** How many entries of the L1 table refer to an L2 table. */
    const tables = new Map<number, number>();
    for (let done = 0; done < l1Entries * 8; done += clusterSize) {
      const length = Math.min(clusterSize, l1Entries * 8 - done);
      const error = await this.#visitTable(l1Offset + done, length, 2, (at) => {
        tables.set(at, (tables.get(at) ?? 0) + 1);
      });
      if (error < 0) return error;
    }
    const { geometry: { entryWords } } = this.#image;
    for (const [at, references] of tables) {
      const error = await this.#visitTable(
        at,
        clusterSize,
        entryWords,
        null,
        references,
      );
      if (error < 0) return error;
    }
    return 0;
  }

  /**
   * Looks at the entries of a table.
   *
   * @param found Takes the tables that the entries of an L1 table refer to;
   * `null` for an L2 table.
   */
  async #visitTable(
    at: number,
    length: number,
    entryWords: number,
    found: ((table: number) => void) | null,
    references: number = 1,
  ): Promise<number> {
    const { clusterSize, file, geometry: { hasDataFile } } = this.#image;
    const words = await this.#image.readWords(at, length);
    // Counting the references has noted it.
    if (words === null) return 0;
    let isChanged = false;
    for (let word = 0; word < words.length; word += entryWords) {
      const [high, low] = [words[word]!, words[word + 1]!];
      const offset = tableOffset(high, low);
      const isEntry = found === null
        ? (high & COMPRESSED) === 0 &&
          hasPlace(high, low, hasDataFile)
        : offset !== 0;
      if (!isEntry) continue;
      found?.(offset);
      const isData = found === null && hasDataFile;
      const refcount = isData
        ? 1
        : await this.#refcountOf(Math.floor(offset / clusterSize));
      const isCopied = (high & COPIED) !== 0;
      if (refcount === null || (refcount === 1) === isCopied) continue;
      const table = found === null ? "L2" : "L1";
      const what = `entry ${word / entryWords} of the ${table} table at ${at}`;
      this.#report?.corrupt("COPIED", what, references);
      words[word] = high ^ COPIED;
      isChanged = true;
    }
    if (!isChanged || this.#report !== null) return 0;
    if (!this.#mayChange(at, length, found !== null)) return 0;
    return await writeFully(file, at, bytesOf(words));
  }

  #mayChange(at: number, length: number, isL1: boolean): boolean {
    const references = isL1 ? 1 : this.#counter.tables.get(at) ?? 0;
    return this.#counter.isAlone(at, length, references);
  }
}
