/**
 * Directories, with an order of names in which listings can be resumed.
 *
 * @module
 */
import { Inode, type Origin } from "./inode.ts";

/** An entry of a directory. */
export interface Entry {
  readonly name: string;
  /** The position after it in listings, larger than that of older entries. */
  readonly cookie: number;
  /** The inode, `null` once the name was removed. */
  inode: Inode | null;
}

/** A directory. */
export class Directory extends Inode {
  /** The directory of `..`; the root is its own parent. */
  parent: Directory;
  /** A Map is iterated in the order of insertion, that is, by cookie. */
  readonly #entries = new Map<string, Entry>();
  #subdirectories = 0;
  #lastCookie = 2;

  constructor(origin: Origin, parent?: Directory) {
    super(origin);
    this.parent = parent ?? this;
  }

  override get size(): number {
    return this.#entries.size;
  }

  /** Counts its name, its `.`, and the `..` of each subdirectory. */
  override get nlink(): number {
    return this.links === 0 ? 0 : 2 + this.#subdirectories;
  }

  /** The inode of a name. */
  get(name: string): Inode | undefined {
    return this.#entries.get(name)?.inode ?? undefined;
  }

  /** Gives an inode a name, which another inode may lose. */
  link(name: string, inode: Inode): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) {
      const cookie = ++this.#lastCookie;
      this.#entries.set(name, { name, cookie, inode });
    } else {
      // The entry keeps its cookie, so that no listing shows the name twice.
      this.#lose(entry);
      entry.inode = inode;
    }
    inode.links++;
    if (inode instanceof Directory) {
      inode.parent = this;
      this.#subdirectories++;
    }
  }

  /** Removes a name. */
  unlink(name: string): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    this.#entries.delete(name);
    this.#lose(entry);
    entry.inode = null;
  }

  #lose({ inode }: Entry): void {
    inode!.links--;
    if (inode instanceof Directory) this.#subdirectories--;
  }

  /** Whether it is another directory or one of its ancestors. */
  contains(other: Directory): boolean {
    for (let at = other; at !== this; at = at.parent) {
      if (at === at.parent) return false;
    }
    return true;
  }

  /** All entries by cookie, including those that are added meanwhile. */
  *entries(): Generator<Entry, undefined> {
    yield { name: ".", cookie: 1, inode: this };
    yield { name: "..", cookie: 2, inode: this.parent };
    yield* this.#entries.values();
  }
}

/** An open directory: the position of a listing. */
export class DirectoryStream {
  readonly #directory: Directory;
  #entries: Generator<Entry, undefined>;
  /** The last entry read from the generator. */
  #entry: Entry | undefined;
  #position = 0;

  constructor(directory: Directory) {
    this.#directory = directory;
    this.#entries = directory.entries();
  }

  /** The first entry after a cookie, 0 for the start; `undefined` at the end. */
  after(cookie: number): Entry | undefined {
    if (cookie < this.#position) {
      this.#entries = this.#directory.entries();
      this.#entry = undefined;
    }
    this.#position = cookie;
    for (;;) {
      const entry = this.#entry;
      if (entry && entry.inode !== null && entry.cookie > cookie) return entry;
      const next = this.#entries.next();
      if (next.done) return undefined;
      this.#entry = next.value;
    }
  }
}
