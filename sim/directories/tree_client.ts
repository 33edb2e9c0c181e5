import { ERRNO } from "../../src/base/errno.ts";
import { O, S_IF } from "../../src/base/file_flags.ts";
import { type Credentials, type Signals, SimError } from "../kernel/call.ts";
import { getAttributes, getBirthAttributes } from "../vfs/getattr.ts";
import type { SimStat } from "../vfs/inode.ts";
import { MAY, requireAccess } from "../vfs/permission.ts";
import {
  requireWritable,
  setMode,
  setOwner,
  setSize,
  setTimes,
  type SimTime,
} from "../vfs/setattr.ts";
import type { SimFile } from "../vfs/sim_file.ts";
import { type SimStatfs, statfs } from "../vfs/statfs.ts";
import { link, mkdir, mknod, symlink } from "./create.ts";
import { type Dentry, EXPIRED, holding, type TreeNode } from "./dcache.ts";
import { openFile } from "./path_open.ts";
import { PathWalk, readLink } from "./path_walk.ts";
import { openDirectory, type SimDirectory } from "./readdir.ts";
import { rename } from "./rename.ts";
import type { SimTree } from "./sim_tree.ts";
import { TreeProcess } from "./tree_process.ts";
import { rmdir, unlink } from "./unlink.ts";
import * as xattr from "./xattr.ts";

const ROOT: Credentials = { uid: 0, gid: 0, pid: 1000 };

/**
 * A process that uses a mounted tree by paths. A path starts at the root of the
 * mount, which "" and "/" name. A symbolic link that begins with a slash starts
 * there too, as if the process had called chroot(2).
 *
 * Each method is the system call of its name. It rejects with a
 * {@linkcode SimError} that has the errno of the call.
 *
 * @example Make a directory and a file in it
 * ```ts ignore
 * const client = new TreeClient(tree, { uid: 1000, gid: 1000, pid: 7 });
 * await client.mkdir("a", 0o755);
 * const file = await client.open("a/f", O.CREAT | O.RDWR);
 * ```
 *
 * @category Directories
 */
export class TreeClient {
  readonly #process: TreeProcess;

  /**
   * Starts a process.
   *
   * @param tree The mount.
   * @param credentials Its ids; root if left out.
   */
  constructor(tree: SimTree, credentials: Credentials = ROOT) {
    this.#process = new TreeProcess(tree.superblock, credentials);
  }

  /** The ids of the process. */
  get credentials(): Credentials {
    return this.#process.credentials;
  }

  /** Sends signals to the process. */
  get signals(): Signals {
    return this.#process.signals;
  }

  /** umask(2): mode bits that files created from now on do not get. */
  umask(mask: number): void {
    this.#process.umask = mask & 0o777;
  }

  /** open(2) of a plain file; `opendir()` opens directories. */
  async open(
    path: string,
    flags: number = O.RDONLY,
    mode: number = 0o666,
  ): Promise<SimFile> {
    return await openFile(this.#process, path, flags, mode);
  }

  /** opendir(3): open(2) and the fstat(2) that comes with it. */
  async opendir(path: string): Promise<SimDirectory> {
    return await this.#find("open", path, (_node, dentry) => {
      return openDirectory(this.#process, dentry);
    });
  }

  /** stat(2). */
  async stat(path: string): Promise<SimStat> {
    return await this.#find("stat", path, (node) => this.#stat("stat", node));
  }

