import { ERRNO } from "../../src/base/errno.ts";
import { S_IF } from "../../src/base/file_flags.ts";
import type { Clock } from "../determinism/clock.ts";
import type { Caller, SimAnswer, SimCall } from "../kernel/call.ts";
import { type OptionalRequest, SimInode, type SimStat } from "../vfs/inode.ts";
import { InodeLock } from "../vfs/locks.ts";

/** The attributes of an inode of a tree, and the pages that follow them. */
class TreeInode extends SimInode {
  override update(stat: SimStat, us?: number): void {
    //= fs/fuse/inode.c fuse_change_attributes(): another size than the known
    //= one means that the pages are old.
    if (stat.size !== this.stat.size) this.pages.clear();
    super.update(stat, us);
  }

  override resized(size: number): void {
    if (size < this.stat.size) this.pages.clear();
    super.resized(size);
  }
}

/** Whoever a {@linkcode TreeNode} needs. */
export interface NodeOwner extends Caller {
  /** Tells when attributes are too old. */
  readonly clock: Clock;
  /** Requests that the server does not know. */
  readonly unsupported: Set<OptionalRequest>;
  /** Hears that nothing leads to a node any more. */
  evict(node: TreeNode): void;
}

/** An inode of a mounted tree as the kernel knows it: `struct fuse_inode`. */
export class TreeNode implements Caller {
  /** What the server calls it. */
  readonly nodeid: bigint;
  /** Goes with the nodeid: another one means another inode. */
  readonly generation: bigint;
  /** Its attributes, lock and pages. */
  readonly inode: SimInode;
  /** Taken by LOOKUP and READDIR without FUSE_PARALLEL_DIROPS: `fi->mutex`. */
  readonly mutex: InodeLock = new InodeLock();
  /** How often the server has told of it, and was not told to forget. */
  lookups = 0n;
  /** Whether it is a directory that was removed: `S_DEAD`. */
  dead = false;
  /** Whether the next listing is to bring attributes: `FUSE_I_ADVISE_RDPLUS`. */
  advisesPlus = false;
  /** Whether a listing has brought its attributes: `FUSE_I_INIT_RDPLUS`. */
  fromPlus = false;
  /** Where a symbolic link leads, once FUSE_CACHE_SYMLINKS has it cached. */
  target: string | null = null;
  /** A directory's only dentry. */
  alias: Dentry | null = null;
  readonly #owner: NodeOwner;
  #references = 0;

  /** Makes a node of which the server has just told. */
  constructor(
    owner: NodeOwner,
    nodeid: bigint,
    generation: bigint,
    stat: SimStat,
    us: number,
  ) {
    this.#owner = owner;
    this.nodeid = nodeid;
    this.generation = generation;
    this.inode = new TreeInode(owner.clock, owner.unsupported);
    this.inode.update(stat, us);
  }

  /** The type of the file: one of `S_IF`. */
  get type(): number {
    return this.inode.stat.mode & S_IF.MT;
  }

  /** Whether the nodeid has come to mean something else: `FUSE_I_BAD`. */
  get bad(): boolean {
    return this.inode.bad;
  }

  set bad(bad: boolean) {
    this.inode.bad = bad;
  }

  /** Whether names can lie in it. */
  get isDirectory(): boolean {
    return this.type === S_IF.DIR;
  }

  /** Dentries, open files and system calls that lead to it. */
  get references(): number {
    return this.#references;
  }

  /** Asks the server for something about this node. */
  call(call: SimCall): Promise<SimAnswer> {
    //= fs/fuse/file.c, fs/fuse/dir.c: fuse_is_bad() comes first, but for what
    //= ends an open file.
    if (this.bad && !call.opcode.startsWith("RELEASE")) {
      return Promise.resolve({ errno: ERRNO.EIO, body: new Uint8Array(0) });
    }
    return this.#owner.call({ ...call, nodeid: this.nodeid });
  }

  /** One reference more: `ihold()`. */
  hold(): void {
    this.#references++;
  }

