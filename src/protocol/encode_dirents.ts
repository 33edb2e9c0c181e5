/**
 * Directory listings of any length from plain objects, for the simulator and
 * tests. A server fills its replies by `DirentWriter`.
 *
 * @module
 */
import { concat } from "./bytes.ts";
import { type DirEntry, direntSize, DirentWriter } from "./dirent.ts";
import { bytesOfName, type Name } from "./text.ts";
import type { Encodable } from "./types.ts";

/**
 * Encodes a listing without attributes, of any length.
 *
 * @category Directory listings
 */
export function encodeDirents(
  entries: readonly DirEntry[],
): Uint8Array<ArrayBuffer> {
  return concat(entries.map(({ name, ino, off, type }) => {
    const bytes = memoryFor(name, false);
    new DirentWriter(bytes, bytes.length).add(name, ino, off, type);
    return bytes;
  }));
}

/**
 * Encodes a listing with attributes, of any length.
 *
 * @category Directory listings
 */
export function encodeDirentsPlus(
  entries: readonly (DirEntry & {
    readonly entry: Encodable<"fuse_entry_out">;
  })[],
): Uint8Array<ArrayBuffer> {
  return concat(entries.map(({ name, entry, ino, off, type }) => {
    const bytes = memoryFor(name, true);
    new DirentWriter(bytes, bytes.length).addPlus(name, entry, ino, off, type);
    return bytes;
  }));
}

function memoryFor(name: Name, plus: boolean): Uint8Array {
  return new Uint8Array(direntSize(bytesOfName(name).length, plus));
}
