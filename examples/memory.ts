// A file system in memory: deno run --allow-ffi examples/memory.ts DIRECTORY
import * as mqfuse from "@mqfuse/mqfuse/fs";
import { Errno, RENAME, S_IF, XATTR } from "@mqfuse/mqfuse/protocol";

type Caller = mqfuse.Caller;

/** A file, directory, link or device; its fields are its attributes, too. */
class Node {
  readonly entries = new Map<string, Node>();
  readonly xattrs = new Map<string, Uint8Array>();
  data = new Uint8Array();
  size = 0;
  mode = 0;
  uid = 0;
  gid = 0;
  rdev = 0;
  nlink = 0;
  mtime = 0n;
  ctime = 0n;
  atime = 0n;
}

/** The kernel checks permissions, and that a directory replaces only another. */
export class MemoryFs implements mqfuse.FileSystem<Node, void> {
  constructor(readonly now = mqfuse.systemTime) {}

  root = Object.assign(new Node(), { mode: S_IF.DIR | 0o1777, nlink: 2 });
  getattr = (node: Node) => node;
  lookup = (dir: Node, name: string) => dir.entries.get(name) ?? null;
  readdir = (dir: Node) => dir.entries;
  readlink = (node: Node) => mqfuse.decodeName(node.data);

  setattr(node: Node, changes: mqfuse.Changes) {
    const { size = node.size } = changes;
    if (size < node.size) node.data = node.data.slice(0, size);
    Object.assign(node, changes);
  }

  mknod(dir: Node, name: string, mode: number, rdev: number, caller: Caller) {
    const attr = mqfuse.newAttr(dir, mode, caller);
    return this.#add(dir, name, Object.assign(new Node(), attr, { rdev }));
  }

  symlink(dir: Node, name: string, target: string, caller: Caller): Node {
    const node = this.mknod(dir, name, S_IF.LNK | 0o777, 0, caller);
    this.write(node, mqfuse.encodeName(target), 0);
    return node;
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
    const data = node.data.subarray(offset, offset + count);
    into.set(data);
    // What lies between the data and the end of the file is a hole.
    into.fill(0, data.length, count);
    return count;
  }

  write(node: Node, bytes: Uint8Array, offset: number) {
    const end = offset + bytes.length;
    if (end > 2 ** 30) throw new Errno("EFBIG");
    if (end > node.data.length) {
      const room = Math.max(end, 2 * node.data.length);
      node.data = new Uint8Array(node.data.buffer.transfer(room));
    }
    node.data.set(bytes, offset);
    node.size = Math.max(node.size, end);
    node.mtime = node.ctime = this.now();
  }

  getxattr = (node: Node, name: string) => node.xattrs.get(name) ?? null;
  listxattr = (node: Node) => node.xattrs.keys();
  setxattr(node: Node, name: string, value: Uint8Array, flags: number) {
    const exists = node.xattrs.has(name);
    if (exists && flags & XATTR.CREATE) throw new Errno("EEXIST");
    if (!exists && flags & XATTR.REPLACE) throw new Errno("ENODATA");
    node.xattrs.set(name, value.slice());
  }
  removexattr(node: Node, name: string) {
    if (!node.xattrs.delete(name)) throw new Errno("ENODATA");
  }

  #add(dir: Node, name: string, node: Node): Node {
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
