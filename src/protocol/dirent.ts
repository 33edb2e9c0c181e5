/**
 * Directory listings: the replies to READDIR and READDIRPLUS. Each entry is a
 * struct, a name without NUL, and padding to 8 bytes.
 *
 * @module
 */
import { align8 } from "./bytes.ts";
import { accessors } from "./accessors.ts";
import { decodeStruct, viewOf, writeStruct } from "./codec.ts";
import { entryProblem } from "./attr_checks.ts";
import { FUSE_NAME_MAX } from "./flags.ts";
import { isDots, nameProblem, numbersProblem } from "./listing_checks.ts";
import { S_IF } from "../base/file_flags.ts";
import { type Name, nameOfBytes } from "./text.ts";
import type { Decoded, Encodable } from "./types.ts";

const DIRENT = accessors("fuse_dirent");
const DIRENTPLUS = accessors("fuse_direntplus");
const ENTRY_AT = DIRENTPLUS.at.entry_out;
const ENCODER = new TextEncoder();
/** Holds a name while an entry is written; longer than any valid name. */
const SCRATCH = new Uint8Array(FUSE_NAME_MAX + 4);
const ENTRY_SIZE = accessors("fuse_entry_out").size;

/**
 * One entry of a listing.
 *
 * @category Directory listings
 */
export interface DirEntry {
  /** The inode's number. */
  readonly ino: bigint;
  /**
   * The position after this entry, for the next READDIR: opaque, 1 to 2^63 - 1.
   */
  readonly off: bigint;
  /** The file's type, as in `dirent.d_type`: {@linkcode direntType}. */
  readonly type: number;
  /** The name. */
  readonly name: Name;
}

/**
 * One entry of a listing with attributes.
 *
 * @category Directory listings
 */
export interface DirEntryPlus extends DirEntry {
  /** As in a reply to LOOKUP; `nodeid` 0 where nothing was looked up. */
  readonly entry: Decoded<"fuse_entry_out">;
}

/**
 * The `type` of an entry, `DT_*`, that belongs to a `mode`.
 *
 * @category Directory listings
 */
export function direntType(mode: number): number {
  return (mode & S_IF.MT) >>> 12;
}

/** The size of an entry in a listing, in bytes. */
export function direntSize(nameLength: number, plus: boolean): number {
  return align8((plus ? DIRENTPLUS.size : DIRENT.size) + nameLength);
}

/**
 * Memory that holds a `fuse_entry_out`, zeroes at first.
 *
 * @category Directory listings
 */
export class EntryMemory {
  /** Its bytes. */
  readonly bytes: Uint8Array<ArrayBuffer> = new Uint8Array(ENTRY_SIZE);
  /** The same, for accessors. */
  readonly view: DataView<ArrayBuffer> = new DataView(this.bytes.buffer);
}

/**
 * Fills a reply to READDIR or READDIRPLUS entry by entry.
 *
 * @category Directory listings
 * @example List a directory
 * ```ts
 * import { DirentWriter, parseDirents } from "@mqfuse/mqfuse/protocol";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = new Uint8Array(64);
 * const writer = new DirentWriter(bytes, 64);
 * assertEquals(writer.add("a", 7n, 1n, 8), true);
 * assertEquals(writer.add("b", 8n, 2n, 8), true);
 * assertEquals(writer.add("c", 9n, 3n, 8), false); // full: 32 bytes each
 * const names = parseDirents(bytes.subarray(0, writer.length));
 * assertEquals(names.map(({ name }) => name), ["a", "b"]);
 * ```
 */
export class DirentWriter {
  readonly #target: Uint8Array;
  readonly #view: DataView;
  readonly #capacity: number;
  #length = 0;

  /**
   * Starts a listing.
   *
   * @param target Memory for it: `reply.data`.
   * @param size The request's `size`: most bytes that the kernel takes.
   */
  constructor(target: Uint8Array, size: number) {
    this.#target = target;
    this.#view = viewOf(target);
    this.#capacity = Math.min(size, target.length);
  }

  /** Bytes of the entries so far, to be passed to `reply.ok()`. */
  get length(): number {
    return this.#length;
  }

  /**
   * Whether there is room for an entry, so that nothing need be looked up for
   * one that has none.
   *
   * @param nameLength Bytes of its name.
   * @param plus Whether it has attributes.
   */
  fits(nameLength: number, plus: boolean): boolean {
    return this.#length + direntSize(nameLength, plus) <= this.#capacity;
  }

