import { ERRNO, Errno } from "../../base/errno.ts";
import { errnoOf } from "../../base/errno_of.ts";
import { O, RENAME, S_IF, S_IS } from "../../base/file_flags.ts";
import type { Attr, Changes, StatFs } from "../../filesystem/attr.ts";
import type { Caller, FileSystem } from "../../filesystem/file_system.ts";
import { NodeAttr } from "../../filesystem/node_attr.ts";
import { changeAttr } from "./change_attr.ts";
import { InodeNumbers } from "./inode_numbers.ts";
import { attrOf } from "./node_attr.ts";
import { BIGINT, type NodeFileHandle, type NodeFsPromises } from "./node_fs.ts";
import { createPath, openPath, readFully, writeFully } from "./open_node.ts";
import { PathFiles } from "./path_files.ts";
import { pathIn, type PathNode, pathOf } from "./path_node.ts";

/** How many entries of a directory are looked up at once. */
const AT_ONCE = 32;

/** An object like `node:fs/promises` that has every method, as a file system. */
export class NodeFileSystem implements FileSystem<PathNode, NodeFileHandle> {
  readonly root: PathNode;
  readonly #fs: NodeFsPromises;
  readonly #files: PathFiles;
  readonly #inodes = new InodeNumbers();

  /**
   * Makes one.
   *
   * @param fs The object.
   * @param root The path of the directory that is shown.
   */
  constructor(fs: NodeFsPromises, root: string) {
    this.#fs = fs;
    this.#files = new PathFiles(fs, root);
    this.root = this.#files.root;
  }

  async getattr(
    node: PathNode,
    caller: Caller,
    handle?: NodeFileHandle,
  ): Promise<Attr> {
    const { seen } = node;
    node.seen = null;
    const stats = seen?.caller === caller
      ? seen.stats
      : await (handle?.stat?.(BIGINT) ?? this.#files.stat(node));
    return { ...attrOf(stats), ...this.#inodes.of(stats) };
  }

  async lookup(
    directory: PathNode,
    name: string,
    caller: Caller,
  ): Promise<PathNode | null> {
    // No name that the object has.
    if (!name.isWellFormed()) return null;
    try {
      return await this.#files.find(directory, name, caller);
    } catch (error) {
      if (errnoOf(error) === ERRNO.ENOENT) return null;
      throw error;
    }
  }

  async *readdir(
    directory: PathNode,
    caller: Caller,
  ): AsyncGenerator<[string, PathNode]> {
    const names = await this.#files.at(
      directory,
      (path) => this.#fs.readdir(path),
    );
    for (let at = 0; at < names.length; at += AT_ONCE) {
      const some = names.slice(at, at + AT_ONCE);
      const nodes = some.map((name) => this.lookup(directory, name, caller));
      for (const [index, node] of (await Promise.all(nodes)).entries()) {
        if (node !== null) yield [some[index]!, node];
      }
    }
  }

  async readlink(node: PathNode): Promise<string> {
    return await this.#files.at(node, (path) => this.#fs.readlink!(path));
  }

  async setattr(
    node: PathNode,
    changes: Changes,
    _caller: Caller,
    opened?: NodeFileHandle,
  ): Promise<void> {
    const fs = this.#fs;
    const [known = null] = node.path === null ? node.handles : [];
    const handle = opened ?? known;
    const attr = attrOf(await this.#files.stat(node));
    node.seen = null;
    await this.#files.lock.use(async () => {
      await changeAttr({ fs, path: node.path, handle, attr }, changes);
    });
  }

  async create(
    directory: PathNode,
    name: string,
    mode: number,
    caller: Caller,
  ): Promise<PathNode> {
    const handle = await this.#files.in(
      directory,
      name,
      (path) => createPath(this.#fs, path, mode & PERMISSIONS),
    );
    try {
      const node = await this.#made(directory, name, mode, caller, handle);
      node.handles.add(handle);
      node.created = handle;
      return node;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async mknod(
    directory: PathNode,
    name: string,
    mode: number,
    _rdev: number,
    caller: Caller,
  ): Promise<PathNode> {
    if ((mode & S_IF.MT) !== S_IF.REG) throw new Errno("EPERM");
    const node = await this.create(directory, name, mode, caller);
    const handle = node.created!;
    node.created = null;
    await this.release(node, handle);
    return node;
  }

  async mkdir(
    directory: PathNode,
    name: string,
    mode: number,
    caller: Caller,
  ): Promise<PathNode> {
    await this.#files.in(
      directory,
      name,
      (path) => this.#fs.mkdir!(path, mode & PERMISSIONS),
    );
    return await this.#made(directory, name, mode, caller);
  }

  async symlink(
    directory: PathNode,
    name: string,
    target: string,
    caller: Caller,
  ): Promise<PathNode> {
    if (!target.isWellFormed()) throw new Errno("EILSEQ");
    await this.#files.in(
      directory,
      name,
      (path) => this.#fs.symlink!(target, path),
    );
    return await this.#made(directory, name, S_IF.LNK | 0o777, caller);
  }

