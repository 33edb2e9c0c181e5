/**
 * What a disk may legally return, in the plainest form: every write is kept
 * forever, and each unit is decided on its own. Slow, and meant to be obviously
 * right.
 *
 * A unit is the smallest piece that a history reads or writes. A mark
 * identifies the write that wrote it. No two calls begin or end at the same
 * time.
 *
 * @module
 */

/** The mark of zeroes. */
export const ZERO = 0;

/** A read that is under way. */
export interface ReferenceRead {
  readonly began: number;
  readonly at: number;
  readonly length: number;
}

/** A write or zeroing, or the doubtful part of one. */
export interface ReferenceWrite extends ReferenceRead {
  readonly mark: number;
  /** When it ended; `Infinity` while it may still happen. */
  ended: number;
  /** Whether it may not have happened at all. */
  doubtful: boolean;
}

/** The outcome of a write; the rest of one that is "done" never happens. */
export type ReferenceOutcome = "done" | "failed" | "lost";

/** The rules of `DiskModel`, one after another. */
export class ReferenceDisk {
  readonly #initial: number;
  readonly #underWay: Set<ReferenceRead> = new Set();
  #writes: ReferenceWrite[] = [];
  #now = 0;

  /** Makes a disk that has one mark everywhere. */
  constructor(initial: number) {
    this.#initial = initial;
  }

  /** A read begins. */
  beginRead(at: number, length: number): ReferenceRead {
    const read = { began: ++this.#now, at, length };
    this.#underWay.add(read);
    return read;
  }

  /** A write begins. */
  beginWrite(at: number, length: number, mark: number): ReferenceWrite {
    const began = ++this.#now;
    const ended = Infinity;
    const write = { began, ended, at, length, mark, doubtful: false };
    this.#underWay.add(write);
    this.#writes.push(write);
    return write;
  }

  /**
   * A write ends.
   *
   * @param write The write.
   * @param count Units that were certainly written.
   * @param most Units that may have been written.
   * @param outcome What is known about the rest.
   */
  endWrite(
    write: ReferenceWrite,
    count: number,
    most: number,
    outcome: ReferenceOutcome,
  ): void {
    const ended = ++this.#now;
    this.#underWay.delete(write);
    this.#writes = this.#writes.filter((other) => other !== write);
    if (count > 0) this.#writes.push({ ...write, length: count, ended });
    if (outcome === "done" || count === most) return;
    this.#writes.push({
      ...write,
      at: write.at + count,
      length: most - count,
      ended: outcome === "lost" ? Infinity : ended,
      doubtful: true,
    });
  }

  /** Lost writes cannot happen any more. */
  forgetLost(): void {
    const now = ++this.#now;
    for (const write of this.#writes) {
      if (write.doubtful) write.ended = Math.min(write.ended, now);
    }
  }

  /** The marks that a read which ends now may find in a unit. */
  legal(read: ReferenceRead, place: number): Set<number> {
    const here = this.#writes.filter((write) => covers(write, place));
    // Writes that ended before one of these began are overwritten.
    const certain = here.filter(({ ended, doubtful }) =>
      ended < read.began && !doubtful
    );
    const marks = here
      .filter(({ ended }) => !certain.some(({ began }) => began > ended))
      .map(({ mark }) => mark);
    if (certain.length === 0) marks.push(this.#initial);
    return new Set(marks);
  }

  /**
   * A read ends.
   *
   * @param read The read.
   * @param found The mark of each unit, if they were legal. If it was the first
   * read after all writes, it decides.
   */
  endRead(read: ReferenceRead, found: readonly number[] | null): void {
    this.#now++;
    const oldest = Math.min(...[...this.#underWay].map(({ began }) => began));
    this.#underWay.delete(read);
    if (found === null) return;
    const seen = { at: read.at, length: found.length };
    const isAfterAll = this.#writes.every((write) =>
      !overlap(write, seen) || write.ended < oldest
    );
    if (!isAfterAll) return;
    // As if everything had been written just before any call under way began.
    const when = oldest - 0.5;
    for (const [i, mark] of found.entries()) {
      const at = read.at + i;
      const length = 1;
      const doubtful = false;
      this.#writes.push({
        began: when,
        ended: when,
        at,
        length,
        mark,
        doubtful,
      });
    }
  }
}

interface Places {
  readonly at: number;
  readonly length: number;
}

function covers({ at, length }: Places, place: number): boolean {
  return at <= place && place < at + length;
}

function overlap(one: Places, other: Places): boolean {
  return one.at < other.at + other.length && other.at < one.at + one.length;
}
