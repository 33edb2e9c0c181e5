import { Errno } from "../base/errno.ts";
import { decodeName } from "../base/name_bytes.ts";
import { andThen } from "../filesystem/answer.ts";
import type { Attr, StatFs } from "../filesystem/attr.ts";
import type { Caller, FileSystem, May } from "../filesystem/file_system.ts";
import type { StaticNode } from "./static_node.ts";

/** A tree that does not change, as a file system. */
export class StaticFileSystem implements FileSystem<StaticNode, void> {
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

  getattr(node: StaticNode): Attr {
    return node.attr;
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

  read(
    { content }: StaticNode,
    into: Uint8Array,
    offset: number,
    caller: Caller,
  ): May<number> {
    if (content === null) throw new Errno("EINVAL");
    return content.read(into, offset, caller);
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