  /**
   * Adds an entry to a reply to READDIR.
   *
   * @returns Whether the entry fits; nothing is written otherwise.
   * @throws {RangeError} If the name is empty, longer than 4095 bytes or
   * contains a slash or a NUL, or if a number is out of its range.
   */
  add(name: Name, ino: bigint, off: bigint, type: number): boolean {
    const length = measure(name);
    refuse(name, numbersProblem(ino, off, type));
    const at = this.#length;
    if (!this.#reserve(direntSize(length, false))) return false;
    this.#write(at, length, ino, off, type);
    return true;
  }

  /**
   * Adds an entry to a reply to READDIRPLUS.
   *
   * @param entry As in a reply to LOOKUP, or memory that holds it; the kernel
   * counts it as a lookup. Empty, or zeroes, for `.`, `..` and any entry that is
   * not to be looked up.
   * @returns Whether the entry fits; nothing is written otherwise.
   * @throws {RangeError} As {@linkcode DirentWriter.add}, or if the kernel would
   * reject the attributes.
   */
  addPlus(
    name: Name,
    entry: Encodable<"fuse_entry_out"> | EntryMemory,
    ino: bigint,
    off: bigint,
    type: number,
  ): boolean {
    const length = measure(name);
    refuse(name, numbersProblem(ino, off, type));
    const struct = entry instanceof EntryMemory ? entry : encoded(entry);
    checkEntry(name, length, struct.view);
    const at = this.#length;
    if (!this.#reserve(direntSize(length, true))) return false;
    this.#target.set(struct.bytes, at + ENTRY_AT);
    this.#write(at + DIRENTPLUS.at.dirent, length, ino, off, type);
    return true;
  }

  #reserve(size: number): boolean {
    const end = this.#length + size;
    if (end > this.#capacity) return false;
    this.#target.fill(0, end - 8, end);
    this.#length = end;
    return true;
  }

  #write(
    at: number,
    length: number,
    ino: bigint,
    off: bigint,
    type: number,
  ): void {
    const view = this.#view;
    DIRENT.set.ino(view, at, ino);
    DIRENT.set.off(view, at, off);
    DIRENT.set.namelen(view, at, length);
    DIRENT.set.type(view, at, type);
    const start = at + DIRENT.size;
    for (let i = 0; i < length; i++) {
      this.#target[start + i] = SCRATCH[i]!;
    }
  }
}

/** Copies a name to the scratch memory, and returns its length in bytes. */
function measure(name: Name): number {
  let length = name.length;
  if (typeof name === "string") {
    const { read, written } = ENCODER.encodeInto(name, SCRATCH);
    length = read < name.length ? SCRATCH.length : written;
  } else if (length <= FUSE_NAME_MAX) {
    SCRATCH.set(name);
  }
  refuse(name, nameProblem(SCRATCH, 0, length));
  return length;
}

/** Throws if there is a problem with an entry. */
function refuse(name: Name, problem: string | null): void {
  if (problem === null) return;
  const shown = JSON.stringify(name).slice(0, 80);
  throw new RangeError(`Cannot list the name ${shown}: ${problem}`);
}

/** Holds an entry's attributes while they are checked. */
const ENTRY = new EntryMemory();

function encoded(entry: Encodable<"fuse_entry_out">): EntryMemory {
  writeStruct("fuse_entry_out", ENTRY.view, 0, entry);
  return ENTRY;
}

/** Checks attributes before anything of the entry is written. */
function checkEntry(
  name: Name,
  length: number,
  entry: DataView,
): void {
  const isLookedUp =
    (entry.getUint32(0, true) | entry.getUint32(4, true)) !== 0;
  if (!isLookedUp || isDots(SCRATCH, 0, length)) return;
  refuse(name, entryProblem(entry, 0, false));
}

/**
 * Reads a reply to READDIR as the kernel does: an entry that is cut off at the
 * end is ignored.
 *
 * @category Directory listings
 * @throws {RangeError} If a name is empty, too long or contains a slash or NUL.
 */
export function parseDirents(bytes: Uint8Array): DirEntry[] {
  return parse(bytes, DIRENT.size, (at) => entryAt(bytes, at));
}

/**
 * Reads a reply to READDIRPLUS as the kernel does: an entry that is cut off at
 * the end is ignored.
 *
 * @category Directory listings
 * @throws {RangeError} If a name is empty, too long or contains a slash or NUL.
 */
export function parseDirentsPlus(bytes: Uint8Array): DirEntryPlus[] {
  return parse(bytes, DIRENTPLUS.size, (at) => ({
    entry: decodeStruct("fuse_entry_out", bytes, at + ENTRY_AT),
    ...entryAt(bytes, at + DIRENTPLUS.at.dirent),
  }));
}

function parse<E>(
  bytes: Uint8Array,
  headSize: number,
  read: (at: number) => E,
): E[] {
  const view = viewOf(bytes);
  const entries: E[] = [];
  let at = 0;
  while (bytes.length - at >= headSize) {
    const dirent = at + headSize - DIRENT.size;
    const length = DIRENT.get.namelen(view, dirent);
    const size = align8(headSize + Math.min(length, FUSE_NAME_MAX));
    if (length <= FUSE_NAME_MAX && at + size > bytes.length) break;
    const problem = nameProblem(bytes, at + headSize, length);
    if (problem !== null) {
      throw new RangeError(`Cannot read a directory entry's name: ${problem}`);
    }
    entries.push(read(at));
    at += size;
  }
  return entries;
}

function entryAt(bytes: Uint8Array, at: number): DirEntry {
  const view = viewOf(bytes);
  const start = at + DIRENT.size;
  const end = start + DIRENT.get.namelen(view, at);
  return {
    ino: DIRENT.get.ino(view, at),
    off: DIRENT.get.off(view, at),
    type: DIRENT.get.type(view, at),
    name: nameOfBytes(bytes.subarray(start, end)),
  };
}
