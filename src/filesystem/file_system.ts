/**
 * What a file system of your own implements: methods with names and values of
 * the system calls, on nodes that are objects of your own.
 *
 * @module
 */
import type { Attr, Changes, StatFs } from "./attr.ts";
import type { Caller } from "./caller.ts";
import type { Entries } from "./dirent.ts";
import type { Lock } from "./lock.ts";
import type { FileCache } from "./options.ts";

export type { Caller } from "./caller.ts";
export type { Dirent, Entries } from "./dirent.ts";

/**
 * A value, or a promise of it: every method may answer at once or later.
 *
 * @category Writing a file system
 */
export type May<T> = T | PromiseLike<T>;

/**
 * A file system of your own.
 *
 * A node is an object of your own, with any fields, that stands for one file,
 * directory or link: always the same object for the same file. A handle is what
 * `open()` returns. A name is a string; bytes that are not UTF-8 are lone
 * surrogates in it, U+DC80 to U+DCFF, and come back as they were.
 *
 * A method fails by throwing, or by a promise that is rejected: an `Errno`, and
 * any error of Deno, Node or a library that stands for an error number
 * (`errnoOf()`). Any other error is EIO and is reported. The kernel has checked
 * permissions beforehand, by the attributes.
 *
 * What is left out is answered as programs expect. If none of the methods that
 * change something is there, all of them fail with EROFS; if some are, the
 * others fail with the error in their description.
 *
 * @example A directory with one file
 * ```ts
 * import type { Attr, FileSystem } from "@mqfuse/mqfuse/fs";
 * import { S_IF } from "@mqfuse/mqfuse/protocol";
 * import { simulate } from "@mqfuse/mqfuse/sim";
 * import { assertEquals } from "@std/assert";
 *
 * const text = new TextEncoder().encode("hello\n");
 * const file = { mode: S_IF.REG | 0o444, size: text.length };
 * const hello: FileSystem<Attr> = {
 *   root: { mode: S_IF.DIR | 0o755 },
 *   getattr: (node) => node,
 *   lookup: (_directory, name) => name === "hello" ? file : null,
 *   readdir: () => [["hello", file]],
 *   read: (_node, into, offset) => text.subarray(offset, offset + into.length),
 * };
 *
 * await using simulation = await simulate(hello);
 * const opened = await simulation.client().open("hello");
 * const bytes = new Uint8Array(100);
 * assertEquals(await opened.pread(bytes, 0), 6);
 * await opened.close();
 * ```
 *
 * @typeParam N A node.
 * @typeParam H A handle.
 * @category Writing a file system
 */
export interface FileSystem<N extends object, H = unknown> {
  /** The node of the mount point: a directory, or a file to be mounted on one. */
  readonly root: N;

  /**
   * The attributes of a node, stat(2).
   *
   * @param handle Of the file, if the request came with an open one.
   */
  getattr(node: N, caller: Caller, handle?: H): May<Attr>;

  /** The node of a name; `null` if there is none. If left out, there is none. */
  lookup?(directory: N, name: string, caller: Caller): May<N | null>;

  /** The entries of a directory. If left out, listing fails with ENOSYS. */
  readdir?(directory: N, caller: Caller): May<Entries<N>>;

  /** The target of a symbolic link. If left out, EINVAL. */
  readlink?(node: N, caller: Caller): May<string>;

  /**
   * Changes attributes: chmod(2), chown(2), truncate(2), utimensat(2), open(2)
   * with O_TRUNC. If left out, EPERM.
   *
   * @returns The new attributes; nothing, to be asked for them by `getattr()`.
   */
  setattr?(
    node: N,
    changes: Changes,
    caller: Caller,
    handle?: H,
  ): May<Attr | void>;

  /**
   * Checks access(2) where the option `permissions` is `server`, so that all
   * methods have to check what their callers may do. If left out, allowed.
   *
   * @param mask The bits that are wanted: 4 to read, 2 to write, 1 to execute.
   */
  access?(node: N, mask: number, caller: Caller): May<void>;

  /**
   * Creates a plain file without a name, open(2) with O_TMPFILE, for which
   * `open()` is then called, and perhaps `link()`. If left out, EOPNOTSUPP.
   *
   * @param mode Its type and permissions, less the umask.
   */
  tmpfile?(directory: N, mode: number, caller: Caller): May<N>;