  /** Gives what was made the owner and mode that the process has not given it. */
  async #made(
    directory: PathNode,
    name: string,
    mode: number,
    caller: Caller,
    handle: NodeFileHandle | null = null,
  ): Promise<PathNode> {
    const node = await this.#files.find(directory, name, caller);
    const attr = attrOf(node.seen!.stats);
    const parent = await this.#files.stat(directory);
    const wanted = new NodeAttr(mode, attrOf(parent), caller);
    const { uid, gid } = wanted;
    const isOwned = attr.uid === uid && attr.gid === gid;
    const isLink = (mode & S_IF.MT) === S_IF.LNK;
    const hasMode = ((attr.mode ^ wanted.mode) & PERMISSIONS) === 0;
    const change = (changes: Omit<Changes, "ctime">) =>
      changeAttr(
        { fs: this.#fs, path: node.path, handle, attr },
        { ...changes, ctime: caller.time },
      );
    if (isOwned && (isLink || hasMode)) return node;
    node.seen = null;
    await this.#files.lock.use(async () => {
      if (!isOwned) await change({ uid, gid }).catch(ignoreRefusal);
      // chown(2) has cleared set-id bits.
      const isComplete = hasMode &&
        (isOwned || (mode & (S_IS.UID | S_IS.GID)) === 0);
      if (!isLink && !isComplete) await change({ mode: wanted.mode });
    });
    return node;
  }

  async link(
    node: PathNode,
    directory: PathNode,
    name: string,
  ): Promise<void> {
    await this.#files.in(
      directory,
      name,
      (path) => this.#fs.link!(pathOf(node), path),
    );
    node.seen = null;
    node.addName(directory, name);
  }

  async unlink(directory: PathNode, name: string): Promise<void> {
    await this.#files.in(directory, name, (path) => this.#fs.unlink!(path));
    directory.children.get(name)?.removeName(directory, name);
  }

  async rmdir(directory: PathNode, name: string): Promise<void> {
    await this.#files.in(directory, name, (path) => this.#fs.rmdir!(path));
    directory.children.get(name)?.removeName(directory, name);
  }

  async rename(
    from: PathNode,
    oldName: string,
    to: PathNode,
    newName: string,
    flags: number,
  ): Promise<void> {
    if ((flags & ~RENAME.NOREPLACE) !== 0) throw new Errno("EINVAL");
    await this.#files.lock.change(async () => {
      const paths = [pathIn(from, oldName), pathIn(to, newName)] as const;
      await this.#checkReplaced(paths[1], flags);
      await this.#fs.rename!(...paths);
      const node = from.children.get(oldName);
      const replaced = to.children.get(newName);
      // Two names of one file: rename(2) does nothing.
      if (node !== undefined && node === replaced) return;
      replaced?.removeName(to, newName);
      node?.removeName(from, oldName);
      node?.addName(to, newName);
    });
  }

  /** Some libraries also replace directories that are not empty. */
  async #checkReplaced(path: string, flags: number): Promise<void> {
    try {
      const stats = await this.#fs.lstat(path, BIGINT);
      if (flags & RENAME.NOREPLACE) throw new Errno("EEXIST");
      if ((Number(stats.mode) & S_IF.MT) !== S_IF.DIR) return;
      const names = await this.#fs.readdir(path);
      if (names.length > 0) throw new Errno("ENOTEMPTY");
    } catch (error) {
      if (errnoOf(error) !== ERRNO.ENOENT) throw error;
    }
  }

  async open(node: PathNode, flags: number): Promise<NodeFileHandle> {
    const { created } = node;
    if (flags & O.CREAT && created !== null) {
      node.created = null;
      return created;
    }
    const handle = await this.#files.at(
      node,
      (path) => openPath(this.#fs, path, flags),
    );
    node.handles.add(handle);
    return handle;
  }

  async read(
    _node: PathNode,
    into: Uint8Array,
    offset: number,
    _caller: Caller,
    handle?: NodeFileHandle,
  ): Promise<number> {
    return await readFully(handle!, into, offset);
  }

  async write(
    _node: PathNode,
    data: Uint8Array,
    offset: number,
    _caller: Caller,
    handle?: NodeFileHandle,
  ): Promise<number> {
    return await writeFully(handle!, data, offset);
  }

  async fsync(
    node: PathNode,
    dataOnly: boolean,
    _caller: Caller,
    handle?: NodeFileHandle,
  ): Promise<void> {
    if (handle !== undefined) return await syncHandle(handle, dataOnly);
    // A directory, which libraries in memory do not open.
    if (this.#fs.open === undefined) return;
    const opened = await this.#files.at(node, async (path) => {
      return await this.#fs.open!(path, O.RDONLY).catch(() => null);
    });
    if (opened === null) return;
    try {
      await syncHandle(opened, dataOnly);
    } finally {
      await opened.close();
    }
  }

  async release(node: PathNode, handle?: NodeFileHandle): Promise<void> {
    if (handle === undefined) return;
    node.handles.delete(handle);
    await handle.close();
  }

  async statfs(): Promise<StatFs> {
    const space = await this.#fs.statfs!(pathOf(this.root), BIGINT);
    const { bsize, blocks, bfree, bavail, files, ffree } = space;
    return { bsize: Number(bsize), blocks, bfree, bavail, files, ffree };
  }
}

/** Permissions, set-id bits and the sticky bit. */
const PERMISSIONS = 0o7777;

/** Only root gives files away, and only to users that its namespace knows. */
function ignoreRefusal(error: unknown): void {
  const errno = errnoOf(error);
  if (errno !== ERRNO.EPERM && errno !== ERRNO.EINVAL) throw error;
}

async function syncHandle(
  handle: NodeFileHandle,
  dataOnly: boolean,
): Promise<void> {
  const sync = dataOnly ? handle.datasync ?? handle.sync : handle.sync;
  await sync?.call(handle);
}
