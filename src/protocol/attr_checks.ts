/**
 * What the kernel checks of the attributes in a reply.
 *
 * @module
 */
import { S_IF } from "../base/file_flags.ts";
import { accessors } from "./accessors.ts";

const ATTR = accessors("fuse_attr");
const ENTRY = accessors("fuse_entry_out");
const STATX = accessors("fuse_statx");
const ENTRY_ATTR_AT = ENTRY.at.attr;
/** The id of the root. */
const ROOT_ID = 1;
/** The bit of a 64-bit word's upper half that makes it 2^63 or more. */
const SIGN = 0x8000_0000;

const TYPES: ReadonlySet<number> = new Set(
  Object.entries(S_IF).filter(([name]) => name !== "MT").map(([, type]) =>
    type
  ),
);

/** Whether the u64 at a byte of a view is 2^63 or more. */
export function isHuge(view: DataView, at: number): boolean {
  return view.getUint32(at + 4, true) >= SIGN;
}

/**
 * What is wrong with a file's type; `null` if nothing is.
 *
 * @param mode Its `mode`.
 * @param wanted The type that it must have, any if left out.
 */
export function typeProblem(mode: number, wanted?: number): string | null {
  const type = mode & S_IF.MT;
  const shown = `0o${mode.toString(8)}`;
  if (wanted !== undefined && type !== wanted) {
    return `mode ${shown} is not of type 0o${wanted.toString(8)}`;
  }
  //= fs/fuse/fuse_i.h fuse_valid_type()
  return TYPES.has(type) ? null : `mode ${shown} has no file type of S_IF`;
}

/**
 * What is wrong with a fuse_attr; `null` if nothing is.
 *
 * @param view The view that holds it.
 * @param at Where it begins.
 * @param type The type that it must have, any if left out.
 */
export function attrProblem(
  view: DataView,
  at: number,
  type?: number,
): string | null {
  //= fs/fuse/dir.c fuse_invalid_attr(): a valid type, and a size that fits into
  //= loff_t; otherwise the inode answers EIO until it is forgotten.
  if (isHuge(view, at + ATTR.at.size)) {
    return `size ${ATTR.get.size(view, at)} is 2^63 or more`;
  }
  return typeProblem(ATTR.get.mode(view, at), type);
}

/**
 * What is wrong with a fuse_entry_out; `null` if nothing is.
 *
 * @param view The view that holds it.
 * @param at Where it begins.
 * @param found Whether the entry was looked up, so that its nodeid may be 0 for
 * a name that does not exist, or that of the root.
 * @param type The type that the inode must have, any if left out.
 */
export function entryProblem(
  view: DataView,
  at: number,
  found: boolean,
  type?: number,
): string | null {
  const nodeid = view.getUint32(at + ENTRY.at.nodeid, true);
  const isShort = view.getUint32(at + ENTRY.at.nodeid + 4, true) === 0;
  //= fs/fuse/fuse_i.h invalid_nodeid(); dir.c fuse_lookup_name()
  if (isShort && nodeid <= ROOT_ID) {
    if (!found) {
      return `nodeid ${nodeid} is not that of an inode below the root`;
    }
    if (nodeid === 0) return null;
  }
  return attrProblem(view, at + ENTRY_ATTR_AT, type);
}

/** What is wrong with a fuse_statx; `null` if nothing is. */
export function statxProblem(
  view: DataView,
  at: number,
  bits: { readonly TYPE: number; readonly SIZE: number },
): string | null {
  const mask = STATX.get.mask(view, at);
  //= fs/fuse/dir.c fuse_do_statx()
  if ((mask & bits.SIZE) !== 0 && isHuge(view, at + STATX.at.size)) {
    return `size ${STATX.get.size(view, at)} is 2^63 or more`;
  }
  return (mask & bits.TYPE) === 0
    ? null
    : typeProblem(STATX.get.mode(view, at));
}
