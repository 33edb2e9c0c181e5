/**
 * A model of a mounted file system, made of plain objects: it resolves paths,
 * follows links and fails with the errors of system calls as Linux does. A
 * mounted examples/memory.ts must agree with it. Paths have no leading slash; "" is the
 * root.
 *
 * @module
 */
import { Refused } from "./_client.ts";

/** The fields of stat(2) that can be compared. */
export interface PathStat {
  readonly kind: "directory" | "file" | "link";
  readonly links: number;
  /** Size of files and links. */
  readonly size: number | null;
}

type Later<T> = T | Promise<T>;

/** The operations of the model and of the mount; errors are thrown. */
export interface PathFs {
  mkdir(path: string): Later<void>;
  symlink(target: string, path: string): Later<void>;
  readlink(path: string): Later<string>;
  link(from: string, to: string): Later<void>;
  unlink(path: string): Later<void>;
  rmdir(path: string): Later<void>;
  rename(from: string, to: string, flags: number): Later<void>;
  /** Opens a file, creates it if necessary, and writes. */
  write(path: string, offset: number, text: string): Later<void>;
  read(path: string): Later<string>;
  truncate(path: string, size: number): Later<void>;
  lstat(path: string): Later<PathStat>;
  stat(path: string): Later<PathStat>;
  list(path: string): Later<string[]>;
  setxattr(
    path: string,
    name: string,
    value: string,
    flags: number,
  ): Later<void>;
  removexattr(path: string, name: string): Later<void>;
  xattrs(path: string): Later<string[]>;
}

/** An inode. */
interface Node {
  readonly kind: PathStat["kind"];
  readonly entries: Map<string, Node>;
  readonly xattrs: Map<string, string>;
  parent: Node | null;
  links: number;
  text: string;
}

/** The end of a path; the inode may not exist. */
interface PathEnd {
  readonly parent: Node;
  readonly name: string;
  readonly node: Node | undefined;
}

const LINKS_MAX = 40;

/** Splits a path into its directory and its last name. */
function split(path: string): [parent: string, name: string] {
  const at = path.lastIndexOf("/");
  return [path.slice(0, Math.max(0, at)), path.slice(at + 1)];
}

function refuse(name: string): never {
  throw new Refused(name);
}

function makeNode(kind: Node["kind"], text = ""): Node {
  return {
    kind,
    text,
    entries: new Map(),
    xattrs: new Map(),
    parent: null,
    links: 0,
  };
}

/** The model. */
export class PathModel implements PathFs {
  readonly #root = makeNode("directory");

