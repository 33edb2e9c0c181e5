/**
 * Replies that several operations have in common: attributes and entries.
 *
 * @module
 */
import type { Reply } from "@mqfuse/mqfuse";
import {
  type Encodable,
  nanosecondsOf,
  PAGE_SIZE,
  secondsOf,
  sizeOf,
  writeStruct,
} from "@mqfuse/mqfuse/protocol";
import type { Inode } from "./inode.ts";
import type { Tree } from "./tree.ts";

/**
 * How long the kernel may cache attributes and entries, in seconds. Only requests
 * of the kernel change them; of these, READ does not invalidate the access time.
 */
const VALID_SECONDS = 1n;

/** Answers with the attributes of an inode. */
export function replyAttributes(reply: Reply, inode: Inode): void {
  reply.struct("fuse_attr_out", {
    attr_valid: VALID_SECONDS,
    attr: attributesOf(inode),
  });
}

/** Answers with an entry, which counts as a lookup of the inode. */
export function replyEntry(tree: Tree, reply: Reply, inode: Inode): void {
  inode.lookups++;
  reply.struct("fuse_entry_out", entryOf(tree, inode));
}

/** Answers with an entry and an open file. */
export function replyOpenEntry(
  tree: Tree,
  reply: Reply,
  inode: Inode,
  openFlags: number,
): void {
  inode.lookups++;
  const entrySize = sizeOf("fuse_entry_out");
  writeStruct("fuse_entry_out", reply.body, 0, entryOf(tree, inode));
  writeStruct("fuse_open_out", reply.body, entrySize, {
    open_flags: openFlags,
  });
  reply.ok(entrySize + sizeOf("fuse_open_out"));
}

/** An entry as in a reply to LOOKUP. The caller counts the lookup. */
export function entryOf(
  { generation }: Tree,
  inode: Inode,
): Encodable<"fuse_entry_out"> {
  return {
    nodeid: inode.nodeid,
    generation,
    entry_valid: VALID_SECONDS,
    attr_valid: VALID_SECONDS,
    attr: attributesOf(inode),
  };
}

function attributesOf(inode: Inode): Encodable<"fuse_attr"> {
  return {
    ino: inode.nodeid,
    size: BigInt(inode.size),
    blocks: BigInt(inode.allocated / 512),
    atime: secondsOf(inode.atime),
    mtime: secondsOf(inode.mtime),
    ctime: secondsOf(inode.ctime),
    atimensec: nanosecondsOf(inode.atime),
    mtimensec: nanosecondsOf(inode.mtime),
    ctimensec: nanosecondsOf(inode.ctime),
    mode: inode.mode,
    nlink: inode.nlink,
    uid: inode.uid,
    gid: inode.gid,
    rdev: inode.rdev,
    blksize: PAGE_SIZE,
  };
}