  /**
   * Creates a plain file, which `open()` is then called for with O_CREAT among
   * the flags. If the name exists, it fails with EEXIST; the layer opens that
   * file then, unless O_EXCL forbids it. If left out, `mknod()` is called.
   *
   * @param mode Its type and permissions, less the umask.
   */
  create?(directory: N, name: string, mode: number, caller: Caller): May<N>;

  /** Creates a directory. If left out, `mknod()` is called. */
  mkdir?(directory: N, name: string, mode: number, caller: Caller): May<N>;

  /**
   * Creates a FIFO, a socket, a device, or a plain file that is not opened; and
   * what `create()` and `mkdir()` are left out for. If left out, plain files are
   * made by `create()`, and others fail with EPERM; open(2) with O_CREAT fails
   * with EACCES if both are left out.
   *
   * @param mode Its type and permissions, less the umask.
   * @param rdev The number of a device, as in `Attr.rdev`.
   */
  mknod?(
    directory: N,
    name: string,
    mode: number,
    rdev: number,
    caller: Caller,
  ): May<N>;

  /** Creates a symbolic link. If left out, EPERM. */
  symlink?(
    directory: N,
    name: string,
    target: string,
    caller: Caller,
  ): May<N>;

  /** Adds a name to a node. If left out, EPERM. */
  link?(node: N, directory: N, name: string, caller: Caller): May<void>;

  /**
   * Removes the name of anything but a directory. A file without a name lives on
   * while programs have it open: until `forget()`. If left out, EPERM.
   */
  unlink?(directory: N, name: string, caller: Caller): May<void>;

  /** Removes an empty directory, else ENOTEMPTY. If left out, EPERM. */
  rmdir?(directory: N, name: string, caller: Caller): May<void>;

  /**
   * Moves a name, replacing the new one if it exists. If left out, EPERM.
   *
   * @param flags Of `RENAME`: NOREPLACE, EXCHANGE; EINVAL for unknown ones.
   */
  rename?(
    from: N,
    oldName: string,
    to: N,
    newName: string,
    flags: number,
    caller: Caller,
  ): May<void>;

  /**
   * What the kernel caches of a file that is opened, unless the option `cache`
   * says it. If left out, `open`.
   */
  cache?(node: N): FileCache;

  /**
   * Opens a file, open(2).
   *
   * @param flags Of `O`. O_CREAT says that `create()` has just made the file;
   * O_TRUNC never comes, `setattr()` does.
   * @returns What the other methods get as `handle`, or nothing.
   */
  open?(node: N, flags: number, caller: Caller): May<H | void>;

  /**
   * A descriptor of a plain file on this machine that has all data of an open
   * file, at the same offsets. Where the session offers passthrough, the kernel
   * then reads and writes that file by itself.
   *
   * It does so with the rights of this process, less CAP_FSETID: a file loses
   * set-user-ID and set-group-ID when any user, also root, writes to it.
   *
   * @returns `null` if there is none.
   */
  backing?(node: N, handle: H): number | null;

  /**
   * Whether the kernel also writes by itself to a node that a program opens with
   * O_DIRECT; no if left out. These writes stay direct when the program turns that
   * off by fcntl(2), as dd(1) does for a last short block: the file that
   * `backing()` names has to take direct writes of any length at any offset.
   */
  takesDirectWrites?(node: N): boolean;

  /**
   * Reads from a file. If left out, EINVAL.
   *
   * @param into Where to put the bytes: as many as are wanted at most.
   * @param offset Where in the file.
   * @returns How many bytes were put there, or the bytes themselves; fewer than
   * wanted mean the end of the file.
   */
  read?(
    node: N,
    into: Uint8Array,
    offset: number,
    caller: Caller,
    handle?: H,
  ): May<number | Uint8Array>;

  /**
   * Writes to a file. If left out, opening one for writing fails with EROFS.
   *
   * @param data The bytes; they may be kept.
   * @param offset Where in the file.
   * @returns How many bytes were written; nothing for all.
   */
  write?(
    node: N,
    data: Uint8Array,
    offset: number,
    caller: Caller,
    handle?: H,
  ): May<number | void>;

  /** At each close(2) of a descriptor: its error is that of close(2). */
  flush?(node: N, caller: Caller, handle?: H): May<void>;

  /**
   * Makes a file or directory durable, fsync(2). If left out, fsync(2) succeeds:
   * leave it out only if there is nothing to be done.
   *
   * @param dataOnly Whether data is enough, without times: fdatasync(2).
   */
  fsync?(node: N, dataOnly: boolean, caller: Caller, handle?: H): May<void>;

