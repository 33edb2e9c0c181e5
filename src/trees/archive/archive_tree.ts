import { S_IF } from "../../base/file_flags.ts";
import { NAME_MAX } from "../../base/limits.ts";
import { encodeName } from "../../base/name_bytes.ts";
import { UserError } from "../../base/user_error.ts";
import type { Attr, Time } from "../../filesystem/attr.ts";
import type { Content, StaticNode } from "../static_node.ts";

/** A node while its archive is being read. */
interface ArchiveNode extends StaticNode {
  attr: Attr;
  readonly entries: Map<string, ArchiveNode> | null;
}

/** Who owns what an archive names no owner of. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The tree that the paths of an archive make. As when an archive is unpacked:
 * the last of several entries with one path counts, directories that have no
 * entry exist, and a path cannot lead out of the tree.
 */
export class ArchiveTree {
  readonly #root: ArchiveNode;
  readonly #owner: Owner;

  /**
   * Makes a tree with an empty root.
   *
   * @param owner That of directories without an entry.
   */
  constructor(owner: Owner) {
    this.#owner = owner;
    this.#root = this.#directory(0n);
  }

  /**
   * Adds a directory, or gives one that is there its attributes.
   *
   * @throws {UserError} If the path cannot be shown.
   */
  addDirectory(path: string, attr: Attr): void {
    this.#directoryAt(partsOf(path), attr.mtime).attr = attr;
  }

  /**
   * Adds anything but a directory.
   *
   * @throws {UserError} If the path cannot be shown.
   */
  add(path: string, attr: Attr, content: Content | null): void {
    this.#put(path, { attr, entries: null, content });
  }

  /**
   * Adds a hard link.
   *
   * @returns Whether there is a file for it to name.
   */
  addLink(path: string, target: string): boolean {
    const node = this.#find(target);
    if (node === null || node.entries !== null) return false;
    this.#put(path, node);
    return true;
  }

  /** The root, once all entries have been added: the names are counted. */
  finish(): StaticNode {
    const names = new Map<ArchiveNode, number>();
    const count = ({ entries }: ArchiveNode): number => {
      let directories = 0;
      for (const node of entries!.values()) {
        if (node.entries === null) {
          names.set(node, (names.get(node) ?? 0) + 1);
          continue;
        }
        directories++;
        // It has its own ".", and ".." in each directory below.
        names.set(node, 2 + count(node));
      }
      return directories;
    };
    names.set(this.#root, 2 + count(this.#root));
    for (const [node, nlink] of names) node.attr = { ...node.attr, nlink };
    return this.#root;
  }

  #find(path: string): ArchiveNode | null {
    let node: ArchiveNode | undefined = this.#root;
    for (const part of partsOf(path)) node = node?.entries?.get(part);
    return node ?? null;
  }

  #put(path: string, node: ArchiveNode): void {
    const parts = partsOf(path);
    const name = parts.pop();
    if (name === undefined) {
      throw new UserError(
        `Cannot show ${JSON.stringify(path)} of the archive: it names no file`,
      );
    }
    this.#directoryAt(parts, node.attr.mtime).entries!.set(name, node);
  }

  /** The directory of a path, made with the time of what is put into it. */
  #directoryAt(parts: readonly string[], mtime: Time = 0n): ArchiveNode {
    let node = this.#root;
    for (const part of parts) {
      let next = node.entries!.get(part);
      if (next === undefined || next.entries === null) {
        next = this.#directory(mtime);
        node.entries!.set(part, next);
      }
      node = next;
    }
    return node;
  }

  #directory(mtime: Time): ArchiveNode {
    const attr = { mode: S_IF.DIR | 0o755, mtime, ...this.#owner };
    return { attr, entries: new Map(), content: null };
  }
}

/**
 * The names that a path is made of. What leads up is left out, as tar(1) and
 * unzip(1) do it.
 *
 * @throws {UserError} If Linux does not allow one of them.
 */
function partsOf(path: string): string[] {
  const parts = path.split("/").filter((part) => !/^\.{0,2}$/.test(part));
  for (const part of parts) {
    if (!part.includes("\0") && encodeName(part).length <= NAME_MAX) continue;
    throw new UserError(
      `Cannot show ${JSON.stringify(path)} of the archive: ` +
        `a name has a NUL or more than ${NAME_MAX} bytes`,
    );
  }
  return parts;
}
