/**
 * Directories: names, in an order that a listing can be continued in.
 *
 * @module
 */
import { Inode, type Origin } from "./inode.ts";

/** A name in a directory. */
export interface Entry {
  readonly name: string;
  /** Where a listing goes on behind it: larger than that of any older entry. */
  readonly cookie: number;
  /** What it leads to; `null` once the name is gone. */
  inode: Inode | null;
}

/** A directory. */
export class Directory extends Inode {
  /** Where `..` leads; the root is its own parent. */
  parent: Directory;
  /** A Map goes through its keys in the order of insertion: by cookie. */
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

  /** Its name, its `.`, and the `..` of each directory in it. */
  override get nlink(): number {
    return this.links === 0 ? 0 : 2 + this.#subdirectories;
  }

  /** What a name leads to, if it is there. */
  get(name: string): Inode | undefined {
    return this.#entries.get(name)?.inode ?? undefined;
  }

  /** Gives an inode a name; whatever had the name before loses it. */
  link(name: string, inode: Inode): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) {
      const cookie = ++this.#lastCookie;
      this.#entries.set(name, { name, cookie, inode });
    } else {
      // In its old place: a listing that goes on shows no name twice.
      this.#lose(entry);
      entry.inode = inode;
    }
    inode.links++;
    if (inode instanceof Directory) {
      inode.parent = this;
      this.#subdirectories++;
    }
  }

  /** Takes a name away. */
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

  /** Whether it is, or is above, another directory. */
  contains(other: Directory): boolean {
    for (let at = other; at !== this; at = at.parent) {
      if (at === at.parent) return false;
    }
    return true;
  }

  /** All entries by cookie, also those that come while it is under way. */
  *entries(): Generator<Entry, undefined> {
    yield { name: ".", cookie: 1, inode: this };
    yield { name: "..", cookie: 2, inode: this.parent };
    yield* this.#entries.values();
  }
}

/** An open directory: remembers where a listing is. */
export class DirectoryStream {
  readonly #directory: Directory;
  #entries: Generator<Entry, undefined>;
  /** The last entry taken, which may not have been given out yet. */
  #entry: Entry | undefined;
  #position = 0;

  constructor(directory: Directory) {
    this.#directory = directory;
    this.#entries = directory.entries();
  }

  /** The first entry behind a cookie, from 0; `undefined` at the end. */
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
