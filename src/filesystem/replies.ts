/**
 * Replies that several operations have in common: attributes and entries.
 *
 * @module
 */
import { accessors } from "../protocol/accessors.ts";
import { writeStruct } from "../protocol/codec.ts";
import { sizeOf } from "../protocol/layout.ts";
import type { Reply } from "../protocol/reply.ts";
import type { Encodable } from "../protocol/types.ts";
import type { Attr } from "./attr.ts";
import type { FileSystemContext } from "./context.ts";
import { writeAttr } from "./wire_attr.ts";

const ATTR = accessors("fuse_attr_out");
const ENTRY = accessors("fuse_entry_out");
const OPEN_SIZE = sizeOf("fuse_open_out");

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

/** Answers with an entry and an open file, and counts the lookup. */
export function replyOpenEntry<N extends object, H>(
  context: FileSystemContext<N, H>,
  reply: Reply,
  node: N,
  attr: Attr,
  open: Encodable<"fuse_open_out">,
): void {
  writeEntry(context, reply.body, node, attr);
  writeStruct("fuse_open_out", reply.body, ENTRY.size, open);
  reply.ok(ENTRY.size + OPEN_SIZE);
  context.nodes.remember(node);
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
