// A file system in memory: deno run --allow-ffi examples/memory.ts DIRECTORY
import {
  type Caller,
  type Changes,
  type FileSystem,
  mountFileSystem,
} from "@mqfuse/mqfuse/fs";
import {
  Errno,
  RENAME,
  S_IF,
  S_IS,
  systemTime,
  XATTR,
} from "@mqfuse/mqfuse/protocol";

const FILE_MAX = 2 ** 30;

/** A file, directory, link or device. Its fields are its attributes, too. */
class Node {
  readonly entries: Map<string, Node> | null;
  readonly xattrs = new Map<string, Uint8Array>();
  data = new Uint8Array();
  target = "";
  size = 0;
  nlink = 0;
  mtime = systemTime();
  ctime = this.mtime;
  atime = this.mtime;

  constructor(
    readonly mode: number,
    readonly uid: number,
    readonly gid: number,
    readonly rdev = 0,
  ) {
    const isDirectory = (mode & S_IF.MT) === S_IF.DIR;
    this.entries = isDirectory ? new Map() : null;
    // Its own "." counts.
    if (isDirectory) this.nlink = 1;
  }

  names(): Map<string, Node> {
    if (this.entries === null) throw new Errno("ENOTDIR");
    return this.entries;
  }

  resize(size: number): void {
    if (size < this.size) this.data.fill(0, size);
    this.size = size;
  }
}

/** A writable file system in memory. Permissions are checked by the kernel. */
export class MemoryFs implements FileSystem<Node, void> {
  readonly root = new Node(S_IF.DIR | 0o1777, 0, 0);
  getattr = (node: Node) => node;
  lookup = (dir: Node, name: string) => dir.names().get(name) ?? null;
  readdir = (dir: Node) => dir.names();
  readlink = (node: Node) => node.target;

  setattr(node: Node, changes: Changes) {
    if (changes.size !== undefined) node.resize(changes.size);
    Object.assign(node, changes);
  }

  mknod(
    dir: Node,
    name: string,
    mode: number,
    rdev: number,
    caller: Caller,
  ): Node {
    if (dir.names().has(name)) throw new Errno("EEXIST");
    const inherits = (dir.mode & S_IS.GID) !== 0;
    const keeps = inherits && (mode & S_IF.MT) === S_IF.DIR ? S_IS.GID : 0;
    const node = new Node(
      mode | keeps,
      caller.uid,
      inherits ? dir.gid : caller.gid,
      rdev,
    );
    this.#add(dir, name, node);
    return node;
  }
  create = (dir: Node, name: string, mode: number, caller: Caller) =>
    this.mknod(dir, name, mode, 0, caller);
  mkdir = this.create;

  symlink(dir: Node, name: string, target: string, caller: Caller): Node {
    const size = new TextEncoder().encode(target).length;
    return Object.assign(this.create(dir, name, S_IF.LNK | 0o777, caller), {
      target,
      size,
    });
  }

  link(node: Node, dir: Node, name: string) {
    if (dir.names().has(name)) throw new Errno("EEXIST");
    this.#add(dir, name, node);
  }

  unlink(dir: Node, name: string) {
    const node = dir.names().get(name);
    if (node === undefined) throw new Errno("ENOENT");
    if (node.entries !== null && node.entries.size > 0) {
      throw new Errno("ENOTEMPTY");
    }
    this.#remove(dir, name, node);
    if (node.entries !== null) node.nlink = 0;
  }
  rmdir = this.unlink;

  rename(
    from: Node,
    oldName: string,
    to: Node,
    newName: string,
    flags: number,
  ) {
    const node = from.names().get(oldName);
    const there = to.names().get(newName);
    if (flags & ~(RENAME.NOREPLACE | RENAME.EXCHANGE)) {
      throw new Errno("EINVAL");
    }
    if (flags & RENAME.NOREPLACE && there !== undefined) {
      throw new Errno("EEXIST");
    }
    if (node === undefined) throw new Errno("ENOENT");
    if (node === there) return;
    if (flags & RENAME.EXCHANGE) {
      if (there === undefined) throw new Errno("ENOENT");
      this.#remove(to, newName, there);
      this.#remove(from, oldName, node);
      this.#add(from, oldName, there);
    } else {
      if (there !== undefined) this.unlink(to, newName);
      this.#remove(from, oldName, node);
    }
    this.#add(to, newName, node);
  }

  read(node: Node, into: Uint8Array, offset: number): number {
    const count = Math.max(0, Math.min(into.length, node.size - offset));
    const part = node.data.subarray(offset, offset + count);
    into.set(part);
    into.fill(0, part.length, count);
    return count;
  }

  write(node: Node, bytes: Uint8Array, offset: number) {
    const end = offset + bytes.length;
    if (end > FILE_MAX) throw new Errno("EFBIG");
    if (end > node.data.length) {
      const grown = new Uint8Array(
        Math.max(end, Math.min(2 * node.data.length, FILE_MAX)),
      );
      grown.set(node.data);
      node.data = grown;
    }
    node.data.set(bytes, offset);
    node.size = Math.max(node.size, end);
    node.mtime = node.ctime = systemTime();
  }

  getxattr = (node: Node, name: string) => node.xattrs.get(name) ?? null;
  listxattr = (node: Node) => node.xattrs.keys();
  setxattr(node: Node, name: string, value: Uint8Array, flags: number) {
    const has = node.xattrs.has(name);
    if (has && flags & XATTR.CREATE) throw new Errno("EEXIST");
    if (!has && flags & XATTR.REPLACE) throw new Errno("ENODATA");
    node.xattrs.set(name, value.slice());
  }
  removexattr(node: Node, name: string) {
    if (!node.xattrs.delete(name)) throw new Errno("ENODATA");
  }

  #add(dir: Node, name: string, node: Node) {
    dir.names().set(name, node);
    node.nlink++;
    if (node.entries !== null) dir.nlink++;
    dir.mtime = dir.ctime = node.ctime = systemTime();
  }

  #remove(dir: Node, name: string, node: Node) {
    dir.names().delete(name);
    node.nlink--;
    if (node.entries !== null) dir.nlink--;
    dir.mtime = dir.ctime = node.ctime = systemTime();
  }
}

if (import.meta.main) {
  const session = await mountFileSystem(new MemoryFs(), Deno.args[0]!, {
    signals: true,
  });
  console.log(`Serving ${session.mountpoint}; press Ctrl-C to stop`);
}
