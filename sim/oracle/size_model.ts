/** What sizes a disk may have had while a call was under way. */
export interface SizeWindow {
  /** The smallest size that it may have had. */
  sizeMin: number;
  /** The largest size that it may have had. */
  sizeMax: number;
  /** Its place among those that are open. */
  slot: number;
}

/**
 * The size of a disk: a range, where calls that change it came at the same
 * time as others.
 */
export class SizeModel {
  readonly #growable: boolean;
  readonly #windows: SizeWindow[] = [];
  /** Sizes that it may get by calls that are under way. */
  readonly #coming: Set<SizeChange> = new Set();
  /** All calls under way that may move the end. */
  readonly #writing: Set<SizeChange> = new Set();
  readonly #lost: SizeChange[] = [];
  #least: number;
  #most: number;
  #changes = 0;

  /** Starts with a size that is certain. */
  constructor(size: number, growable: boolean) {
    this.#least = size;
    this.#most = size;
    this.#growable = growable;
  }

  /** The largest size that it may have now. */
  get size(): number {
    return this.#most;
  }

  /** The smallest size that it may have now. */
  get least(): number {
    return this.#least;
  }

  /** Whether it is known exactly. */
  get certain(): boolean {
    return this.#least === this.#most && this.#writing.size === 0;
  }

  /** A call begins; the window follows the size until it ends. */
  open(window: SizeWindow): void {
    this.#look(window);
    window.slot = this.#windows.push(window) - 1;
  }

  /** A call ends. */
  close(window: SizeWindow): void {
    const last = this.#windows.pop()!;
    if (last === window) return;
    this.#windows[window.slot] = last;
    last.slot = window.slot;
  }

  /** A write up to some end, or a change of the size, begins. */
  begin(size: number, isWrite: boolean): SizeChange | null {
    if (isWrite && !this.#growable) return null;
    const alone = this.#coming.size === 0;
    const at = this.#changes + 1;
    const change = { size, isWrite, alone, at, beyond: 0 };
    this.#writing.add(change);
    if (isWrite && size <= this.#least) return change;
    this.#coming.add(change);
    this.#changes = at;
    this.#spread();
    return change;
  }

  /**
   * It ends.
   *
   * @param size The size that it made certain; `null` if it failed.
   * @param lost Whether it may still take place later.
   */
  end(change: SizeChange, size: number | null, lost: boolean = false): void {
    if (lost) {
      this.#lost.push(change);
      return;
    }
    const wasComing = this.#coming.delete(change);
    this.#writing.delete(change);
    for (const other of this.#coming) {
      other.beyond = Math.max(other.beyond, change.size);
    }
    if (!wasComing) {
      // The end may have moved before it meanwhile.
      if (change.size > this.#least) {
        this.#most = Math.max(this.#most, change.size);
        this.#spread();
      }
      return;
    }
    const alone = change.alone && this.#changes === change.at;
    if (size === null || !alone) {
      this.#least = Math.min(
        this.#least,
        change.isWrite ? Infinity : change.size,
      );
      this.#most = Math.max(this.#most, change.size);
    } else if (change.isWrite) {
      this.#least = Math.max(this.#least, size);
      this.#most = Math.max(this.#most, size);
    } else {
      this.#least = size;
      this.#most = Math.max(size, change.beyond);
      for (const other of this.#writing) {
        this.#most = Math.max(this.#most, other.size);
      }
    }
    this.#spread();
  }

  /** What failed and could take place at any time cannot any more. */
  forgetLost(): void {
    for (const change of this.#lost.splice(0)) this.end(change, null);
  }

  /** Somebody has seen the size while nothing was under way. */
  seen(size: number): boolean {
    if (size < this.#least || size > this.#most) return false;
    if (this.#coming.size === 0) this.#least = this.#most = size;
    return true;
  }

  #look(window: SizeWindow): void {
    window.sizeMin = this.#least;
    window.sizeMax = this.#most;
    for (const change of this.#coming) spread(window, change);
  }

  #spread(): void {
    if (this.#windows.length === 0) return;
    const now = { sizeMin: 0, sizeMax: 0, slot: 0 };
    this.#look(now);
    for (const window of this.#windows) {
      window.sizeMin = Math.min(window.sizeMin, now.sizeMin);
      window.sizeMax = Math.max(window.sizeMax, now.sizeMax);
    }
  }
}

/** A change of the size that is under way. */
export interface SizeChange {
  /** The size that it may lead to. */
  readonly size: number;
  /** Whether it is a write, which never makes a disk smaller. */
  readonly isWrite: boolean;
  /** Whether no other change was under way. */
  readonly alone: boolean;
  /** How many changes had begun with it. */
  readonly at: number;
  /** The farthest end of a write that came at the same time. */
  beyond: number;
}

function spread(
  window: SizeWindow,
  change: { readonly size: number; readonly isWrite?: boolean },
): void {
  if (!change.isWrite) window.sizeMin = Math.min(window.sizeMin, change.size);
  window.sizeMax = Math.max(window.sizeMax, change.size);
}
