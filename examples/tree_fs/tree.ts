/**
 * The tree: all inodes by nodeid, and their lifetimes.
 *
 * @module
 */
import type { Request } from "@mqfuse/mqfuse";
import {
  Errno,
  FUSE_ROOT_ID,
  S_IF,
  S_IS,
  systemTime,
} from "@mqfuse/mqfuse/protocol";
import { Directory, type DirectoryStream } from "./directory.ts";
import { Space } from "./file_data.ts";
import {
  type Inode,
  type Origin,
  RegularFile,
  SpecialFile,
  Symlink,
} from "./inode.ts";

/** The options of a tree. */
export interface TreeOptions {
  /** Space for the data of all files in bytes, 1 GiB by default. */
  readonly capacity?: number;
  /** The owner of the root directory, 0 by default. */
  readonly uid?: number;
  /** The group of the root directory, 0 by default. */
  readonly gid?: number;
  /** The clock, in nanoseconds since 1970; the system's by default. */
  readonly now?: () => bigint;
}

/** The state of the file system. */
export class Tree {
  readonly root: Directory;
  readonly space: Space;
  /**
   * Sent with each nodeid. A client that kept a nodeid of an earlier run, over
   * NFS for instance, must not reach a new file with the same nodeid.
   */
  readonly generation: bigint;
  readonly now: () => bigint;
  readonly #inodes = new Map<bigint, Inode>();
  readonly #streams = new Map<bigint, DirectoryStream>();
  #lastNodeid = FUSE_ROOT_ID;
  #lastHandle = 0n;

  constructor(options: TreeOptions = {}) {
    const { capacity = 2 ** 30, uid = 0, gid = 0 } = options;
    this.space = new Space(capacity);
    this.now = options.now ?? systemTime;
    const now = this.now();
    this.generation = now;
    this.root = new Directory(
      { nodeid: FUSE_ROOT_ID, mode: S_IF.DIR | 0o755, uid, gid, now },
    );
    // The root has no name, but must never be dropped.
    this.root.links = 1;
    this.#inodes.set(FUSE_ROOT_ID, this.root);
  }

  /** The number of inodes. */
  get count(): number {
    return this.#inodes.size;
  }

  /** The inode with a nodeid. */
  inode(nodeid: bigint): Inode {
    const inode = this.#inodes.get(nodeid);
    if (inode === undefined) throw new Errno("ESTALE");
    return inode;
  }

  /** The directory with a nodeid. */
  directory(nodeid: bigint): Directory {
    const inode = this.inode(nodeid);
    if (!(inode instanceof Directory)) throw new Errno("ENOTDIR");
    return inode;
  }

  /** The plain file with a nodeid. */
  file(nodeid: bigint): RegularFile {
    const inode = this.inode(nodeid);
    if (inode instanceof Directory) throw new Errno("EISDIR");
    if (!(inode instanceof RegularFile)) throw new Errno("EINVAL");
    return inode;
  }

  /** Creates a file, FIFO, socket or device without a name. */
  makeNode(request: Request, mode: number, rdev = 0): Inode {
    const type = mode & S_IF.MT;
    return this.#add(
      type === S_IF.REG || type === 0
        ? new RegularFile(this.#origin(request, S_IF.REG | mode), this.space)
        : new SpecialFile(this.#origin(request, mode), rdev),
    );
  }

  /** Creates a directory without a name. */
  makeDirectory(request: Request, mode: number): Directory {
    const parent = this.directory(request.nodeid);
    const origin = this.#origin(request, S_IF.DIR | mode);
    return this.#add(new Directory(origin, parent));
  }

  /** Creates a symbolic link without a name. */
  makeSymlink(request: Request, target: Uint8Array): Symlink {
    const origin = this.#origin(request, S_IF.LNK | 0o777);
    return this.#add(new Symlink(origin, target));
  }

  #origin(request: Request, mode: number): Origin {
    const parent = this.directory(request.nodeid);
    // New inodes inherit the group of a directory with the set-group-ID bit.
    const inherited = parent.mode & S_IS.GID;
    const isDirectory = (mode & S_IF.MT) === S_IF.DIR;
    return {
      nodeid: ++this.#lastNodeid,
      mode: isDirectory ? mode | inherited : mode,
      uid: request.uid,
      gid: inherited ? parent.gid : request.gid,
      now: this.now(),
    };
  }

  #add<T extends Inode>(inode: T): T {
    this.#inodes.set(inode.nodeid, inode);
    return inode;
  }

  /** Subtracts the lookups of an inode that the kernel has dropped. */
  forget(nodeid: bigint, lookups: bigint): void {
    const inode = this.#inodes.get(nodeid);
    if (inode === undefined) return;
    inode.lookups -= lookups;
    this.dropUnused(inode);
  }

  /** Drops an inode that has neither a name nor lookups. */
  dropUnused(inode: Inode): void {
    if (inode.links > 0 || inode.lookups > 0n) return;
    this.#inodes.delete(inode.nodeid);
    inode.dispose();
  }

  /** Registers an open directory; returns its handle. */
  open(stream: DirectoryStream): bigint {
    this.#streams.set(++this.#lastHandle, stream);
    return this.#lastHandle;
  }

  /** The open directory of a handle. */
  stream(handle: bigint): DirectoryStream {
    const stream = this.#streams.get(handle);
    if (stream === undefined) throw new Errno("EBADF");
    return stream;
  }

  /** Removes an open directory. */
  close(handle: bigint): void {
    this.#streams.delete(handle);
  }
}
