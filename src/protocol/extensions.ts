/**
 * Extensions, which the kernel appends to requests that create an inode. Each
 * is a record: a fuse_ext_header and its content, padded to 8 bytes;
 * get_create_ext() of fs/fuse/dir.c.
 *
 * @module
 */
import { accessors } from "./accessors.ts";
import { align8, concat } from "./bytes.ts";
import { viewOf } from "./codec.ts";
import { FUSE_EXT } from "./flags.ts";
import { bytesOfName, indexOfNul, type Name, nameOfBytes } from "./text.ts";

const EXT_HEADER = accessors("fuse_ext_header");
const SECCTX = accessors("fuse_secctx");
const SUPP_GROUPS = accessors("fuse_supp_groups");
const HEADER_SIZE = EXT_HEADER.size;

/**
 * A security context of a new inode, to be stored as an extended attribute.
 *
 * @category Requests and replies
 */
export interface SecurityContext {
  /** Its name, `security.selinux`. */
  readonly name: Name;
  /** Its value. */
  readonly value: Uint8Array;
}

/**
 * One extension of a request.
 *
 * @category Requests and replies
 */
export type Extension =
  /** fuse_secctx_header, where FUSE_SECURITY_CTX is negotiated. */
  | { readonly contexts: readonly SecurityContext[] }
  /** fuse_supp_groups, where FUSE_CREATE_SUPP_GROUP is negotiated. */
  | { readonly groups: readonly number[] }
  /** A type that 7.45 does not define. */
  | { readonly type: number; readonly data: Uint8Array };

/** A record that is cut off. */
export interface BadExtension {
  /** Bytes that the record needs. */
  readonly expected: number;
  /** Bytes that it has. */
  readonly received: number;
}

/**
 * Validates the extensions of a request.
 *
 * @param bytes All of them.
 * @returns The first record that is cut off, or `null`.
 */
export function checkExtensions(bytes: Uint8Array): BadExtension | null {
  const view = viewOf(bytes);
  let at = 0;
  while (at < bytes.length) {
    const rest = bytes.length - at;
    if (rest < HEADER_SIZE) return { expected: HEADER_SIZE, received: rest };
    const size = EXT_HEADER.get.size(view, at);
    if (size < HEADER_SIZE) return { expected: HEADER_SIZE, received: size };
    if (size > rest) return { expected: size, received: rest };
    const type = EXT_HEADER.get.type(view, at);
    const end = at + size;
    const bad = type <= FUSE_EXT.MAX_NR_SECCTX
      ? checkContexts(bytes, view, at + HEADER_SIZE, end, type)
      : type === FUSE_EXT.GROUPS
      ? checkGroups(view, at + HEADER_SIZE, end)
      : null;
    if (bad !== null) return bad;
    at += align8(size);
  }
  return null;
}

function checkContexts(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  count: number,
): BadExtension | null {
  let at = start;
  for (let i = 0; i < count; i++) {
    const rest = Math.max(0, end - at);
    if (rest < SECCTX.size) return { expected: SECCTX.size, received: rest };
    const nul = indexOfNul(bytes, at + SECCTX.size, end);
    // A name without a NUL lacks at least that one byte.
    if (nul < 0) return { expected: rest + 1, received: rest };
    const next = nul + 1 + SECCTX.get.size(view, at);
    if (next > end) return { expected: next - at, received: rest };
    at = start + align8(next - start);
  }
  return null;
}

function checkGroups(
  view: DataView,
  start: number,
  end: number,
): BadExtension | null {
  const rest = end - start;
  if (rest < SUPP_GROUPS.size) {
    return { expected: SUPP_GROUPS.size, received: rest };
  }
  const needed = SUPP_GROUPS.size + 4 * SUPP_GROUPS.get.nr_groups(view, start);
  return needed <= rest ? null : { expected: needed, received: rest };
}

/**
 * Decodes the extensions of a request.
 *
 * @category Requests and replies
 * @param bytes The extensions of a validated request:
 * {@linkcode Request.extensions}.
 */
export function decodeExtensions(bytes: Uint8Array): Extension[] {
  const view = viewOf(bytes);
  const extensions: Extension[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = EXT_HEADER.get.size(view, at);
    const type = EXT_HEADER.get.type(view, at);
    const start = at + HEADER_SIZE;
    if (type <= FUSE_EXT.MAX_NR_SECCTX) {
      extensions.push({ contexts: decodeContexts(bytes, view, start, type) });
    } else if (type === FUSE_EXT.GROUPS) {
      extensions.push({ groups: decodeGroups(view, start) });
    } else {
      extensions.push({ type, data: bytes.slice(start, at + size) });
    }
    at += align8(size);
  }
  return extensions;
}

function decodeContexts(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  count: number,
): SecurityContext[] {
  let at = start;
  return Array.from({ length: count }, () => {
    const from = at + SECCTX.size;
    const nul = indexOfNul(bytes, from, bytes.length);
    const end = nul + 1 + SECCTX.get.size(view, at);
    at = start + align8(end - start);
    return {
      name: nameOfBytes(bytes.subarray(from, nul)),
      value: bytes.slice(nul + 1, end),
    };
  });
}

function decodeGroups(view: DataView, start: number): number[] {
  return Array.from(
    { length: SUPP_GROUPS.get.nr_groups(view, start) },
    (_, i) => view.getUint32(start + SUPP_GROUPS.size + 4 * i, true),
  );
}

/** Encodes extensions, each padded to 8 bytes. */
export function encodeExtensions(
  extensions: readonly Extension[],
): Uint8Array<ArrayBuffer> {
  return concat(extensions.map(encodeExtension));
}

function encodeExtension(extension: Extension): Uint8Array<ArrayBuffer> {
  if ("contexts" in extension) {
    const { contexts } = extension;
    return record(contexts.length, concat(contexts.map(encodeContext)));
  }
  if ("groups" in extension) {
    const { groups } = extension;
    const words = new Uint8Array(SUPP_GROUPS.size + 4 * groups.length);
    const view = viewOf(words);
    SUPP_GROUPS.set.nr_groups(view, 0, groups.length);
    groups.forEach((id, i) =>
      view.setUint32(SUPP_GROUPS.size + 4 * i, id, true)
    );
    return record(FUSE_EXT.GROUPS, padded(words));
  }
  return record(extension.type, extension.data);
}

function encodeContext({ name, value }: SecurityContext): Uint8Array {
  const text = bytesOfName(name);
  const bytes = new Uint8Array(SECCTX.size + text.length + 1 + value.length);
  SECCTX.set.size(viewOf(bytes), 0, value.length);
  bytes.set(text, SECCTX.size);
  bytes.set(value, SECCTX.size + text.length + 1);
  return padded(bytes);
}

/** A record. `size` of its header does not count the padding. */
function record(type: number, content: Uint8Array): Uint8Array<ArrayBuffer> {
  const size = HEADER_SIZE + content.length;
  const bytes = new Uint8Array(align8(size));
  const view = viewOf(bytes);
  EXT_HEADER.set.size(view, 0, size);
  EXT_HEADER.set.type(view, 0, type);
  bytes.set(content, HEADER_SIZE);
  return bytes;
}

function padded(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const longer = new Uint8Array(align8(bytes.length));
  longer.set(bytes);
  return longer;
}
