/**
 * Identifiers in requests, as numbers: those that this layer gives out are below
 * 2^53, and a number is not allocated, as a bigint is.
 *
 * @module
 */
import { accessors } from "../protocol/accessors.ts";
import type { Request } from "../protocol/request.ts";

const NODEID_AT = accessors("fuse_in_header").at.nodeid;
const TWO_32 = 2 ** 32;

/** The id of the node that a request is about. */
export function nodeIdOf(request: Pick<Request, "header">): number {
  return idAt(request.header, NODEID_AT);
}

/** The id at a byte of a view. */
export function idAt(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * TWO_32;
}
