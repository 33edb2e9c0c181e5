/** A write, or a range that was made zero, or what is left of one. */
export interface Overwrite {
  /** When it began. */
  readonly began: number;
  /** When it ended; `Infinity` while it may still take place. */
  ended: number;
  /** Where it writes. */
  position: number;
  /** What it writes; `null` for zeroes. */
  data: Uint8Array | null;
  /** Bytes that it writes. */
  length: number;
  /** Whether it may have taken place only in part, or not at all. */
  doubtful: boolean;
}

/** How a write came out. */
export type WriteOutcome =
  /** It did what it says. */
  | "done"
  /** It failed, and may have done a part. */
  | "failed"
  /** It failed, and may still take place at any time. */
  | "lost";

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

  /** Calls that are under way. */
  get active(): number {
    return this.#active.size;
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
    if (this.#writes.length > 0) this.#settleOld();
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
      data: data?.slice(0, length) ?? null,
      length,
      doubtful: false,
    };
    this.#writes.push(write);
    return write;
  }

  /**
   * A write ends.
   *
   * @param count Bytes that it has written for certain.
   * @param outcome What is known of the others.
   */
  endWrite(write: Overwrite, count: number, outcome: WriteOutcome): void {
    const now = ++this.#now;
    this.#writes.splice(this.#writes.indexOf(write), 1);
    if (outcome !== "done" && count < write.length) {
      const rest = part(write, count, write.length);
      rest.doubtful = true;
      rest.ended = outcome === "lost" ? Infinity : now;
      this.#insert(rest);
    }
    write.ended = now;
    write.length = count;
    if (count > 0) this.#insert(write);
    this.end(write.began);
  }

  /** What failed and could take place at any time cannot any more. */
  forgetLost(): void {
    const now = ++this.#now;
    const lost = this.#writes.filter((write) =>
      write.doubtful && write.ended === Infinity
    );
    for (const write of lost) {
      this.#writes.splice(this.#writes.indexOf(write), 1);
      write.ended = now;
      this.#insert(write);
    }
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
    if (this.#writes.length === 0) return NONE;
    return this.#writes.filter((write) =>
      write.position < position + length &&
      position < write.position + write.length
    );
  }

  /**
   * Notes what a read has found, which decides what was left open.
   *
   * @param read When the read began, where, and what it found.
   * @returns Whether the read came after every write near it.
   */
  decide(read: { began: number; position: number; length: number }): boolean {
    const { began, position, length } = read;
    const before = Math.min(this.#oldest(), began);
    const near = this.near(position, length);
    if (!near.every(({ ended }) => ended < before)) return false;
    for (const write of near) this.#subtract(write, position, length);
    return true;
  }

  #insert(write: Overwrite): void {
    const at = this.#writes.findIndex(({ ended }) => ended > write.ended);
    this.#writes.splice(at < 0 ? this.#writes.length : at, 0, write);
  }

  #oldest(): number {
    for (const began of this.#active) return began;
    return Infinity;
  }

  /**
   * Settles what ended before everything that is under way began, unless it
   * overlaps another write of its own time: then either may have won, until a
   * later write or a read decides.
   */
  #settleOld(): void {
    const oldest = this.#oldest();
    const old = this.#writes.filter(({ ended }) => ended < oldest);
    if (old.length === 0) return;
    for (const later of old) {
      if (later.doubtful) continue;
      for (const write of this.near(later.position, later.length)) {
        if (write.ended >= later.began) continue;
        this.#subtract(write, later.position, later.length);
      }
    }
    for (const write of old) {
      if (write.doubtful || write.length === 0) continue;
      const isOpen = this.near(write.position, write.length).some((other) =>
        other !== write && other.began < write.ended
      );
      if (isOpen) continue;
      this.#settle(write);
      this.#writes.splice(this.#writes.indexOf(write), 1);
    }
  }

  /** Takes a range out of a write. */
  #subtract(write: Overwrite, position: number, length: number): void {
    const from = position - write.position;
    const rest = [
      part(write, 0, Math.min(from, write.length)),
      part(write, Math.max(0, from + length), write.length),
    ].filter((piece) => piece.length > 0);
    const at = this.#writes.indexOf(write);
    this.#writes.splice(at, 1, ...rest);
    write.length = 0;
  }
}

const NONE: Overwrite[] = [];

/** A part of a write, as a write of its own. */
function part(write: Overwrite, from: number, to: number): Overwrite {
  return {
    ...write,
    position: write.position + from,
    data: write.data?.subarray(from, Math.max(from, to)) ?? null,
    length: Math.max(0, to - from),
  };
}
