// A file system in memory: deno run --allow-ffi examples/memory.ts DIRECTORY
import * as mqfuse from "@mqfuse/mqfuse/fs";
import { Errno, RENAME, S_IF } from "@mqfuse/mqfuse/protocol";

type Caller = mqfuse.Caller;
const PAGE = 4096;
const HOLE = new Uint8Array(PAGE);

/** A file, directory, link or device; its fields are its attributes, too. */
class Node extends mqfuse.NodeAttr {
  readonly entries = new Map<string, Node>();
  readonly xattrs = new Map<string, Uint8Array>();
  readonly pages = new Map<number, Uint8Array>();
  target = "";
  size = 0;
  nlink = 0;
  rdev = 0;
}

/** The kernel checks permissions, and that a directory replaces only another. */
export class MemoryFs implements mqfuse.FileSystem<Node, void> {
  constructor(readonly now = mqfuse.systemTime) {}

  readonly root = Object.assign(new Node(S_IF.DIR | 0o1777), { nlink: 2 });
  getattr = (node: Node) => node;
  lookup = (dir: Node, name: string) => dir.entries.get(name) ?? null;
  readdir = (dir: Node) => dir.entries;
  readlink = (node: Node) => node.target;

  setattr(node: Node, changes: mqfuse.Changes) {
    const { size = node.size } = changes;
    for (const [i, page] of size < node.size ? node.pages : []) {
      if (i * PAGE >= size) node.pages.delete(i);
      else page.fill(0, size - i * PAGE);
    }
    Object.assign(node, changes);
  }

  mknod(dir: Node, name: string, mode: number, rdev: number, caller: Caller) {
    const node = Object.assign(new Node(mode, dir, caller), { rdev });
    return this.#add(dir, name, node);
  }

  symlink(dir: Node, name: string, target: string, caller: Caller): Node {
    const node = this.mknod(dir, name, S_IF.LNK | 0o777, 0, caller);
    const size = mqfuse.encodeName(target).length;
    return Object.assign(node, { target, size });
  }

  link = (node: Node, to: Node, name: string) => void this.#add(to, name, node);

  unlink(dir: Node, name: string) {
    if (dir.entries.get(name)?.entries.size) throw new Errno("ENOTEMPTY");
    this.#remove(dir, name);
  }
  rmdir = this.unlink;

  rename(dir: Node, name: string, to: Node, newName: string, flags: number) {
    if (flags & RENAME.WHITEOUT) throw new Errno("EINVAL");
    const there = flags & RENAME.EXCHANGE ? this.#remove(to, newName) : null;
    if (to.entries.has(newName)) this.unlink(to, newName);
    this.#add(to, newName, this.#remove(dir, name));
    if (there !== null) this.#add(dir, name, there);
  }

  read(node: Node, into: Uint8Array, offset: number): number {
    const count = Math.max(0, Math.min(into.length, node.size - offset));
    for (let done = 0; done < count;) {
      const start = (offset + done) % PAGE;
      const page = node.pages.get((offset + done - start) / PAGE) ?? HOLE;
      const part = page.subarray(start, start + count - done);
      into.set(part, done);
      done += part.length;
    }
    return count;
  }

  write(node: Node, bytes: Uint8Array, offset: number) {
    for (let done = 0; done < bytes.length;) {
      const start = (offset + done) % PAGE;
      const index = (offset + done - start) / PAGE;
      const page = node.pages.get(index) ?? new Uint8Array(PAGE);
      node.pages.set(index, page);
      page.set(bytes.subarray(done, done + PAGE - start), start);
      done += PAGE - start;
    }
    node.size = Math.max(node.size, offset + bytes.length);
    node.mtime = node.ctime = this.now();
  }

  getxattr = (node: Node, name: string) => node.xattrs.get(name) ?? null;
  listxattr = (node: Node) => node.xattrs.keys();
  setxattr = (node: Node, name: string, value: Uint8Array) =>
    void node.xattrs.set(name, value);
  removexattr(node: Node, name: string) {
    if (!node.xattrs.delete(name)) throw new Errno("ENODATA");
  }

  #add(dir: Node, name: string, node: Node): Node {
    if (dir.entries.has(name)) throw new Errno("EEXIST");
    dir.entries.set(name, node);
    this.#count(dir, node, 1);
    return node;
  }

  #remove(dir: Node, name: string): Node {
    const node = dir.entries.get(name);
    if (node === undefined) throw new Errno("ENOENT");
    dir.entries.delete(name);
    this.#count(dir, node, -1);
    return node;
  }

  /** Counts names; a directory has "." in itself and ".." of those in it. */
  #count(dir: Node, node: Node, names: number) {
    const isDirectory = (node.mode & S_IF.MT) === S_IF.DIR;
    node.nlink += isDirectory ? 2 * names : names;
    if (isDirectory) dir.nlink += names;
    dir.mtime = dir.ctime = node.ctime = this.now();
  }
}

if (import.meta.main) {
  const fs = new MemoryFs(mqfuse.fileTime);
  const options = { name: "memory", signals: true };
  await mqfuse.mountFileSystem(fs, Deno.args[0]!, options);
  // deno-lint-ignore no-console
  console.log("Serving a file system in memory; press Ctrl-C to stop");
}
