/** Bytes of a disk that are looked up together. */
const CELL = 16384;
/** What touches more cells than this is looked at each time. */
const CELLS_MAX = 64;

/** What lies in a {@linkcode RangeIndex}. */
export interface Range {
  /** Where it starts. */
  readonly position: number;
  /** Its bytes. */
  readonly length: number;
}

/** Ranges of a disk, found by what they touch. */
export class RangeIndex<T extends Range> {
  readonly #cells: Map<number, T[]> = new Map();
  /** Those that touch too many cells. */
  readonly #wide: T[] = [];
  #size = 0;

  /** How many there are. */
  get size(): number {
    return this.#size;
  }

  /** Adds a range, which must not move while it is there. */
  add(range: T): void {
    this.#size++;
    const first = cellAt(range.position);
    const last = lastCell(range.position, range.length);
    if (last - first >= CELLS_MAX) {
      this.#wide.push(range);
      return;
    }
    for (let i = first; i <= last; i++) {
      const cell = this.#cells.get(i);
      if (cell === undefined) this.#cells.set(i, [range]);
      else cell.push(range);
    }
  }

  /** Takes a range out that is there. */
  remove(range: T): void {
    this.#size--;
    const first = cellAt(range.position);
    const last = lastCell(range.position, range.length);
    if (last - first >= CELLS_MAX) return drop(this.#wide, range);
    for (let i = first; i <= last; i++) drop(this.#cells.get(i)!, range);
  }

  /** Whether a range that is there shares no byte with another one. */
  isAlone(range: T): boolean {
    const { position, length } = range;
    const last = lastCell(position, length);
    if (this.#wide.length > 0) return this.near(position, length).length === 1;
    for (let i = cellAt(position); i <= last; i++) {
      for (const other of this.#cells.get(i)!) {
        const isOther = other !== range;
        if (isOther && touches(other, position, position + length)) {
          return false;
        }
      }
    }
    return true;
  }

  /** Those that share a byte with a range. */
  near(position: number, length: number): readonly T[] {
    if (this.#size === 0) return NONE;
    const first = cellAt(position);
    const last = lastCell(position, length);
    const found: T[] = [];
    pick(this.#wide, first, first, position, length, found);
    if (last - first < CELLS_MAX) {
      for (let i = first; i <= last; i++) {
        const cell = this.#cells.get(i);
        if (cell !== undefined) pick(cell, i, first, position, length, found);
      }
    } else {
      for (const [i, cell] of this.#cells) {
        if (i >= first) pick(cell, i, first, position, length, found);
      }
    }
    return found;
  }
}

/** Adds what touches a range and lies in one cell of those that it touches. */
function pick<T extends Range>(
  cell: readonly T[],
  index: number,
  first: number,
  position: number,
  length: number,
  found: T[],
): void {
  for (const range of cell) {
    if (!touches(range, position, position + length)) continue;
    // What touches several cells is found in the first of them.
    if (index === first || index === cellAt(range.position)) found.push(range);
  }
}

const NONE: readonly never[] = [];

function cellAt(position: number): number {
  return Math.floor(position / CELL);
}

function lastCell(position: number, length: number): number {
  return Math.floor((position + Math.max(1, length) - 1) / CELL);
}

function touches(
  { position, length }: Range,
  from: number,
  end: number,
): boolean {
  return position < end && from < position + length;
}

/** Takes one out of a list whose order does not matter. */
function drop<T>(list: T[], item: T): void {
  const at = list.indexOf(item);
  const last = list.pop()!;
  if (at < list.length) list[at] = last;
}