  /** After the last close(2) of an open file; errors reach no program. */
  release?(node: N, handle?: H): May<void>;

  /**
   * Reserves, zeroes or frees a range, fallocate(2). If left out, EOPNOTSUPP.
   *
   * @param mode Of `FALLOC_FL`; EOPNOTSUPP for unknown ones.
   */
  fallocate?(
    node: N,
    mode: number,
    offset: number,
    length: number,
    caller: Caller,
    handle?: H,
  ): May<void>;

  /**
   * The first offset with data at or after one; `null` if none has. If left out,
   * and without `seekHole()`, all of a file counts as data.
   */
  seekData?(
    node: N,
    offset: number,
    caller: Caller,
    handle?: H,
  ): May<number | null>;

  /**
   * The first offset in a hole at or after one, the end of the file counting as
   * one; `null` if `offset` is not in the file.
   */
  seekHole?(
    node: N,
    offset: number,
    caller: Caller,
    handle?: H,
  ): May<number | null>;

  /** An extended attribute; `null` if there is none. If left out, EOPNOTSUPP. */
  getxattr?(node: N, name: string, caller: Caller): May<Uint8Array | null>;

  /**
   * Sets an extended attribute. If left out, EOPNOTSUPP.
   *
   * @param value The value; it may be kept.
   * @param flags Of `XATTR`: CREATE fails with EEXIST if there is one, REPLACE
   * with ENODATA if there is none. Where there is a `getxattr()`, the layer has
   * asked it, and the kernel lets no other change of the node pass meanwhile.
   */
  setxattr?(
    node: N,
    name: string,
    value: Uint8Array,
    flags: number,
    caller: Caller,
  ): May<void>;

  /** The names of all extended attributes. If left out, EOPNOTSUPP. */
  listxattr?(node: N, caller: Caller): May<Iterable<string>>;

  /** Removes an extended attribute, else ENODATA. If left out, EOPNOTSUPP. */
  removexattr?(node: N, name: string, caller: Caller): May<void>;

  /**
   * Locks or unlocks: fcntl(2) with F_SETLK or F_SETLKW, flock(2). If left out,
   * the kernel does that itself, for the programs of this mount. A close(2) ends
   * locks by a call with `kind: "none"`.
   *
   * @param wait Whether to wait until no other lock conflicts; else EAGAIN.
   */
  lock?(
    node: N,
    lock: Lock,
    wait: boolean,
    caller: Caller,
    handle?: H,
  ): May<void>;

  /**
   * A lock that excludes another one, or `null`: fcntl(2) with F_GETLK. Required
   * with `lock()`.
   */
  conflictingLock?(
    node: N,
    lock: Lock,
    caller: Caller,
    handle?: H,
  ): May<Lock | null>;

  /**
   * Carries out a command of ioctl(2) whose number tells how many bytes the
   * program passes and expects: those of `_IOR`, `_IOW` and `_IOWR`. If left
   * out, ENOTTY.
   *
   * @param command The number of the command.
   * @param input What the program passes.
   * @returns What it gets, at most as many bytes as it expects.
   */
  ioctl?(
    node: N,
    command: number,
    input: Uint8Array,
    caller: Caller,
    handle?: H,
  ): May<Uint8Array | void>;

  /**
   * The events that a file is ready for: poll(2), select(2), epoll(7). If left
   * out, it always is.
   *
   * @param events Of `POLL`: those that are waited for.
   * @param wake To be called once when more may be ready, which makes the kernel
   * ask again; `null` if no program waits. A later one replaces it.
   */
  poll?(
    node: N,
    events: number,
    wake: (() => void) | null,
    caller: Caller,
    handle?: H,
  ): May<number>;

  /** The space of the file system, statfs(2). If left out, it has none. */
  statfs?(node: N, caller: Caller): May<StatFs>;

  /**
   * The kernel no longer knows a node: no program uses it, and what keeps a file
   * without a name alive can be freed. The node may be looked up again. It is
   * not called for what the kernel knows when the mount ends.
   */
  forget?(node: N): void;

  /**
   * Before it is mounted: what this throws is thrown by `mountFileSystem()`, and
   * nothing is mounted.
   */
  init?(): May<void>;

  /** The last call of all, after it was unmounted for any reason. */
  destroy?(): May<void>;
}
