import { ERRNO } from "../../src/base/errno.ts";
import { O, S_IF } from "../../src/base/file_flags.ts";
import { type Credentials, type Signals, SimError } from "../kernel/call.ts";
import { sendOpen } from "../vfs/file_open.ts";
import { attributes, attributesWithBirth } from "../vfs/getattr.ts";
import {
  changeMode,
  changeOwner,
  changeSize,
  changeTimes,
  type SimTime,
  writable,
} from "../vfs/setattr.ts";
import type { SimStat } from "../vfs/inode.ts";
import { allowed, MAY } from "../vfs/permission.ts";
import type { SimFile } from "../vfs/sim_file.ts";
import { type SimStatfs, statfs } from "../vfs/statfs.ts";
import { makeDirectory, makeLink, makeNode, makeSymlink } from "./create.ts";
import { type Dentry, EXPIRED, holding, type TreeNode } from "./dcache.ts";
import { OPEN, openedCaller, openFile } from "./path_open.ts";
import { PathWalk, readLink } from "./path_walk.ts";
import { SimDirectory } from "./readdir.ts";
import { rename } from "./rename.ts";
import type { SimTree } from "./sim_tree.ts";
import { TreeProcess } from "./tree_process.ts";
import { removeDirectory, unlink } from "./unlink.ts";
import * as xattrs from "./xattr.ts";

const ROOT: Credentials = { uid: 0, gid: 0, pid: 1000 };
const O_LARGEFILE = 0x8000;

/**
 * A program that uses a mounted tree by paths. They begin at the root of the
 * mount, which "" and "/" stand for; so do symbolic links with a slash in
 * front, as if the program had gone there by chroot(2).
 *
 * Each method is the system call of its name, and fails with the
 * {@linkcode SimError} that the call would fail with.
 */
export class TreeClient {
  readonly #process: TreeProcess;

  /**
   * Starts a program.
   *
   * @param tree The mount.
   * @param credentials Who it is; root if left out.
   */
  constructor(tree: SimTree, credentials: Credentials = ROOT) {
    this.#process = new TreeProcess(tree, credentials);
  }

  /** Who it is. */
  get credentials(): Credentials {
    return this.#process.credentials;
  }

  /** The signals that it gets. */
  get signals(): Signals {
    return this.#process.signals;
  }

  /** umask(2): permissions that what it makes does not get. */
  umask(mask: number): void {
    this.#process.umask = mask & 0o777;
  }

