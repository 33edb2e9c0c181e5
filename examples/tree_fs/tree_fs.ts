/**
 * A file system in memory: directories, files, links, extended attributes. It
 * shows how each request of the FUSE protocol can be answered; begin here.
 *
 * - {@linkcode TreeFs} finds the function for each request.
 * - `node_ops.ts`, `name_ops.ts`, `rename_ops.ts`, `listing_ops.ts`,
 *   `file_ops.ts`, `xattr_ops.ts` have these functions.
 * - `tree.ts`, `inode.ts`, `directory.ts`, `file_data.ts` are what they work
 *   on, and know nothing of FUSE but nodeids and errors.
 *
 * @module
 */
import {
  Errno,
  type InitFlagName,
  type OpcodeName,
  opcodeName,
  PAGE_SIZE,
} from "../../src/protocol/mod.ts";
import type { Reply, Request, RequestHandler } from "../../mod.ts";
import * as file from "./file_ops.ts";
import * as listing from "./listing_ops.ts";
import * as names from "./name_ops.ts";
import * as node from "./node_ops.ts";
import { rename, rename2 } from "./rename_ops.ts";
import { Tree, type TreeOptions } from "./tree.ts";
import * as xattr from "./xattr_ops.ts";

/** Answers one kind of request, or throws an `Errno`. */
type Operation = (tree: Tree, request: Request, reply: Reply) => void;

/** What to ask of the kernel in INIT, because the operations can do it. */
export const TREE_FS_FLAGS: readonly InitFlagName[] = [
  "ATOMIC_O_TRUNC",
  "DO_READDIRPLUS",
  "EXPORT_SUPPORT",
  "READDIRPLUS_AUTO",
];

const OPERATIONS: { readonly [Name in OpcodeName]?: Operation } = {
  LOOKUP: node.lookup,
  FORGET: node.forget,
  BATCH_FORGET: node.batchForget,
  GETATTR: node.getattr,
  SETATTR: node.setattr,
  STATFS: node.statfs,

  MKNOD: names.mknod,
  MKDIR: names.mkdir,
  SYMLINK: names.symlink,
  READLINK: names.readlink,
  CREATE: names.create,
  TMPFILE: names.tmpfile,
  LINK: names.link,
  UNLINK: names.unlink,
  RMDIR: names.rmdir,
  RENAME: rename,
  RENAME2: rename2,

  OPENDIR: listing.opendir,
  READDIR: listing.readdir,
  READDIRPLUS: listing.readdirplus,
  RELEASEDIR: listing.releasedir,

  OPEN: file.open,
  READ: file.read,
  WRITE: file.write,
  FALLOCATE: file.fallocate,
  LSEEK: file.lseek,

  SETXATTR: xattr.setxattr,
  GETXATTR: xattr.getxattr,
  LISTXATTR: xattr.listxattr,
  REMOVEXATTR: xattr.removexattr,

  FLUSH: file.nothing,
  RELEASE: file.nothing,
  FSYNC: file.nothing,
  FSYNCDIR: file.nothing,
  SYNCFS: file.nothing,
  DESTROY: file.nothing,
};

/** A file system in memory. */
export class TreeFs implements RequestHandler {
  readonly #tree: Tree;

  /** Makes an empty one. */
  constructor(options: TreeOptions = {}) {
    this.#tree = new Tree(options);
  }

  /** How many files, directories and so on there are, open ones included. */
  get inodes(): number {
    return this.#tree.count;
  }

  /** Bytes that are left for files. */
  get free(): number {
    return this.#tree.space.free * PAGE_SIZE;
  }

  handle(request: Request, reply: Reply): void {
    const name = opcodeName(request.opcode);
    const operation = name && OPERATIONS[name];
    // The kernel remembers what is not there, and does without.
    if (operation === undefined) throw new Errno("ENOSYS");
    operation(this.#tree, request, reply);
  }
}
