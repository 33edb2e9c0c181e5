/** Kinds of damage, and what each of them is called. */
export const DAMAGE = {
  BEYOND_END: "references beyond the end of the file",
  OVERFLOW: "clusters with more references than a refcount can hold",
  RESERVED_BITS: "entries with reserved bits set",
  UNALIGNED: "entries that are not aligned to clusters",
  COMPRESSED: "entries of compressed clusters that make no sense",
  SUBCLUSTERS: "entries with bitmaps of subclusters that make no sense",
  SNAPSHOTS: "snapshots whose tables make no sense",
  BITMAPS: "bitmaps whose tables make no sense",
  REFCOUNT_BLOCKS: "refcount blocks that make no sense",
  OVERLAP: "tables that share clusters with something else",
  REFCOUNT_LOW: "clusters with a refcount below the references",
  COPIED: "entries whose COPIED flag is wrong",
} as const;

/** One of {@linkcode DAMAGE}. */
export type DamageKind = keyof typeof DAMAGE;

/** How often one kind of damage was found. */
export interface Damage {
  readonly kind: DamageKind;
  readonly count: number;
  /** The first one, as a clause. */
  readonly first: string;
}

/**
 * What a check has found, counted as `qemu-img check` counts it. Only `OVERLAP` is
 * not counted there.
 */
export class CheckReport {
  /** Clusters with a refcount above the references: space that is lost. */
  leaks = 0;
  /** Tables that could not be read, so that the check is not complete. */
  unreadable = 0;
  /** Whether the refcounts can only be repaired by a new table of them. */
  needsRebuild = false;
  readonly #damage = new Map<DamageKind, { count: number; first: string }>();

  /** Notes damage; `count` says how many references lead to it. */
  corrupt(kind: DamageKind, first: string, count: number = 1): void {
    const known = this.#damage.get(kind);
    if (known === undefined) this.#damage.set(kind, { count, first });
    else known.count += count;
  }

  /** Everything that is wrong, apart from leaks. */
  get corruptions(): number {
    let all = 0;
    for (const { count } of this.#damage.values()) all += count;
    return all;
  }

  /** The same by kind. */
  get damage(): readonly Damage[] {
    return [...this.#damage].map(([kind, found]) => ({ kind, ...found }));
  }

  /** Whether everything is as it should be, leaks included. */
  get isClean(): boolean {
    return this.corruptions === 0 && this.leaks === 0 && this.unreadable === 0;
  }
}
