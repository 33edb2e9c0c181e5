/** The sizes that a disk may have had during a call. */
export interface SizeWindow {
  /** The smallest possible size. */
  sizeMin: number;
  /** The largest possible size. */
  sizeMax: number;
  /** Its index among the open windows. */
  slot: number;
}

/**
 * The size of a disk. It is a range after calls that overlapped in time and
 * changed it.
 */
export class SizeModel {
  readonly #growable: boolean;
  readonly #windows: SizeWindow[] = [];
  /** Changes under way that may set the size. */
  readonly #coming: Set<SizeChange> = new Set();
  /** All calls under way that may move the end. */
  readonly #writing: Set<SizeChange> = new Set();
  readonly #lost: SizeChange[] = [];
  #least: number;
  #most: number;
  #changes = 0;

  /** Starts with an exact size. */
  constructor(size: number, growable: boolean) {
    this.#least = size;
    this.#most = size;
    this.#growable = growable;
  }

  /** The largest possible size now. */
  get size(): number {
    return this.#most;
  }

  /** The smallest possible size now. */
  get least(): number {
    return this.#least;
  }

  /** Whether the size is known exactly. */
  get certain(): boolean {
    return this.#least === this.#most && this.#writing.size === 0;
  }

  /** A call begins; the window collects the possible sizes until it ends. */
  open(window: SizeWindow): void {
    this.#look(window);
    window.slot = this.#windows.push(window) - 1;
  }

  /** The call of a window ends. */
  close(window: SizeWindow): void {
    const last = this.#windows.pop()!;
    if (last === window) return;
    this.#windows[window.slot] = last;
    last.slot = window.slot;
  }

  /**
   * A write or a change of the size begins.
   *
   * @param size The end of the write, or the new size.
   * @returns The change; `null` for a write that cannot grow the disk.
   */
  begin(size: number, isWrite: boolean): SizeChange | null {
    if (isWrite && !this.#growable) return null;
    return this.#begin(size, isWrite);
  }

  /** A call begins that grows any disk to a size, and never shrinks it. */
  beginGrowth(size: number): SizeChange {
    return this.#begin(size, true);
  }

  #begin(size: number, isWrite: boolean): SizeChange {
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
   * A write or a change of the size ends.
   *
   * @param change The result of {@linkcode SizeModel.begin} or
   * {@linkcode SizeModel.beginGrowth}.
   * @param size The size that it has certainly set; `null` if it failed.
   * @param lost Whether it may still happen later.
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
      // Another call may have moved the end below it in the meantime.
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

  /** Lost changes cannot happen any more. */
  forgetLost(): void {
    for (const change of this.#lost.splice(0)) this.end(change, null);
  }

  /**
   * The size was seen while no call was under way; returns whether it is
   * possible.
   */
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

/**
 * A change of the size that is under way.
 *
 * @category Checking
 */
export interface SizeChange {
  /** The new size, or the end of a write. */
  readonly size: number;
  /** Whether it is a write or a growth, which never shrinks a disk. */
  readonly isWrite: boolean;
  /** Whether no other change was under way when it began. */
  readonly alone: boolean;
  /** The number of changes that had begun, this one included. */
  readonly at: number;
  /** The farthest end of a write that overlapped it in time. */
  beyond: number;
}

function spread(
  window: SizeWindow,
  change: { readonly size: number; readonly isWrite?: boolean },
): void {
  if (!change.isWrite) window.sizeMin = Math.min(window.sizeMin, change.size);
  window.sizeMax = Math.max(window.sizeMax, change.size);
}
