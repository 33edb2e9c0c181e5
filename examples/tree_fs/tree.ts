/**
 * The tree: all inodes by number, and how long they live.
 *
 * @module
 */
import {
  Errno,
  FUSE_ROOT_ID,
  S_IF,
  S_IS,
  systemTime,
} from "../../src/protocol/mod.ts";
import type { Request } from "../../mod.ts";
import { Directory, type DirectoryStream } from "./directory.ts";
import { Space } from "./file_data.ts";
import {
  type Inode,
  type Origin,
  RegularFile,
  SpecialFile,
  Symlink,
} from "./inode.ts";

/** Options of a tree. */
export interface TreeOptions {
  /** Bytes that all files together may take; 1 GiB. */
  readonly capacity?: number;
  /** Who owns the root; 0. */
  readonly uid?: number;
  /** The root's group; 0. */
  readonly gid?: number;
  /** The time in nanoseconds since 1970; the system's. */
  readonly now?: () => bigint;
}

/** Everything that a file system in memory has. */
export class Tree {
  readonly root: Directory;
  readonly space: Space;
  /**
   * Goes with each nodeid. A client that kept one from an earlier run, over
   * NFS say, must not reach another file that has the same number today.
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
    // The root needs no name, and is never forgotten.
    this.root.links = 1;
    this.#inodes.set(FUSE_ROOT_ID, this.root);
  }

  /** How many inodes there are. */
  get count(): number {
    return this.#inodes.size;
  }

  /** The inode that the kernel means. */
  inode(nodeid: bigint): Inode {
    const inode = this.#inodes.get(nodeid);
    if (inode === undefined) throw new Errno("ESTALE");
    return inode;
  }

  /** The directory that the kernel means. */
  directory(nodeid: bigint): Directory {
    const inode = this.inode(nodeid);
    if (!(inode instanceof Directory)) throw new Errno("ENOTDIR");
    return inode;
  }

  /** The plain file that the kernel means. */
  file(nodeid: bigint): RegularFile {
    const inode = this.inode(nodeid);
    if (inode instanceof Directory) throw new Errno("EISDIR");
    if (!(inode instanceof RegularFile)) throw new Errno("EINVAL");
    return inode;
  }

  /** Makes a file, FIFO, socket or device that has no name yet. */
  makeNode(request: Request, mode: number, rdev = 0): Inode {
    const type = mode & S_IF.MT;
    return this.#add(
      type === S_IF.REG || type === 0
        ? new RegularFile(this.#origin(request, S_IF.REG | mode), this.space)
        : new SpecialFile(this.#origin(request, mode), rdev),
    );
  }

  /** Makes a directory that has no name yet. */
  makeDirectory(request: Request, mode: number): Directory {
    const parent = this.directory(request.nodeid);
    const origin = this.#origin(request, S_IF.DIR | mode);
    return this.#add(new Directory(origin, parent));
  }

  /** Makes a symbolic link that has no name yet. */
  makeSymlink(request: Request, target: Uint8Array): Symlink {
    const origin = this.#origin(request, S_IF.LNK | 0o777);
    return this.#add(new Symlink(origin, target));
  }

  #origin(request: Request, mode: number): Origin {
    const parent = this.directory(request.nodeid);
    // What is made in a directory with this bit belongs to its group.
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

  /** The kernel has forgotten some of the lookups of an inode. */
  forget(nodeid: bigint, lookups: bigint): void {
    const inode = this.#inodes.get(nodeid);
    if (inode === undefined) return;
    inode.lookups -= lookups;
    this.dropUnused(inode);
  }

  /** Lets go of an inode that neither a name nor the kernel leads to. */
  dropUnused(inode: Inode): void {
    if (inode.links > 0 || inode.lookups > 0n) return;
    this.#inodes.delete(inode.nodeid);
    inode.dispose();
  }

  /** Keeps an open directory; returns its handle. */
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

  /** Lets go of an open directory. */
  close(handle: bigint): void {
    this.#streams.delete(handle);
  }
}