  /** The number of inodes. */
  get count(): number {
    const all = new Set<Node>();
    const add = (node: Node) => {
      all.add(node);
      for (const entry of node.entries.values()) add(entry);
    };
    add(this.#root);
    return all.size;
  }

  mkdir(path: string): void {
    this.#add(this.#resolve(path, false), makeNode("directory"));
  }

  symlink(target: string, path: string): void {
    this.#add(this.#resolve(path, false), makeNode("link", target));
  }

  readlink(path: string): string {
    const { kind, text } = this.#found(path, false);
    return kind === "link" ? text : refuse("EINVAL");
  }

  link(from: string, to: string): void {
    const node = this.#found(from, false);
    const end = this.#resolve(to, false);
    if (end.node !== undefined) refuse("EEXIST");
    if (node.kind === "directory") refuse("EPERM");
    this.#add(end, node);
  }

  unlink(path: string): void {
    const end = this.#resolve(path, false);
    if (end.node === undefined) refuse("ENOENT");
    if (end.node.kind === "directory") refuse("EISDIR");
    this.#remove(end);
  }

  rmdir(path: string): void {
    const end = this.#resolve(path, false);
    if (end.node === undefined) refuse("ENOENT");
    if (end.node.kind !== "directory") refuse("ENOTDIR");
    if (end.node.entries.size > 0) refuse("ENOTEMPTY");
    this.#remove(end);
  }

  rename(from: string, to: string, flags: number): void {
    const source = this.#resolve(from, false);
    const target = this.#resolve(to, false);
    const moved = source.node ?? refuse("ENOENT");
    const there = target.node;
    if (flags === 1 && there) refuse("EEXIST");
    if (flags === 2 && !there) refuse("ENOENT");
    if (isAbove(moved, target.parent)) refuse("EINVAL");
    if (there && isAbove(there, source.parent)) {
      refuse(flags === 2 ? "EINVAL" : "ENOTEMPTY");
    }
    if (moved === there) return;
    if (there && flags !== 2) {
      const isDirectory = there.kind === "directory";
      if (moved.kind === "directory" && !isDirectory) refuse("ENOTDIR");
      if (moved.kind !== "directory" && isDirectory) refuse("EISDIR");
      if (there.entries.size > 0) refuse("ENOTEMPTY");
    }
    if (there) this.#remove(target);
    this.#remove(source);
    this.#add({ ...target, node: undefined }, moved);
    if (flags === 2) this.#add({ ...source, node: undefined }, there!);
  }

  write(path: string, offset: number, text: string): void {
    const end = this.#resolve(path, true);
    const file = end.node ?? makeNode("file");
    if (file.kind === "directory") refuse("EISDIR");
    if (end.node === undefined) this.#add(end, file);
    const before = file.text.slice(0, offset).padEnd(offset, "\0");
    file.text = before + text + file.text.slice(offset + text.length);
  }

  read(path: string): string {
    const { kind, text } = this.#found(path, true);
    return kind === "file" ? text : refuse("EISDIR");
  }

  truncate(path: string, size: number): void {
    const file = this.#found(path, true);
    if (file.kind !== "file") refuse("EISDIR");
    file.text = file.text.slice(0, size).padEnd(size, "\0");
  }

  lstat(path: string): PathStat {
    return statOf(this.#found(path, false));
  }

  stat(path: string): PathStat {
    return statOf(this.#found(path, true));
  }

  list(path: string): string[] {
    const { kind, entries } = this.#found(path, true);
    return kind === "directory"
      ? [...entries.keys()].sort()
      : refuse("ENOTDIR");
  }

  setxattr(path: string, name: string, value: string, flags: number): void {
    const { xattrs } = this.#found(path, true);
    if (flags === 1 && xattrs.has(name)) refuse("EEXIST");
    if (flags === 2 && !xattrs.has(name)) refuse("ENODATA");
    xattrs.set(name, value);
  }

  removexattr(path: string, name: string): void {
    if (!this.#found(path, true).xattrs.delete(name)) refuse("ENODATA");
  }

  xattrs(path: string): string[] {
    const { xattrs } = this.#found(path, true);
    return [...xattrs].map(([name, value]) => `${name}=${value}`).sort();
  }

  #found(path: string, follow: boolean): Node {
    return this.#resolve(path, follow).node ?? refuse("ENOENT");
  }

  #resolve(path: string, follow: boolean): PathEnd {
    return walk(this.#root, path, follow, { left: LINKS_MAX });
  }

  #add({ parent, name, node }: PathEnd, added: Node): void {
    if (node !== undefined) refuse("EEXIST");
    parent.entries.set(name, added);
    added.parent = parent;
    added.links++;
  }

  #remove({ parent, name, node }: PathEnd): void {
    parent.entries.delete(name);
    node!.links--;
  }
}

function walk(
  from: Node,
  path: string,
  follow: boolean,
  links: { left: number },
): PathEnd {
  let end: PathEnd = { parent: from, name: "", node: from };
  const names = path.split("/").filter(Boolean);
  for (const [i, name] of names.entries()) {
    const parent = end.node ?? refuse("ENOENT");
    if (parent.kind !== "directory") refuse("ENOTDIR");
    const node = name === ".." ? parent.parent! : parent.entries.get(name);
    end = { parent, name, node };
    const goesOn = follow || i < names.length - 1;
    if (node?.kind === "link" && goesOn) {
      if (links.left-- === 0) refuse("ELOOP");
      end = walk(parent, node.text, true, links);
    }
  }
  return end;
}

function statOf(node: Node): PathStat {
  const { kind, links, text, entries } = node;
  if (kind !== "directory") return { kind, links, size: text.length };
  const below = [...entries.values()]
    .filter((entry) => entry.kind === "directory");
  return { kind, links: 2 + below.length, size: null };
}

/** Whether a directory is another one, or contains it. */
function isAbove(above: Node, below: Node): boolean {
  for (let at: Node | null = below; at !== null; at = at.parent) {
    if (at === above) return true;
  }
  return false;
}

/** Everything below a directory: a line for each path. */
export async function dump(fs: PathFs, path: string): Promise<string[]> {
  const { kind, links, size } = await fs.lstat(path);
  const [, name] = split(path);
  const line = [path, name, kind, links, size];
  if (kind === "link") return [[...line, await fs.readlink(path)].join(" ")];
  line.push(...await fs.xattrs(path));
  if (kind === "file") {
    const text = (await fs.read(path)).replaceAll("\0", ".");
    return [[...line, text].join(" ")];
  }
  const lines = [line.join(" ")];
  for (const entry of await fs.list(path)) {
    lines.push(...await dump(fs, `${path}/${entry}`));
  }
  return lines;
}
