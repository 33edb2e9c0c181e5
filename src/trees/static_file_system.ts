import { Errno } from "../base/errno.ts";
import { decodeName } from "../base/name_bytes.ts";
import { andThen } from "../filesystem/answer.ts";
import type { Attr, StatFs } from "../filesystem/attr.ts";
import type { Caller, FileSystem, May } from "../filesystem/file_system.ts";
import type { FileCache } from "../filesystem/options.ts";
import type { OpenContent, StaticNode } from "./static_node.ts";

/** A tree that does not change, as a file system. */
export class StaticFileSystem implements FileSystem<StaticNode, OpenContent> {
  readonly root: StaticNode;
  readonly #space: StatFs;

  /**
   * Makes one.
   *
   * @param root The root of the tree, which is complete.
   */
  constructor(root: StaticNode) {
    this.root = root;
    this.#space = spaceOf(root);
  }

  getattr(node: StaticNode, caller: Caller, opened?: OpenContent): May<Attr> {
    const { attr, content } = node;
    if (typeof content !== "function") return attr;
    // Programs such as tar(1) read as much as stat(2) has told.
    return andThen(opened ?? content(caller), ({ size }) => {
      return { ...attr, size, mtime: caller.time };
    });
  }

  lookup({ entries }: StaticNode, name: string): StaticNode | null {
    return entries?.get(name) ?? null;
  }

  readdir({ entries }: StaticNode): Iterable<readonly [string, StaticNode]> {
    return entries ?? [];
  }

  readlink(node: StaticNode, caller: Caller): May<string> {
    const target = new Uint8Array(Number(node.attr.size));
    return andThen(
      this.read(node, target, 0, caller),
      (length) => decodeName(target.subarray(0, length)),
    );
  }

  /** What is made for each open(2) is not limited by an earlier size. */
  cache({ content }: StaticNode): FileCache {
    return typeof content === "function" ? "none" : "keep";
  }

  open(
    { content }: StaticNode,
    _flags: number,
    caller: Caller,
  ): May<OpenContent | void> {
    if (typeof content === "function") return content(caller);
  }

  read(
    { content }: StaticNode,
    into: Uint8Array,
    offset: number,
    caller: Caller,
    opened?: OpenContent,
  ): May<number> {
    const from = typeof content === "function" ? opened : content;
    if (!from) throw new Errno("EINVAL");
    return from.read(into, offset, caller);
  }

  statfs(): StatFs {
    return this.#space;
  }
}

/** Space that is full. */
function spaceOf(root: StaticNode): StatFs {
  const bsize = 4096;
  let [blocks, files] = [0, 0];
  const seen = new Set<StaticNode>();
  const visit = (node: StaticNode) => {
    if (seen.has(node)) return;
    seen.add(node);
    files++;
    blocks += Math.ceil(Number(node.attr.size ?? 0) / bsize);
    for (const child of node.entries?.values() ?? []) visit(child);
  };
  visit(root);
  return { bsize, blocks, files };
}
