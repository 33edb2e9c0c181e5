/**
 * Replies that several operations have in common: attributes and entries.
 *
 * @module
 */
import { writeStruct } from "../protocol/codec.ts";
import { sizeOf } from "../protocol/layout.ts";
import type { Reply } from "../protocol/reply.ts";
import type { Encodable } from "../protocol/types.ts";
import { type Attr, wireAttr } from "./attr.ts";
import type { FileSystemContext } from "./context.ts";

const ENTRY_SIZE = sizeOf("fuse_entry_out");
const OPEN_SIZE = sizeOf("fuse_open_out");

/** Answers with the attributes of a node. */
export function replyAttr<N extends object, H>(
  { nodes, rules }: FileSystemContext<N, H>,
  reply: Reply,
  node: N,
  attr: Attr,
): void {
  reply.struct("fuse_attr_out", {
    attr_valid: rules.attr.seconds,
    attr_valid_nsec: rules.attr.nanoseconds,
    attr: wireAttr(attr, nodes.idOf(node)),
  });
}

/** Answers with an entry, and counts the lookup. */
export function replyEntry<N extends object, H>(
  context: FileSystemContext<N, H>,
  reply: Reply,
  node: N,
  attr: Attr,
): void {
  reply.struct("fuse_entry_out", entryOf(context, node, attr));
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
  writeStruct("fuse_entry_out", reply.body, 0, entryOf(context, node, attr));
  writeStruct("fuse_open_out", reply.body, ENTRY_SIZE, open);
  reply.ok(ENTRY_SIZE + OPEN_SIZE);
  context.nodes.remember(node);
}

/** An entry as in a reply to LOOKUP; the caller counts the lookup. */
export function entryOf<N extends object, H>(
  { nodes, rules, generation }: FileSystemContext<N, H>,
  node: N,
  attr: Attr,
): Encodable<"fuse_entry_out"> {
  const id = nodes.idOf(node);
  return {
    nodeid: BigInt(id),
    generation,
    entry_valid: rules.entry.seconds,
    entry_valid_nsec: rules.entry.nanoseconds,
    attr_valid: rules.attr.seconds,
    attr_valid_nsec: rules.attr.nanoseconds,
    attr: wireAttr(attr, id),
  };
}