  /** lstat(2). */
  async lstat(path: string): Promise<SimStat> {
    const call = "lstat";
    return await this.#find(call, path, (node) => this.#stat(call, node), {
      follow: false,
    });
  }

  /** statx(2) with STATX_BTIME. */
  async statx(path: string): Promise<SimStat> {
    return await this.#find("statx", path, (node) => {
      const context = this.#process.at(node);
      requireAccess(context, "statx");
      return getBirthAttributes(context);
    });
  }

  /** statfs(2). */
  async statfs(path: string = ""): Promise<SimStatfs> {
    return await this.#find("statfs", path, (node) => {
      return statfs(this.#process.at(node));
    });
  }

  /** access(2). */
  async access(path: string, mode: number): Promise<void> {
    await this.#find("access", path, (node) => {
      return this.#process.requirePermission(node, "access", mode, true);
    });
  }

  /** truncate(2). */
  async truncate(path: string, size: number): Promise<void> {
    const call = "truncate";
    if (size < 0) throw new SimError(call, ERRNO.EINVAL);
    await this.#find(call, path, async (node) => {
      if (node.isDirectory) throw new SimError(call, ERRNO.EISDIR);
      if (node.type !== S_IF.REG) throw new SimError(call, ERRNO.EINVAL);
      const context = this.#process.at(node);
      requireWritable(context, call);
      await this.#process.requirePermission(node, call, MAY.WRITE);
      await setSize(context, call, size);
    });
  }

  /** chmod(2). */
  async chmod(path: string, mode: number): Promise<void> {
    await this.#find("chmod", path, async (node, dentry) => {
      await setMode(this.#process.at(node), "chmod", mode);
      //= fs/fuse/dir.c fuse_setattr(): a directory's new mode may change who
      //= can search it, so its entry expires.
      if (node.isDirectory) dentry.validUntil = EXPIRED;
    });
  }

  /** chown(2); -1 keeps an id. */
  async chown(path: string, uid: number, gid: number): Promise<void> {
    await this.#find("chown", path, (node) => {
      return setOwner(this.#process.at(node), "chown", uid, gid);
    });
  }

  /**
   * utimensat(2).
   *
   * @param path The file.
   * @param atime The access time; `null` keeps it.
   * @param mtime The modification time; `null` keeps it.
   * @param follow Whether to follow a symbolic link.
   */
  async utimens(
    path: string,
    atime: SimTime,
    mtime: SimTime,
    follow: boolean = true,
  ): Promise<void> {
    await this.#find("utimens", path, (node) => {
      return setTimes(this.#process.at(node), "utimens", atime, mtime);
    }, { follow });
  }

  /** mkdir(2). */
  async mkdir(path: string, mode: number = 0o777): Promise<void> {
    await mkdir(this.#process, path, mode);
  }

  /** mknod(2) of a file, pipe, socket or device; `mode` has the type. */
  async mknod(path: string, mode: number, rdev: number = 0): Promise<void> {
    await mknod(this.#process, path, mode, rdev);
  }

  /** symlink(2). */
  async symlink(target: string, path: string): Promise<void> {
    await symlink(this.#process, target, path);
  }

  /** readlink(2). */
  async readlink(path: string): Promise<string> {
    const call = "readlink";
    return await this.#find(call, path, async (node) => {
      if (node.type !== S_IF.LNK) throw new SimError(call, ERRNO.EINVAL);
      return await readLink(this.#process, node, call);
    }, { follow: false });
  }

  /** link(2). */
  async link(from: string, to: string): Promise<void> {
    await link(this.#process, from, to);
  }

  /** unlink(2). */
  async unlink(path: string): Promise<void> {
    await unlink(this.#process, path);
  }

  /** rmdir(2). */
  async rmdir(path: string): Promise<void> {
    await rmdir(this.#process, path);
  }

  /** rename(2), or renameat2(2) with flags of {@linkcode RENAME}. */
  async rename(from: string, to: string, flags: number = 0): Promise<void> {
    await rename(this.#process, from, to, flags);
  }

  /** getxattr(2), once for the size and once for the value. */
  async getxattr(path: string, name: string): Promise<Uint8Array> {
    return await this.#find("getxattr", path, (node) => {
      return xattr.readWholeValue((size) =>
        xattr.getAttribute(this.#process, node, name, size)
      );
    });
  }

  /** getxattr(2) into a buffer of `size` bytes; 0 returns the size. */
  async getxattrInto(
    path: string,
    name: string,
    size: number,
  ): Promise<Uint8Array | number> {
    return await this.#find("getxattr", path, (node) => {
      return xattr.getAttribute(this.#process, node, name, size);
    });
  }

  /** listxattr(2), once for the size and once for the names. */
  async listxattr(path: string): Promise<string[]> {
    return await this.#find("listxattr", path, async (node) => {
      const names = await xattr.readWholeValue((size) =>
        xattr.listAttributes(this.#process, node, size)
      );
      return xattr.namesOf(names);
    });
  }

  /** listxattr(2) into a buffer of `size` bytes; 0 returns the size. */
  async listxattrInto(
    path: string,
    size: number,
  ): Promise<Uint8Array | number> {
    return await this.#find("listxattr", path, (node) => {
      return xattr.listAttributes(this.#process, node, size);
    });
  }

  /** setxattr(2); flags are XATTR_CREATE, 1, and XATTR_REPLACE, 2. */
  async setxattr(
    path: string,
    name: string,
    value: Uint8Array,
    flags: number = 0,
  ): Promise<void> {
    await this.#find("setxattr", path, (node) => {
      return xattr.setAttribute(this.#process, node, name, value, flags);
    });
  }

  /** removexattr(2). */
  async removexattr(path: string, name: string): Promise<void> {
    await this.#find("removexattr", path, (node) => {
      return xattr.removeAttribute(this.#process, node, name);
    });
  }

  #stat(call: string, node: TreeNode): Promise<SimStat> {
    const context = this.#process.at(node);
    requireAccess(context, call);
    return getAttributes(context, call);
  }

  /** Resolves a path and passes its inode to the rest of the call. */
  async #find<T>(
    call: string,
    path: string,
    work: (node: TreeNode, dentry: Dentry) => T | Promise<T>,
    { follow = true }: { readonly follow?: boolean } = {},
  ): Promise<T> {
    return await holding(async (held) => {
      const walk = new PathWalk(this.#process, call, held);
      const dentry = await walk.find(path, follow);
      return await work(held.add(dentry).node!, dentry);
    });
  }
}
