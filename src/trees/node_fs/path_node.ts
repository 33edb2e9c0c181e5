import { Errno } from "../../base/errno.ts";
import { S_IF } from "../../base/file_flags.ts";
import type { Caller } from "../../filesystem/file_system.ts";
import { isInMemory } from "./inode_numbers.ts";
import { identityOf } from "./node_attr.ts";
import type { NodeFileHandle, NodeStats } from "./node_fs.ts";
import { WeakValues } from "../weak_values.ts";

/** A name in a directory. */
interface Name {
  readonly directory: PathNode;
  readonly name: string;
}

/** The attributes that a request has already read. */
interface Seen {
  readonly caller: Caller;
  readonly stats: NodeStats;
}

/**
 * A file of an object like `node:fs`, which is reached by its path. The same
 * object stands for it as long as anything uses it: it moves with the file, and
 * outlives its names while it is open.
 */
export class PathNode {
  /** Its names that are known: several of one with hard links. */
  readonly names: Name[] = [];
  /** What is known of a directory: all of one that is in memory anyway. */
  readonly children: WeakValues<string, PathNode> | Map<string, PathNode>;
  /** Its open files, by which it is reached if it has no name. */
  readonly handles: Set<NodeFileHandle> = new Set();
  /** What created it, to be used by the first open(2). */
  created: NodeFileHandle | null = null;
  /** Attributes that the request which has read them is to use. */
  seen: Seen | null = null;
  /** What tells it from other files; see `identityOf()`. */
  readonly identity: string | null;
  /** Its type, as in `S_IF`. */
  readonly type: number;
  readonly #root: string | null;

  /**
   * Makes a node.
   *
   * @param stats Its attributes.
   * @param root The path of the root, if it is that.
   */
  constructor(
    stats: Pick<NodeStats, "mode" | "dev" | "ino">,
    root: string | null = null,
  ) {
    this.type = Number(stats.mode) & S_IF.MT;
    this.identity = identityOf(stats as NodeStats);
    this.#root = root;
    this.children = isInMemory(stats) ? new Map() : new WeakValues();
  }

  /** Its path; `null` if it has no name any longer. */
  get path(): string | null {
    if (this.#root !== null) return this.#root;
    for (const { directory, name } of this.names) {
      const path = directory.path;
      if (path !== null) return `${path === "/" ? "" : path}/${name}`;
    }
    return null;
  }

  /** Whether it may be the file that has these attributes. */
  is(stats: NodeStats): boolean {
    return (Number(stats.mode) & S_IF.MT) === this.type &&
      identityOf(stats) === this.identity;
  }

  /** Adds a name, which any other node with it loses. */
  addName(directory: PathNode, name: string): void {
    const before = directory.children.get(name);
    if (before === this) return;
    before?.removeName(directory, name);
    directory.children.set(name, this);
    this.names.push({ directory, name });
  }

  /** Removes a name. */
  removeName(directory: PathNode, name: string): void {
    const at = this.names.findIndex((known) =>
      known.directory === directory && known.name === name
    );
    if (at >= 0) this.names.splice(at, 1);
    if (directory.children.get(name) === this) directory.children.delete(name);
  }
}

/**
 * The path of a node.
 *
 * @throws {Errno} ESTALE if it has none.
 */
export function pathOf(node: PathNode): string {
  const { path } = node;
  if (path === null) throw new Errno("ESTALE");
  return path;
}

/**
 * The path of a name in a directory.
 *
 * @throws {Errno} ESTALE if the directory has no path; EILSEQ if the name is not
 * UTF-8, which `node:fs` would change.
 */
export function pathIn(directory: PathNode, name: string): string {
  if (!name.isWellFormed()) throw new Errno("EILSEQ");
  const path = pathOf(directory);
  return `${path === "/" ? "" : path}/${name}`;
}
