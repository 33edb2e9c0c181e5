/** Bytes of a cell: ranges are indexed by the cells that they overlap. */
const CELL = 16384;
/** Ranges that overlap more cells are kept in a list. */
const CELLS_MAX = 64;

/** A range of a {@linkcode RangeIndex}. */
export interface Range {
  /** Its start in bytes. */
  readonly position: number;
  /** Its length in bytes. */
  readonly length: number;
}

/** An index of byte ranges by what they overlap. */
export class RangeIndex<T extends Range> {
  readonly #cells: Map<number, T[]> = new Map();
  /** Ranges that overlap too many cells. */
  readonly #wide: T[] = [];
  #size = 0;

  /** The number of ranges. */
  get size(): number {
    return this.#size;
  }

  /** Adds a range, which must not change while it is in the index. */
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

  /** Removes a range, which must be in the index. */
  remove(range: T): void {
    this.#size--;
    const first = cellAt(range.position);
    const last = lastCell(range.position, range.length);
    if (last - first >= CELLS_MAX) return drop(this.#wide, range);
    for (let i = first; i <= last; i++) drop(this.#cells.get(i)!, range);
  }

  /** Whether a range of the index overlaps no other one. */
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

  /** The ranges that overlap a range. */
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

/** Collects the ranges of one cell that overlap a range. */
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
    // A range in several cells counts in the first of them.
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

/** Removes an item of a list whose order does not matter. */
function drop<T>(list: T[], item: T): void {
  const at = list.indexOf(item);
  const last = list.pop()!;
  if (at < list.length) list[at] = last;
}
