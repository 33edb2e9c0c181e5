/**
 * What several requests answer with: attributes, and entries.
 *
 * @module
 */
import {
  type Encodable,
  nanosecondsOf,
  PAGE_SIZE,
  secondsOf,
  sizeOf,
  writeStruct,
} from "../../src/protocol/mod.ts";
import type { Reply } from "../../mod.ts";
import type { Inode } from "./inode.ts";
import type { Tree } from "./tree.ts";

/**
 * Seconds that the kernel may believe what it is told. Nothing changes here
 * without the kernel's doing, but for the access times that reading sets.
 */
const VALID_SECONDS = 1n;

/** Answers with the attributes of an inode. */
export function replyAttributes(reply: Reply, inode: Inode): void {
  reply.struct("fuse_attr_out", {
    attr_valid: VALID_SECONDS,
    attr: attributesOf(inode),
  });
}

/** Tells the kernel of an inode, which it has to forget again some day. */
export function replyEntry(tree: Tree, reply: Reply, inode: Inode): void {
  inode.lookups++;
  reply.struct("fuse_entry_out", entryOf(tree, inode));
}

/** As `replyEntry`, for a file that is open at once. */
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

/** An inode as LOOKUP tells of it: whoever sends that counts a lookup. */
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
