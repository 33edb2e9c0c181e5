/** A write, or a range that was made zero. */
export interface Overwrite {
  /** When it began. */
  readonly began: number;
  /** When it ended; `Infinity` while it has not. */
  ended: number;
  /** Where it writes. */
  readonly position: number;
  /** What it writes; `null` for zeroes. */
  readonly data: Uint8Array | null;
  /** Bytes that it writes. */
  length: number;
  /** Whether it may have taken place only in part, or not at all. */
  doubtful: boolean;
}

/**
 * Writes that did not come one after another, until it is known what they
 * left behind.
 */
export class WriteHistory {
  /** Writes that are not settled, in the order in which they ended. */
  #writes: Overwrite[] = [];
  /** When each call that is under way began. */
  readonly #active: Set<number> = new Set();
  readonly #settle: (write: Overwrite) => void;
  #now = 0;

  /** Makes a history that passes on each write whose outcome is known. */
  constructor(settle: (write: Overwrite) => void) {
    this.#settle = settle;
  }

  /** A call begins; returns when. */
  begin(): number {
    this.#active.add(++this.#now);
    return this.#now;
  }

  /** A call ends. */
  end(began: number): void {
    this.#active.delete(began);
    this.#now++;
    this.#settleOld();
  }

  /** A write begins. */
  beginWrite(
    position: number,
    data: Uint8Array | null,
    length: number,
  ): Overwrite {
    const write: Overwrite = {
      began: this.begin(),
      ended: Infinity,
      position,
      data: data?.slice() ?? null,
      length,
      doubtful: false,
    };
    this.#writes.push(write);
    return write;
  }

  /** A write ends; negative if it failed. */
  endWrite(write: Overwrite, count: number): void {
    write.ended = ++this.#now;
    if (count < 0) write.doubtful = true;
    else write.length = count;
    // What ended first is settled first.
    this.#writes.splice(this.#writes.indexOf(write), 1);
    const at = this.#writes.findIndex(({ ended }) => ended === Infinity);
    this.#writes.splice(at < 0 ? this.#writes.length : at, 0, write);
    this.end(write.began);
  }

  /** The end of the write under way that goes farthest. */
  activeEnd(): number {
    let end = 0;
    for (const { ended, position, length } of this.#writes) {
      if (ended === Infinity) end = Math.max(end, position + length);
    }
    return end;
  }

  /** Writes that are not settled and touch a range. */
  near(position: number, length: number): Overwrite[] {
    const range = { position, length };
    return this.#writes.filter((write) => overlaps(write, range));
  }

  /**
   * Settles what ended before everything that is under way began, unless it
   * overlaps another write of its own time: then either may have won, until a
   * later write covers both.
   */
  #settleOld(): void {
    let oldest = Infinity;
    for (const began of this.#active) {
      oldest = began;
      break;
    }
    if (this.#writes.length === 0) return;
    this.#writes = this.#writes.filter((write) =>
      !this.#isCovered(write, oldest)
    );
    const left: Overwrite[] = [];
    for (const write of this.#writes) {
      const isOpen = write.ended >= oldest || write.doubtful ||
        this.#writes.some((other) =>
          other !== write && overlaps(write, other) &&
          (other.began < write.ended && write.began < other.ended ||
            left.includes(other))
        );
      if (isOpen) left.push(write);
      else this.#settle(write);
    }
    this.#writes = left;
  }

  /** Whether a later write has taken the whole place of an undecided one. */
  #isCovered(write: Overwrite, oldest: number): boolean {
    return this.#writes.some((later) =>
      later.began > write.ended && later.ended < oldest && !later.doubtful &&
      later.position <= write.position &&
      later.position + later.length >= write.position + write.length
    );
  }
}

/**
 * What a read may find at a position.
 *
 * @param undecided The writes near it that are not settled.
 * @param position The position.
 * @param began When the read began.
 * @param settled What the settled writes left there.
 */
export function legalBytes(
  undecided: readonly Overwrite[],
  position: number,
  began: number,
  settled: number,
): Set<number> {
  const writes = undecided.filter((write) => covers(write, position));
  const before = writes.filter(({ ended }) => ended < began);
  const isOver = (write: Overwrite) =>
    before.some((later) => !later.doubtful && later.began > write.ended);
  const legal = new Set<number>();
  for (const write of writes) {
    if (!isOver(write)) legal.add(byteAt(write, position));
  }
  if (before.every(({ doubtful }) => doubtful)) legal.add(settled);
  return legal;
}

function covers({ position, length }: Overwrite, at: number): boolean {
  return at >= position && at < position + length;
}

interface Range {
  readonly position: number;
  readonly length: number;
}

function overlaps(a: Range, b: Range): boolean {
  return a.position < b.position + b.length &&
    b.position < a.position + a.length;
}

function byteAt({ position, data }: Overwrite, at: number): number {
  return data === null ? 0 : data[at - position]!;
}
