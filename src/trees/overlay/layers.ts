import { Errno } from "../../base/errno.ts";
import { S_IF } from "../../base/file_flags.ts";
import type { Caller, FileSystem } from "../../filesystem/file_system.ts";
import { copyUp } from "./copy_up.ts";
import { OverlayNode } from "./overlay_node.ts";
import { isMark, Whiteouts } from "./whiteouts.ts";

/** The two file systems of an overlay, and the nodes that they make together. */
export class Layers {
  readonly lower: FileSystem<object>;
  readonly upper: FileSystem<object>;
  readonly whiteouts: Whiteouts;
  readonly root: OverlayNode;
  readonly #byUpper = new WeakMap<object, OverlayNode>();
  /** Keeps nodes, and so inode numbers, as long as the lower ones are kept. */
  readonly #ofLower = new WeakMap<object, OverlayNode[]>();

  /** Makes the root, a directory of both. */
  constructor(lower: FileSystem<object>, upper: FileSystem<object>) {
    this.lower = lower;
    this.upper = upper;
    this.whiteouts = new Whiteouts(upper);
    this.root = new OverlayNode(upper.root, lower.root, true, null, "");
  }

  /** The node of a name; `null` if there is none. */
  async find(
    directory: OverlayNode,
    name: string,
    caller: Caller,
  ): Promise<OverlayNode | null> {
    if (isMark(name)) return null;
    const upper = await this.findUpper(directory, name, caller);
    if (upper === null) {
      const lower = await this.findLower(directory, name, caller);
      if (lower === null) return null;
      const isDirectory = await isDirectoryOf(this.lower, lower, caller);
      return this.#lowerNode(lower, isDirectory, directory, name);
    }
    const known = this.#byUpper.get(upper);
    if (known !== undefined) return moved(known, directory, name);
    const isDirectory = await isDirectoryOf(this.upper, upper, caller);
    const lower = isDirectory
      ? await this.#lowerDirectory(directory, name, upper, caller)
      : null;
    // Another request may have found it meanwhile.
    const other = this.#byUpper.get(upper);
    if (other !== undefined) return moved(other, directory, name);
    return this.addUpper(upper, lower, isDirectory, directory, name);
  }

  /** The upper node of a name; `null` if there is none. */
  async findUpper(
    { upper }: OverlayNode,
    name: string,
    caller: Caller,
  ): Promise<object | null> {
    if (upper === null) return null;
    return await this.upper.lookup?.(upper, name, caller) ?? null;
  }

  /** The lower node of a name, unless it is removed; `null` if there is none. */
  async findLower(
    { lower, upper }: OverlayNode,
    name: string,
    caller: Caller,
  ): Promise<object | null> {
    if (lower === null) return null;
    const found = await this.lower.lookup?.(lower, name, caller) ?? null;
    if (found === null || upper === null) return found;
    return await this.whiteouts.has(upper, name, caller) ? null : found;
  }

  /** The lower directory that an upper one shows, too. */
  async #lowerDirectory(
    directory: OverlayNode,
    name: string,
    upper: object,
    caller: Caller,
  ): Promise<object | null> {
    const lower = await this.findLower(directory, name, caller);
    if (lower === null) return null;
    if (!await isDirectoryOf(this.lower, lower, caller)) return null;
    return await this.whiteouts.isOpaque(upper, caller) ? null : lower;
  }

  /** One for each name, so that it is clear where a copy goes. */
  #lowerNode(
    lower: object,
    isDirectory: boolean,
    directory: OverlayNode,
    name: string,
  ): OverlayNode {
    const known = directory.children.get(name);
    if (known?.lower === lower && known.upper === null) return known;
    const node = new OverlayNode(null, lower, isDirectory, directory, name);
    directory.children.set(name, node);
    this.#ofLower.set(lower, [...this.#ofLower.get(lower) ?? [], node]);
    return node;
  }

  /** Makes the node of an upper one. */
  addUpper(
    upper: object,
    lower: object | null,
    isDirectory: boolean,
    directory: OverlayNode,
    name: string,
  ): OverlayNode {
    const node = new OverlayNode(upper, lower, isDirectory, directory, name);
    this.#byUpper.set(upper, node);
    return node;
  }

  /**
   * The upper node, which is made if there is none.
   *
   * @param size How much of the data of a file is needed.
   * @throws {Errno} ESTALE if the node has no name to be copied to.
   */
  async raise(
    node: OverlayNode,
    caller: Caller,
    size: number = Infinity,
  ): Promise<object> {
    if (node.upper === null) {
      node.copy ??= this.#copy(node, caller, size).finally(() => {
        node.copy = null;
      });
      await node.copy;
    }
    return node.upper!;
  }

  async #copy(
    node: OverlayNode,
    caller: Caller,
    size: number,
  ): Promise<void> {
    if (node.directory === null) throw new Errno("ESTALE");
    const directory = await this.raise(node.directory, caller);
    const original = { lower: this.lower, node: node.lower!, size };
    const { upper } = this;
    const { name } = node;
    node.upper = await copyUp(original, upper, directory, name, caller);
    this.#byUpper.set(node.upper, node);
  }
}

function moved(
  node: OverlayNode,
  directory: OverlayNode,
  name: string,
): OverlayNode {
  node.directory = directory;
  node.name = name;
  return node;
}

async function isDirectoryOf(
  fs: FileSystem<object>,
  node: object,
  caller: Caller,
): Promise<boolean> {
  const { mode } = await fs.getattr(node, caller);
  return (mode & S_IF.MT) === S_IF.DIR;
}
