/**
 * Replies that several operations have in common: attributes and entries.
 *
 * @module
 */
import { accessors } from "../protocol/accessors.ts";
import type { Reply } from "../protocol/reply.ts";
import type { Attr } from "./attr.ts";
import type { FileSystemContext } from "./context.ts";
import { writeAttr } from "./wire_attr.ts";

const ATTR = accessors("fuse_attr_out");
const ENTRY = accessors("fuse_entry_out");
const OPEN = accessors("fuse_open_out");

/** The part of a reply that tells of an open file. */
export interface Opened {
  /** The number of its handle. */
  readonly fh: number;
  /** Of `FOPEN`. */
  readonly flags: number;
  /** Of the file that the kernel reads and writes by itself; 0 for none. */
  readonly backingId: number;
}

/** Answers with the attributes of a node. */
export function replyAttr<N extends object, H>(
  { nodes, rules }: FileSystemContext<N, H>,
  reply: Reply,
  node: N,
  attr: Attr,
): void {
  const { body } = reply;
  ATTR.set.attr_valid(body, 0, rules.attr.seconds);
  ATTR.set.attr_valid_nsec(body, 0, rules.attr.nanoseconds);
  ATTR.set.dummy(body, 0, 0);
  writeAttr(body, ATTR.at.attr, attr, nodes.idOf(node));
  reply.ok(ATTR.size);
}

/** Answers with an entry, and counts the lookup. */
export function replyEntry<N extends object, H>(
  context: FileSystemContext<N, H>,
  reply: Reply,
  node: N,
  attr: Attr,
): void {
  writeEntry(context, reply.body, node, attr);
  reply.ok(ENTRY.size);
  // Last, because a reply that is refused passes nothing on.
  context.nodes.remember(node);
}

/** Answers with an open file. */
export function replyOpened(reply: Reply, opened: Opened): void {
  writeOpened(reply.body, 0, opened);
  reply.ok(OPEN.size);
}

/** Answers with an entry and an open file, and counts the lookup. */
export function replyOpenEntry<N extends object, H>(
  context: FileSystemContext<N, H>,
  reply: Reply,
  node: N,
  attr: Attr,
  opened: Opened,
): void {
  writeEntry(context, reply.body, node, attr);
  writeOpened(reply.body, ENTRY.size, opened);
  reply.ok(ENTRY.size + OPEN.size);
  context.nodes.remember(node);
}

function writeOpened(
  view: DataView,
  at: number,
  { fh, flags, backingId }: Opened,
): void {
  OPEN.set.fh(view, at, BigInt(fh));
  OPEN.set.open_flags(view, at, flags);
  OPEN.set.backing_id(view, at, backingId);
}

/**
 * Writes an entry as in a reply to LOOKUP, a `fuse_entry_out`; the caller counts
 * the lookup.
 */
export function writeEntry<N extends object, H>(
  { nodes, rules, generation }: FileSystemContext<N, H>,
  view: DataView,
  node: N,
  attr: Attr,
): void {
  const id = nodes.idOf(node);
  ENTRY.set.nodeid(view, 0, BigInt(id));
  ENTRY.set.generation(view, 0, generation);
  ENTRY.set.entry_valid(view, 0, rules.entry.seconds);
  ENTRY.set.attr_valid(view, 0, rules.attr.seconds);
  ENTRY.set.entry_valid_nsec(view, 0, rules.entry.nanoseconds);
  ENTRY.set.attr_valid_nsec(view, 0, rules.attr.nanoseconds);
  writeAttr(view, ENTRY.at.attr, attr, id);
}
