import { ERRNO, Errno } from "../../base/errno.ts";
import { errnoOf } from "../../base/errno_of.ts";
import { S_IF } from "../../base/file_flags.ts";
import { encodeName } from "../../base/name_bytes.ts";
import type { Caller } from "../../filesystem/file_system.ts";
import { WeakValues } from "../weak_values.ts";
import { identityOf } from "./node_attr.ts";
import { BIGINT, type NodeFsPromises, type NodeStats } from "./node_fs.ts";
import { PathLock } from "./path_lock.ts";
import { pathIn, PathNode, pathOf } from "./path_node.ts";

/** The nodes of an object like `node:fs`, and the way to their attributes. */
export class PathFiles {
  readonly fs: NodeFsPromises;
  readonly root: PathNode;
  readonly lock: PathLock = new PathLock();
  /** Nodes that may have further names. */
  readonly #known: WeakValues<string, PathNode> = new WeakValues();

  /** Makes the root, whose device is not known yet. */
  constructor(fs: NodeFsPromises, root: string) {
    this.fs = fs;
    this.root = new PathNode({ mode: S_IF.DIR }, root);
  }

  /** The attributes of a node: by an open file if it has no name. */
  async stat(node: PathNode): Promise<NodeStats> {
    return await this.lock.use(async () => {
      const { path } = node;
      if (path !== null) return await this.#lstat(path);
      for (const handle of node.handles) {
        if (handle.stat !== undefined) return await handle.stat(BIGINT);
      }
      throw new Errno("ESTALE");
    });
  }

  /** The node of a name, whose attributes are read for a request. */
  async find(
    directory: PathNode,
    name: string,
    caller: Caller,
  ): Promise<PathNode> {
    return await this.lock.use(async () => {
      const path = pathIn(directory, name);
      const stats = await this.#lookUp(directory, name, path);
      const node = this.#nodeOf(directory, name, stats);
      node.seen = { caller, stats };
      return node;
    });
  }

  async #lookUp(
    directory: PathNode,
    name: string,
    path: string,
  ): Promise<NodeStats> {
    try {
      return await this.#lstat(path);
    } catch (error) {
      const isGone = errnoOf(error) === ERRNO.ENOENT;
      if (isGone) directory.children.get(name)?.removeName(directory, name);
      throw error;
    }
  }

  async #lstat(path: string): Promise<NodeStats> {
    const stats = await this.fs.lstat(path, BIGINT);
    const isLink = (Number(stats.mode) & S_IF.MT) === S_IF.LNK;
    if (!isLink || Number(stats.size) > 0) return stats;
    // A library that does not tell the length of the target: memfs.
    const target = await this.fs.readlink?.(path) ?? "";
    return { ...stats, size: encodeName(target).length };
  }

  #nodeOf(directory: PathNode, name: string, stats: NodeStats): PathNode {
    const known = directory.children.get(name);
    if (known?.is(stats)) return known;
    const identity = identityOf(stats);
    const mayBeLinked = identity !== null && Number(stats.nlink ?? 1) > 1 &&
      (Number(stats.mode) & S_IF.MT) !== S_IF.DIR;
    const other = mayBeLinked ? this.#known.get(identity) : undefined;
    const node = other?.is(stats) ? other : new PathNode(stats);
    if (identity !== null) this.#known.set(identity, node);
    node.addName(directory, name);
    return node;
  }

  /** Runs a call with the path of a node. */
  async at<T>(node: PathNode, call: (path: string) => Promise<T>): Promise<T> {
    node.seen = null;
    return await this.lock.use(() => call(pathOf(node)));
  }

  /** Runs a call with the path of a name. */
  async in<T>(
    directory: PathNode,
    name: string,
    call: (path: string) => Promise<T>,
  ): Promise<T> {
    directory.seen = null;
    return await this.lock.use(() => call(pathIn(directory, name)));
  }
}
