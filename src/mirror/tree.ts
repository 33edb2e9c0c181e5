import { ERRNO, Errno } from "../base/errno.ts";
import { PATH_MAX } from "../base/limits.ts";
import { decodeName } from "../base/name_bytes.ts";
import type { Attr, Changes, StatFs } from "../filesystem/attr.ts";
import type { Caller, Dirent, FileSystem } from "../filesystem/file_system.ts";
import {
  closeDescriptor,
  OPEN,
  openDescriptor,
} from "../linux/syscall/descriptor.ts";
import { errno, libc } from "../linux/syscall/libc.ts";
import { raiseOpenFiles } from "../linux/syscall/resource_limits.ts";
import { AT } from "../linux/syscall/statx.ts";
import { CallerIds } from "./as_caller.ts";
import { changeAttributes } from "./changes.ts";
import { checked, failureOf } from "./failure.ts";
import { spaceOf } from "./host_file_system.ts";
import { DirectoryReader } from "./listing.ts";
import {
  makeDirectory,
  makeFile,
  makeLink,
  makeNode,
  type Maker,
  undoFileUmask,
} from "./making.ts";
import {
  descriptorName,
  nameArgument,
  NO_NAME,
  secondNameArgument,
} from "./names.ts";
import { type MirrorNode, MirrorNodes } from "./nodes.ts";
import {
  readStatus,
  statusAttr,
  statusDevice,
  statusInode,
  statusMode,
} from "./status.ts";

/**
 * Options of {@linkcode mirror}.
 *
 * @category File systems
 */
export interface MirrorOptions {
  /**
   * How many files may be held by descriptors before some are held by file
   * handles instead, which needs CAP_DAC_READ_SEARCH; half of the limit on open
   * files if left out.
   */
  readonly nodesMax?: number;
  /** Of a mirror with passthrough; `auto` if left out. */
  readonly directWrites?: DirectWrites;
}

/**
 * Who serves a file that a program opens for writing with O_DIRECT, where the
 * kernel reads and writes the files of a mirror by itself:
 *
 * - `auto`: the kernel on tmpfs, the mirror elsewhere;
 * - `kernel`: the kernel. That is faster with many requests in flight, but the
 *   file then stays direct if the program turns O_DIRECT off by fcntl(2): where
 *   direct writes must be aligned, others fail with EINVAL.
 *
 * @category File systems
 */
export type DirectWrites = "auto" | "kernel";

/** Descriptors of a mirror: fs.nr_open unless it was changed. */
const DESCRIPTORS_WANTED = 2 ** 20;

/**
 * Opens the directory that a mirror shows.
 *
 * @returns An O_PATH descriptor.
 * @throws {SystemError} ENOENT, ENOTDIR, EACCES.
 */
export function openRoot(path: string): number {
  return openDescriptor(path, OPEN.PATH | OPEN.DIRECTORY, {
    label: `the directory ${path}`,
  });
}

/**
 * The names and attributes of a directory of this machine: what a `Mirror` does
 * without open files.
 */
export class MirrorTree implements FileSystem<MirrorNode, number>, Disposable {
  readonly root: MirrorNode;
  readonly #nodes: MirrorNodes;
  readonly #maker: Maker;
  /** An O_PATH descriptor of /proc/self/fd. */
  protected readonly descriptors: number;
  /** The node that was looked up last, if its attributes are still at hand. */
  #fresh: MirrorNode | null = null;
  #freshAttr: Attr | null = null;

  /**
   * Called in the thread that will use it.
   *
   * @param root A descriptor of {@linkcode openRoot}, which it takes over.
   * @throws {UserError} If it cannot be used.
   */
  constructor(root: number, options: MirrorOptions = {}) {
    const descriptorsMax = raiseOpenFiles(DESCRIPTORS_WANTED);
    // The others are for files that programs have open.
    this.#nodes = new MirrorNodes(options.nodesMax ?? descriptorsMax / 2);
    const descriptors = openDescriptor(
      "/proc/self/fd",
      OPEN.PATH | OPEN.DIRECTORY,
    );
    this.descriptors = descriptors;
    this.#maker = { ids: new CallerIds(), descriptors };
    checked(readStatus(root, NO_NAME));
    this.root = this.#nodes.nodeOf(statusDevice(), statusInode(), root);
    this.root.opens = Infinity;
  }

  /** Closes all descriptors; the file system cannot be used any more. */
  [Symbol.dispose](): void {
    this.#nodes.close();
    closeDescriptor(this.descriptors);
  }

  getattr(node: MirrorNode): Attr {
    const attr = this.#freshAttr;
    const isFresh = this.#fresh === node;
    this.begin();
    if (isFresh && attr !== null) return attr;
    checked(readStatus(node.fd, NO_NAME));
    return attributesOf(node);
  }

  /**
   * Finds a node by one system call if it is known, else by two: the names of a
   * directory are mostly either all known, or all new.
   */
  lookup(directory: MirrorNode, name: string): MirrorNode | null {
    this.begin();
    const path = nameArgument(name);
    if (directory.findsKnown) {
      // A node in use is pinned by its descriptor, so its numbers tell.
      if (readStatus(directory.fd, path) < 0) return nothingThere(errno());
      const known = this.#nodes.find(statusDevice(), statusInode());
      if (known !== undefined) return this.#keepFresh(known);
    }
    const flags = OPEN.PATH | OPEN.NOFOLLOW | OPEN.CLOEXEC;
    const fd = libc().openat(directory.fd, path, flags, 0);
    if (fd < 0) {
      const error = errno();
      if (error === ERRNO.ENOENT || directory.findsKnown) {
        return nothingThere(error);
      }
      // Without a free descriptor, a known node can still be found.
      directory.findsKnown = true;
      return this.lookup(directory, name);
    }
    const node = this.#nodeOf(fd);
    directory.findsKnown = node.fd !== fd;
    return node;
  }

