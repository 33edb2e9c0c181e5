/**
 * The simplest model of a file system, made of plain objects. tree_fs must
 * agree with it. Paths have no leading slash; "" is the root.
 *
 * @module
 */
import { Refused } from "./_client.ts";

/** The operations of the model and of tree_fs; errors are thrown. */
export interface FileSystem {
  mkdir(path: string): void;
  mknod(path: string): void;
  symlink(path: string, target: string): void;
  link(from: string, to: string): void;
  unlink(path: string): void;
  rmdir(path: string): void;
  rename(from: string, to: string, flags: number): void;
  write(path: string, offset: number, text: string): void;
  zero(path: string, offset: number, length: number): void;
  truncate(path: string, size: number): void;
  setxattr(path: string, name: string, value: string, flags: number): void;
  removexattr(path: string, name: string): void;
  /** All inodes: a line for each path. */
  dump(): string[];
}

/** An inode. */
interface Node {
  readonly kind: "directory" | "file" | "link";
  readonly entries: Map<string, Node>;
  readonly xattrs: Map<string, string>;
  /** Bytes of a file, one character each; the target of a link. */
  text: string;
}

function refuse(name: string): never {
  throw new Refused(name);
}

function node(kind: Node["kind"], text = ""): Node {
  return { kind, text, entries: new Map(), xattrs: new Map() };
}

/** Splits a path into its directory and its last name. */
export function split(path: string): [parent: string, name: string] {
  const at = path.lastIndexOf("/");
  return [path.slice(0, Math.max(0, at)), path.slice(at + 1)];
}

/** Whether a directory is another node, or contains it. */
function isAbove(above: Node, below: Node): boolean {
  return above === below ||
    [...above.entries.values()].some((entry) => isAbove(entry, below));
}

/** The model. */
export class TreeModel implements FileSystem {
  readonly #root = node("directory");

  /** The number of inodes. */
  get count(): number {
    return new Set(this.#all().map(([, found]) => found)).size;
  }

  mkdir(path: string): void {
    this.#add(path, node("directory"));
  }

  mknod(path: string): void {
    this.#add(path, node("file"));
  }

  symlink(path: string, target: string): void {
    this.#add(path, node("link", target));
  }

  link(from: string, to: string): void {
    const found = this.#find(from);
    this.#directory(split(to)[0]);
    if (found.kind === "directory") refuse("EPERM");
    this.#add(to, found);
  }

  unlink(path: string): void {
    const [entries, name] = this.#place(path);
    const found = entries.get(name) ?? refuse("ENOENT");
    if (found.kind === "directory") refuse("EISDIR");
    entries.delete(name);
  }

  rmdir(path: string): void {
    const [entries, name] = this.#place(path);
    const found = entries.get(name) ?? refuse("ENOENT");
    if (found.kind !== "directory") refuse("ENOTDIR");
    if (found.entries.size > 0) refuse("ENOTEMPTY");
    entries.delete(name);
  }

  rename(from: string, to: string, flags: number): void {
    const [source, oldName] = this.#place(from);
    const [target, newName] = this.#place(to);
    const moved = source.get(oldName) ?? refuse("ENOENT");
    const there = target.get(newName);
    if (flags === 1 && there) refuse("EEXIST");
    if (isAbove(moved, this.#directory(split(to)[0]))) refuse("EINVAL");
    if (flags === 2) {
      if (!there) refuse("ENOENT");
      if (isAbove(there, this.#directory(split(from)[0]))) refuse("EINVAL");
      target.set(newName, moved);
      source.set(oldName, there);
      return;
    }
    if (moved === there) return;
    if (there?.kind === "directory") {
      if (moved.kind !== "directory") refuse("EISDIR");
      if (there.entries.size > 0) refuse("ENOTEMPTY");
    } else if (there && moved.kind === "directory") {
      refuse("ENOTDIR");
    }
    target.set(newName, moved);
    source.delete(oldName);
  }

  write(path: string, offset: number, text: string): void {
    const file = this.#file(path);
    const before = file.text.slice(0, offset).padEnd(offset, "\0");
    file.text = before + text + file.text.slice(offset + text.length);
  }

  zero(path: string, offset: number, length: number): void {
    const file = this.#file(path);
    const some = Math.max(0, Math.min(length, file.text.length - offset));
    if (some > 0) this.write(path, offset, "\0".repeat(some));
  }

  truncate(path: string, size: number): void {
    const file = this.#file(path);
    file.text = file.text.slice(0, size).padEnd(size, "\0");
  }

  setxattr(path: string, name: string, value: string, flags: number): void {
    const { xattrs } = this.#find(path);
    if (flags === 1 && xattrs.has(name)) refuse("EEXIST");
    if (flags === 2 && !xattrs.has(name)) refuse("ENODATA");
    xattrs.set(name, value);
  }

  removexattr(path: string, name: string): void {
    if (!this.#find(path).xattrs.delete(name)) refuse("ENODATA");
  }

  dump(): string[] {
    const all = this.#all();
    return all.map(([path, found]) => {
      const links = found.kind === "directory"
        ? 2 + [...found.entries.values()]
          .filter(({ kind }) => kind === "directory").length
        : all.filter(([, other]) => other === found).length;
      return describe(path, found.kind, links, found.text, found.xattrs);
    }).sort();
  }

  #all(from = this.#root, path = ""): [string, Node][] {
    const below = [...from.entries].flatMap(([name, entry]) =>
      this.#all(entry, `${path}/${name}`)
    );
    return [[path, from], ...below];
  }

  #find(path: string): Node {
    let found = this.#root;
    for (const name of path.split("/").filter(Boolean)) {
      if (found.kind !== "directory") refuse("ENOTDIR");
      found = found.entries.get(name) ?? refuse("ENOENT");
    }
    return found;
  }

  #directory(path: string): Node {
    const found = this.#find(path);
    return found.kind === "directory" ? found : refuse("ENOTDIR");
  }

  #file(path: string): Node {
    const found = this.#find(path);
    if (found.kind === "directory") refuse("EISDIR");
    return found.kind === "file" ? found : refuse("EINVAL");
  }

  #place(path: string): [entries: Map<string, Node>, name: string] {
    const [parent, name] = split(path);
    return [this.#directory(parent).entries, name];
  }

  #add(path: string, added: Node): void {
    const [entries, name] = this.#place(path);
    if (entries.has(name)) refuse("EEXIST");
    entries.set(name, added);
  }
}

/** One line of a dump. */
export function describe(
  path: string,
  kind: Node["kind"],
  links: number,
  text: string,
  xattrs: Iterable<readonly [string, string]>,
): string {
  const pairs = [...xattrs].map(([name, value]) => `${name}=${value}`).sort();
  const content = JSON.stringify(text.replaceAll("\0", "."));
  return `${path}/ ${kind} ${links} ${content} ${pairs.join(" ")}`;
}