  /** One reference less; the last one evicts it: `iput()`. */
  drop(): void {
    //= fs/fuse/inode.c fuse_super_operations: .drop_inode is
    //= generic_delete_inode(), so nothing is kept in vain.
    if (--this.#references === 0) this.#owner.evict(this);
  }
}

/** Expired from the start. */
export const EXPIRED = -1;

/** A name in a directory, and what it leads to: `struct dentry`. */
export class Dentry {
  /** The name; see {@linkcode keyOf}. */
  name: string;
  /** The directory; itself for the root. */
  parent: Dentry;
  /** What it leads to; `null` for a name that is known not to be there. */
  readonly node: TreeNode | null;
  /** Until when it is believed, in microseconds of the clock. */
  validUntil: number = EXPIRED;
  /** Whether a walk can find it: `!d_unhashed()`. */
  hashed = true;
  /** The names below it that are known. */
  readonly children: Map<string, Dentry> = new Map();
  /** Names that are being looked up: `DCACHE_PAR_LOOKUP`. */
  readonly inLookup: Map<string, Promise<void>> = new Map();

  /** Open files and system calls that use it. */
  #users = 0;

  /** Makes a dentry that holds its node. */
  constructor(name: string, parent: Dentry | null, node: TreeNode | null) {
    this.name = name;
    this.parent = parent ?? this;
    this.node = node;
    node?.hold();
    if (node?.isDirectory) node.alias = this;
  }

  /** Whether an open file or a system call uses it. */
  get isUsed(): boolean {
    return this.#users > 0;
  }

  /** One user more: `dget()`. */
  hold(): void {
    this.#users++;
    this.node?.hold();
  }

  /** One user less: `dput()`. */
  release(): void {
    this.#users--;
    if (!this.hashed && this.#users === 0) {
      // What was looked up below it since it went is reached by nobody.
      for (const child of [...this.children.values()]) detach(child);
    }
    this.node?.drop();
  }

  /** Whether it is, or lies below, another one: `is_subdir()`. */
  isBelow(other: Dentry): boolean {
    if (this === other) return true;
    return this.parent !== this && this.parent.isBelow(other);
  }
}

/** Drops a dentry and all below it: `d_invalidate()`. */
export function detach(dentry: Dentry): void {
  if (!dentry.hashed || dentry.parent === dentry) return;
  dentry.hashed = false;
  dentry.parent.children.delete(dentry.name);
  for (const child of [...dentry.children.values()]) detach(child);
  const { node } = dentry;
  if (node?.alias === dentry) node.alias = null;
  node?.drop();
}

/** Gives a directory one more known name; what had it before is dropped. */
export function attach(parent: Dentry, name: string, dentry: Dentry): void {
  const before = parent.children.get(name);
  if (before !== undefined && before !== dentry) detach(before);
  dentry.name = name;
  dentry.parent = parent;
  parent.children.set(name, dentry);
}

/** Moves a dentry to another place: `d_move()`. */
export function move(dentry: Dentry, parent: Dentry, name: string): void {
  dentry.parent.children.delete(dentry.name);
  attach(parent, name, dentry);
}

/** Has two dentries change places: `d_exchange()`. */
export function exchange(one: Dentry, other: Dentry): void {
  const { parent, name } = other;
  one.parent.children.set(one.name, other);
  parent.children.set(name, one);
  other.parent = one.parent;
  other.name = one.name;
  one.parent = parent;
  one.name = name;
}

/**
 * Drops what nobody uses, from the leaves on: `shrink_dcache_sb()`, as
 * `echo 2 > /proc/sys/vm/drop_caches` does.
 */
export function prune(dentry: Dentry): void {
  for (const child of [...dentry.children.values()]) {
    prune(child);
    if (child.children.size === 0 && !child.isUsed) detach(child);
  }
}

/** What a system call holds while it runs. */
export class Held {
  readonly #dentries: Dentry[] = [];

  /** Holds a dentry until the call ends. */
  add(dentry: Dentry): Dentry {
    dentry.hold();
    this.#dentries.push(dentry);
    return dentry;
  }

  /** The end of the call. */
  release(): void {
    for (const dentry of this.#dentries.splice(0)) dentry.release();
  }
}

/** Runs a system call with what it holds. */
export async function holding<T>(
  call: (held: Held) => Promise<T>,
): Promise<T> {
  const held = new Held();
  try {
    return await call(held);
  } finally {
    held.release();
  }
}
