/**
 * A file system in memory, with directories, files, links and extended
 * attributes. It shows how to answer each request of the FUSE protocol. Start
 * reading here:
 *
 * - {@linkcode TreeFs} calls the operation for each request.
 * - `node_ops.ts`, `name_ops.ts`, `rename_ops.ts`, `listing_ops.ts`,
 *   `file_ops.ts` and `xattr_ops.ts` are the operations.
 * - `tree.ts`, `inode.ts`, `directory.ts` and `file_data.ts` are the data
 *   structures. They use nothing of FUSE but nodeids and error numbers.
 *
 * @module
 */
import type { Reply, Request, RequestHandler } from "@mqfuse/mqfuse";
import {
  Errno,
  type InitFlagName,
  type OpcodeName,
  opcodeName,
  PAGE_SIZE,
} from "@mqfuse/mqfuse/protocol";
import * as file from "./file_ops.ts";
import * as listing from "./listing_ops.ts";
import * as names from "./name_ops.ts";
import * as node from "./node_ops.ts";
import { rename, rename2 } from "./rename_ops.ts";
import { Tree, type TreeOptions } from "./tree.ts";
import * as xattr from "./xattr_ops.ts";

/** Answers one kind of request, or throws an {@linkcode Errno}. */
type Operation = (tree: Tree, request: Request, reply: Reply) => void;

/** The flags of INIT that the operations support. */
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

/** The file system: answers all requests of one mount. */
export class TreeFs implements RequestHandler {
  readonly #tree: Tree;

  /** Creates an empty file system. */
  constructor(options: TreeOptions = {}) {
    this.#tree = new Tree(options);
  }

  /** The number of inodes, including open ones without a name. */
  get inodes(): number {
    return this.#tree.count;
  }

  /** Free space in bytes. */
  get free(): number {
    return this.#tree.space.free * PAGE_SIZE;
  }

  handle(request: Request, reply: Reply): void {
    const name = opcodeName(request.opcode);
    const operation = name && OPERATIONS[name];
    // The kernel does not send most requests again after ENOSYS.
    if (operation === undefined) throw new Errno("ENOSYS");
    operation(this.#tree, request, reply);
  }
}