  readdir(directory: MirrorNode): Iterable<Dirent<MirrorNode>> {
    this.begin();
    return new DirectoryReader(directory.fd);
  }

  readlink(node: MirrorNode): string {
    this.begin();
    const target = new Uint8Array(new ArrayBuffer(PATH_MAX));
    const room = BigInt(target.byteLength);
    const { readlinkat } = libc();
    const length = checked(readlinkat(node.fd, NO_NAME, target, room));
    return decodeName(target.subarray(0, length));
  }

  setattr(
    node: MirrorNode,
    changes: Changes,
    _caller: Caller,
    handle?: number,
  ): void {
    this.begin();
    changeAttributes(this.descriptors, node.fd, changes, handle);
  }

  create(
    directory: MirrorNode,
    name: string,
    mode: number,
    caller: Caller,
  ): MirrorNode {
    this.begin();
    const made = makeFile(this.#maker, directory.fd, name, mode, caller);
    const { descriptors } = this;
    const flags = OPEN.PATH | OPEN.CLOEXEC;
    const fd = libc().openat(descriptors, descriptorName(made.fd), flags, 0);
    if (fd < 0) {
      const error = failureOf(errno());
      closeDescriptor(made.fd);
      throw error;
    }
    const node = this.#nodeOf(fd);
    node.created = made.fd;
    if (undoFileUmask(this.#maker, directory.fd, made, node.mode)) this.begin();
    return node;
  }

  mkdir(
    directory: MirrorNode,
    name: string,
    mode: number,
    caller: Caller,
  ): MirrorNode {
    makeDirectory(this.#maker, directory.fd, name, mode, caller);
    return this.#made(directory, name);
  }

  mknod(
    directory: MirrorNode,
    name: string,
    mode: number,
    rdev: number,
    caller: Caller,
  ): MirrorNode {
    makeNode(this.#maker, directory.fd, name, mode, rdev, caller);
    return this.#made(directory, name);
  }

  symlink(
    directory: MirrorNode,
    name: string,
    target: string,
    caller: Caller,
  ): MirrorNode {
    makeLink(this.#maker, directory.fd, name, target, caller);
    return this.#made(directory, name);
  }

  link(node: MirrorNode, directory: MirrorNode, name: string): void {
    this.begin();
    const { linkat } = libc();
    const path = nameArgument(name);
    const { fd } = node;
    if (linkat(fd, NO_NAME, directory.fd, path, AT.EMPTY_PATH) === 0) return;
    const error = errno();
    // Without CAP_DAC_READ_SEARCH the descriptor alone is not enough.
    if (error !== ERRNO.ENOENT) throw failureOf(error);
    const { descriptors } = this;
    const link = descriptorName(fd);
    checked(linkat(descriptors, link, directory.fd, path, AT.SYMLINK_FOLLOW));
  }

  unlink(directory: MirrorNode, name: string): void {
    checked(libc().unlinkat(directory.fd, nameArgument(name), 0));
  }

  rmdir(directory: MirrorNode, name: string): void {
    const path = nameArgument(name);
    checked(libc().unlinkat(directory.fd, path, AT.REMOVEDIR));
  }

  rename(
    from: MirrorNode,
    oldName: string,
    to: MirrorNode,
    newName: string,
    flags: number,
  ): void {
    const path = nameArgument(oldName);
    const target = secondNameArgument(newName);
    checked(libc().renameat2(from.fd, path, to.fd, target, flags));
  }

  statfs(node: MirrorNode): StatFs {
    return spaceOf(node.fd);
  }

  forget(node: MirrorNode): void {
    this.begin();
    node.close();
  }

  /** What was made under a name, or has come there since. */
  #made(directory: MirrorNode, name: string): MirrorNode {
    const node = this.lookup(directory, name);
    if (node === null) throw new Errno("ENOENT");
    return node;
  }

  /** The node of a file; its O_PATH descriptor is closed if it has one. */
  #nodeOf(fd: number): MirrorNode {
    if (readStatus(fd, NO_NAME) < 0) {
      const error = failureOf(errno());
      closeDescriptor(fd);
      throw error;
    }
    const node = this.#nodes.nodeOf(statusDevice(), statusInode(), fd);
    return this.#keepFresh(node);
  }

  /** Keeps the attributes that were just read for `getattr()`. */
  #keepFresh(node: MirrorNode): MirrorNode {
    this.#fresh = node;
    this.#freshAttr = attributesOf(node);
    return node;
  }

  /**
   * Begins an operation: drops attributes that may change, and descriptors of
   * nodes if there are too many.
   */
  protected begin(): void {
    this.#fresh = null;
    this.#freshAttr = null;
    this.#nodes.makeRoom();
  }
}

/** The attributes of a node, which were just read. */
function attributesOf(node: MirrorNode): Attr {
  node.mode = statusMode();
  return statusAttr(node.ino);
}

/** `null` where there is no such name. */
function nothingThere(error: number): null {
  if (error === ERRNO.ENOENT) return null;
  throw failureOf(error);
}