  /** open(2) of a plain file; directories are for `opendir()`. */
  async open(
    path: string,
    flags: number = O.RDONLY,
    mode: number = 0o666,
  ): Promise<SimFile> {
    return await openFile(this.#process, path, flags, mode);
  }

  /** opendir(3): open(2), and the fstat(2) that comes with it. */
  async opendir(path: string): Promise<SimDirectory> {
    return await this.#on("open", path, true, async (node, dentry) => {
      const process = this.#process;
      if (!node.isDirectory) throw new SimError("open", ERRNO.ENOTDIR);
      await process.permitted(node, "open", MAY.READ);
      const flags = O.NONBLOCK | OPEN.DIRECTORY | O_LARGEFILE;
      const mounted = process.at(node);
      const { tree } = process;
      const opened = await sendOpen(mounted, tree, flags, "OPENDIR");
      const unasked = tree.unknown.has("OPENDIR");
      const caller = openedCaller(dentry, unasked);
      const held = { ...mounted, caller };
      const made = new SimDirectory(process, dentry, held, opened, flags);
      await made.fstat();
      return made;
    });
  }

  /** stat(2). */
  async stat(path: string): Promise<SimStat> {
    return await this.#stat("stat", path, true);
  }

  /** lstat(2). */
  async lstat(path: string): Promise<SimStat> {
    return await this.#stat("lstat", path, false);
  }

  /** statx(2) that asks for the time of birth too. */
  async statx(path: string): Promise<SimStat> {
    return await this.#on("statx", path, true, (node) => {
      allowed(this.#process.at(node), "statx");
      return attributesWithBirth(this.#process.at(node));
    });
  }

  /** statfs(2). */
  async statfs(path: string = ""): Promise<SimStatfs> {
    return await this.#on(
      "statfs",
      path,
      true,
      (node) => statfs(this.#process.at(node)),
    );
  }

  /** access(2). */
  async access(path: string, mode: number): Promise<void> {
    await this.#on(
      "access",
      path,
      true,
      (node) => this.#process.permitted(node, "access", mode, true),
    );
  }

  /** truncate(2). */
  async truncate(path: string, size: number): Promise<void> {
    const call = "truncate";
    if (size < 0) throw new SimError(call, ERRNO.EINVAL);
    await this.#on(call, path, true, async (node) => {
      if (node.isDirectory) throw new SimError(call, ERRNO.EISDIR);
      if (node.type !== S_IF.REG) throw new SimError(call, ERRNO.EINVAL);
      const mounted = this.#process.at(node);
      writable(mounted, call);
      await this.#process.permitted(node, call, MAY.WRITE);
      await changeSize(mounted, call, size);
    });
  }

  /** chmod(2). */
  async chmod(path: string, mode: number): Promise<void> {
    await this.#on("chmod", path, true, async (node, dentry) => {
      await changeMode(this.#process.at(node), "chmod", mode);
      //= fs/fuse/dir.c fuse_setattr(): who may pass through a directory has
      //= changed, so it is looked up again.
      if (node.isDirectory) dentry.validUntil = EXPIRED;
    });
  }

  /** chown(2); -1 leaves one as it is. */
  async chown(path: string, uid: number, gid: number): Promise<void> {
    await this.#on(
      "chown",
      path,
      true,
      (node) => changeOwner(this.#process.at(node), "chown", uid, gid),
    );
  }

  /** utimensat(2), of a link itself if told so; `null` leaves one as it is. */
  async utimens(
    path: string,
    atime: SimTime,
    mtime: SimTime,
    follow: boolean = true,
  ): Promise<void> {
    await this.#on(
      "utimens",
      path,
      follow,
      (node) => changeTimes(this.#process.at(node), "utimens", atime, mtime),
    );
  }

  /** mkdir(2). */
  async mkdir(path: string, mode: number = 0o777): Promise<void> {
    await makeDirectory(this.#process, path, mode);
  }

  /** mknod(2): a file, pipe, socket or device; `mode` says which. */
  async mknod(path: string, mode: number, rdev: number = 0): Promise<void> {
    await makeNode(this.#process, path, mode, rdev);
  }

  /** symlink(2). */
  async symlink(target: string, path: string): Promise<void> {
    await makeSymlink(this.#process, target, path);
  }

  /** readlink(2). */
  async readlink(path: string): Promise<string> {
    return await this.#on("readlink", path, false, async (node) => {
      const isLink = node.type === S_IF.LNK;
      if (!isLink) throw new SimError("readlink", ERRNO.EINVAL);
      return await readLink(this.#process, node, "readlink");
    });
  }

  /** link(2). */
  async link(from: string, to: string): Promise<void> {
    await makeLink(this.#process, from, to);
  }

  /** unlink(2). */
  async unlink(path: string): Promise<void> {
    await unlink(this.#process, path);
  }

  /** rmdir(2). */
  async rmdir(path: string): Promise<void> {
    await removeDirectory(this.#process, path);
  }

  /** renameat2(2), rename(2) without flags; see `RENAME`. */
  async rename(from: string, to: string, flags: number = 0): Promise<void> {
    await rename(this.#process, from, to, flags);
  }

  /** getxattr(2): its size first, then the value. */
  async getxattr(path: string, name: string): Promise<Uint8Array> {
    return await this.#on(
      "getxattr",
      path,
      true,
      (node) =>
        xattrs.probed((size) =>
          xattrs.getAttribute(this.#process, node, name, size)
        ),
    );
  }

  /** getxattr(2) into so many bytes; 0 asks for the size. */
  async getxattrInto(
    path: string,
    name: string,
    size: number,
  ): Promise<Uint8Array | number> {
    return await this.#on(
      "getxattr",
      path,
      true,
      (node) => xattrs.getAttribute(this.#process, node, name, size),
    );
  }

  /** listxattr(2): its size first, then the names. */
  async listxattr(path: string): Promise<string[]> {
    return await this.#on(
      "listxattr",
      path,
      true,
      async (node) =>
        xattrs.namesOf(
          await xattrs.probed((size) =>
            xattrs.listAttributes(this.#process, node, size)
          ),
        ),
    );
  }

  /** listxattr(2) into so many bytes; 0 asks for the size. */
  async listxattrInto(
    path: string,
    size: number,
  ): Promise<Uint8Array | number> {
    return await this.#on(
      "listxattr",
      path,
      true,
      (node) => xattrs.listAttributes(this.#process, node, size),
    );
  }

  /** setxattr(2); flags are XATTR_CREATE, 1, and XATTR_REPLACE, 2. */
  async setxattr(
    path: string,
    name: string,
    value: Uint8Array,
    flags: number = 0,
  ): Promise<void> {
    await this.#on(
      "setxattr",
      path,
      true,
      (node) => xattrs.setAttribute(this.#process, node, name, value, flags),
    );
  }

  /** removexattr(2). */
  async removexattr(path: string, name: string): Promise<void> {
    await this.#on(
      "removexattr",
      path,
      true,
      (node) => xattrs.removeAttribute(this.#process, node, name),
    );
  }

  async #stat(call: string, path: string, follow: boolean): Promise<SimStat> {
    return await this.#on(call, path, follow, (node) => {
      const mounted = this.#process.at(node);
      allowed(mounted, call);
      return attributes(mounted, call);
    });
  }

  /** Walks along a path, and does something with what it leads to. */
  async #on<T>(
    call: string,
    path: string,
    follow: boolean,
    work: (node: TreeNode, dentry: Dentry) => T | Promise<T>,
  ): Promise<T> {
    return await holding(async (held) => {
      const walk = new PathWalk(this.#process, call, held);
      const dentry = await walk.find(path, follow);
      return await work(held.add(dentry).node!, dentry);
    });
  }
}
