/**
 * What the kernel checks of the lists in a reply: directory entries, and names
 * of extended attributes.
 *
 * @module
 */
import { accessors } from "./accessors.ts";
import { entryProblem } from "./attr_checks.ts";
import { align8 } from "./bytes.ts";
import { FUSE_NAME_MAX } from "./flags.ts";

const DIRENT = accessors("fuse_dirent");
const DIRENTPLUS = accessors("fuse_direntplus");
const ENTRY = accessors("fuse_entry_out");
/** The largest position that the kernel keeps, in a loff_t. */
const OFF_MAX = 2n ** 63n - 1n;
/** The largest `DT_*`. */
const TYPE_MAX = 15;
const NUL = 0;
const SLASH = 0x2f;
const DOT = 0x2e;

/**
 * What is wrong with the name of a directory entry; `null` if nothing is.
 *
 * @param bytes The bytes that hold it.
 * @param start Where it begins.
 * @param length Its length.
 */
export function nameProblem(
  bytes: Uint8Array,
  start: number,
  length: number,
): string | null {
  //= fs/fuse/readdir.c parse_dirfile(): a name is not empty, not too long, and
  //= has no slash. Programs would see only what comes before a NUL.
  if (length === 0 || length > FUSE_NAME_MAX) {
    return `it has ${length} bytes, 1 to ${FUSE_NAME_MAX} are allowed`;
  }
  for (let i = start; i < start + length; i++) {
    if (bytes[i] === SLASH) return "it contains a slash";
    if (bytes[i] === NUL) return "it contains a NUL";
  }
  return null;
}

/** What is wrong with the numbers of a directory entry; `null` if nothing is. */
export function numbersProblem(
  ino: bigint,
  off: bigint,
  type: number,
): string | null {
  if (typeof ino !== "bigint" || ino !== BigInt.asUintN(64, ino)) {
    return `inode ${ino} is not a bigint from 0n to 2n ** 64n - 1n`;
  }
  // After 0 the next READDIR would begin at the start again, without end.
  if (typeof off !== "bigint" || off < 1n || off > OFF_MAX) {
    return `position ${off} is not a bigint from 1n to 2n ** 63n - 1n`;
  }
  return Number.isInteger(type) && type >= 0 && type <= TYPE_MAX
    ? null
    : `type ${type} is not one that direntType() returns`;
}

/** Whether a name is `.` or `..`. */
export function isDots(
  bytes: Uint8Array,
  start: number,
  length: number,
): boolean {
  return length <= 2 && bytes[start] === DOT &&
    bytes[start + length - 1] === DOT;
}

/**
 * What is wrong with the entries of a reply to READDIR or READDIRPLUS; `null` if
 * nothing is. An entry that is cut off at the end is ignored, as by the kernel.
 *
 * @param bytes The reply's data.
 * @param view The same bytes.
 * @param size How many of them are sent.
 * @param plus Whether the entries have attributes.
 */
export function listingProblem(
  bytes: Uint8Array,
  view: DataView,
  size: number,
  plus: boolean,
): string | null {
  const head = plus ? DIRENTPLUS.size : DIRENT.size;
  let at = 0;
  for (let number = 1; size - at >= head; number++) {
    const dirent = at + head - DIRENT.size;
    const length = DIRENT.get.namelen(view, dirent);
    const start = at + head;
    const end = at + align8(head + Math.min(length, FUSE_NAME_MAX));
    if (length <= FUSE_NAME_MAX && end > size) return null;
    const problem = nameProblem(bytes, start, length);
    if (problem !== null) return `the name of entry ${number}: ${problem}`;
    if (plus) {
      const bad = plusProblem(bytes, view, at, start, length);
      if (bad !== null) return `entry ${number}: ${bad}`;
    }
    at = end;
  }
  return null;
}

//= fs/fuse/readdir.c fuse_direntplus_link(): `.`, `..` and entries of nodeid 0
//= are not looked up.
function plusProblem(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  start: number,
  length: number,
): string | null {
  const nodeidAt = at + ENTRY.at.nodeid;
  const isPlain = view.getUint32(nodeidAt, true) === 0 &&
    view.getUint32(nodeidAt + 4, true) === 0;
  return isPlain || isDots(bytes, start, length)
    ? null
    : entryProblem(view, at, false);
}

/**
 * What is wrong with the names of a reply to LISTXATTR; `null` if nothing is.
 *
 * @param bytes The reply's data.
 * @param size How many of them are sent.
 */
export function xattrListProblem(
  bytes: Uint8Array,
  size: number,
): string | null {
  //= fs/fuse/xattr.c fuse_verify_xattr_list(): each name ends with a NUL, and
  //= none is empty.
  for (let at = 0; at < size;) {
    const nul = bytes.indexOf(NUL, at);
    if (nul < 0 || nul >= size) return "its last name has no NUL";
    if (nul === at) return "a name is empty";
    at = nul + 1;
  }
  return null;
}
