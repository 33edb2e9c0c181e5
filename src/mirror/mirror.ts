import { Errno } from "../base/errno.ts";
import { O, S_IF, S_IS, SEEK } from "../base/file_flags.ts";
import type { Caller, FileSystem, May } from "../filesystem/file_system.ts";
import { closeDescriptor, OPEN } from "../linux/syscall/descriptor.ts";
import { libc } from "../linux/syscall/libc.ts";
import { readFile, seekFile, syncFile, writeFile } from "./data.ts";
import { checked } from "./failure.ts";
import { hasLateErrors } from "./host_file_system.ts";
import { descriptorName, DOT, NO_NAME } from "./names.ts";
import type { MirrorNode } from "./nodes.ts";
import { readStatus, statusGroup, statusMode } from "./status.ts";
import { type MirrorOptions, MirrorTree } from "./tree.ts";
import {
  attributeNames,
  attributeOf,
  removeAttribute,
  setAttribute,
} from "./xattrs.ts";

/** Flags of open(2) that the kernel has dealt with before it asks. */
const DEALT_WITH = O.CREAT | O.EXCL | O.NOCTTY | O.TRUNC | OPEN.NOFOLLOW |
  OPEN.DIRECT;
const ACCESS_ACL = "system.posix_acl_access";
/** Flags that a descriptor made by `create()` does not have. */
const NOT_CREATED_WITH = O.APPEND | O.DSYNC;

/**
 * A directory of this machine as a file system; made by {@linkcode mirror}. A
 * handle is a descriptor.
 *
 * @category File systems
 */
export class Mirror extends MirrorTree
  implements FileSystem<MirrorNode, number> {
  /** Left out where close(2) tells of no errors: the kernel need not ask. */
  readonly flush?: (
    node: MirrorNode,
    caller: Caller,
    handle?: number,
  ) => void;
  readonly #isDirectKernels: boolean;

  /**
   * Called by {@linkcode mirror}, in the thread that will use it.
   *
   * @param root A descriptor of `openRoot()`, which it takes over.
   * @throws {UserError} If it cannot be used.
   */
  constructor(root: number, options: MirrorOptions = {}) {
    super(root, options);
    this.#isDirectKernels = options.directWrites === "kernel";
    if (hasLateErrors(root)) this.flush = flushHandle;
  }

  open(node: MirrorNode, flags: number): number {
    this.begin();
    const handle = this.#open(node, flags);
    node.opens++;
    return handle;
  }

  #open(node: MirrorNode, flags: number): number {
    const { created } = node;
    if (created >= 0 && (flags & O.CREAT) !== 0) {
      node.created = -1;
      if ((flags & NOT_CREATED_WITH) === 0) return created;
      closeDescriptor(created);
    }
    const { descriptors } = this;
    const name = descriptorName(node.fd);
    const wanted = flags & ~DEALT_WITH | OPEN.CLOEXEC;
    return checked(libc().openat(descriptors, name, wanted, 0));
  }

  backing(node: MirrorNode, handle: number): number | null {
    // Who writes to a file with set-user-ID matters: the requests tell.
    return (node.mode & (S_IS.UID | S_IS.GID)) !== 0 ? null : handle;
  }

  takesDirectWrites(node: MirrorNode): boolean {
    return this.#isDirectKernels || node.takesUnaligned;
  }

  read(
    _node: MirrorNode,
    into: Uint8Array,
    offset: number,
    _caller: Caller,
    handle?: number,
  ): number {
    return readFile(needed(handle), into, offset);
  }

  write(
    _node: MirrorNode,
    data: Uint8Array,
    offset: number,
    _caller: Caller,
    handle?: number,
  ): number {
    this.begin();
    return writeFile(needed(handle), data, offset);
  }

  fsync(
    node: MirrorNode,
    dataOnly: boolean,
    _caller: Caller,
    handle?: number,
  ): May<void> {
    if (handle !== undefined) return syncFile(handle, dataOnly, false);
    const flags = OPEN.RDONLY | OPEN.DIRECTORY | OPEN.CLOEXEC;
    const fd = checked(libc().openat(node.fd, DOT, flags, 0));
    return syncFile(fd, dataOnly, true);
  }

  release(node: MirrorNode, handle?: number): void {
    if (handle === undefined) return;
    node.opens--;
    closeDescriptor(handle);
  }

  fallocate(
    _node: MirrorNode,
    mode: number,
    offset: number,
    length: number,
    _caller: Caller,
    handle?: number,
  ): void {
    this.begin();
    const { fallocate } = libc();
    const fd = needed(handle);
    checked(fallocate(fd, mode, BigInt(offset), BigInt(length)));
  }

  seekData(
    _node: MirrorNode,
    offset: number,
    _caller: Caller,
    handle?: number,
  ): number | null {
    return seekFile(needed(handle), offset, SEEK.DATA);
  }

  seekHole(
    _node: MirrorNode,
    offset: number,
    _caller: Caller,
    handle?: number,
  ): number | null {
    return seekFile(needed(handle), offset, SEEK.HOLE);
  }

  getxattr(node: MirrorNode, name: string): Uint8Array | null {
    this.begin();
    return attributeOf(node.fd, name);
  }

  setxattr(
    node: MirrorNode,
    name: string,
    value: Uint8Array,
    flags: number,
    caller: Caller,
  ): void {
    this.begin();
    setAttribute(node.fd, name, value, flags);
    if (name === ACCESS_ACL) this.#dropSetGroupId(node, caller);
  }

  /** Who is not in the group of a file cannot give its rights to others. */
  #dropSetGroupId({ fd }: MirrorNode, { uid, gid, groups }: Caller): void {
    //= fs/posix_acl.c posix_acl_update_mode()
    checked(readStatus(fd, NO_NAME));
    const mode = statusMode();
    const group = statusGroup();
    const isPrivileged = uid === 0 || gid === group || groups.includes(group);
    if (isPrivileged || (mode & S_IS.GID) === 0) return;
    const name = descriptorName(fd);
    const rest = mode & ~(S_IF.MT | S_IS.GID);
    checked(libc().fchmodat(this.descriptors, name, rest, 0));
  }

  listxattr(node: MirrorNode): string[] {
    this.begin();
    return attributeNames(node.fd);
  }

  removexattr(node: MirrorNode, name: string): void {
    this.begin();
    removeAttribute(node.fd, name);
  }
}

function needed(handle: number | undefined): number {
  if (handle === undefined) throw new Errno("EBADF");
  return handle;
}

/** Makes the host tell of errors as close(2) of the last descriptor would. */
function flushHandle(
  _node: MirrorNode,
  _caller: Caller,
  handle?: number,
): void {
  const { close, dup } = libc();
  checked(close(checked(dup(needed(handle)))));
}
