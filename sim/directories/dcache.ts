import { ERRNO } from "../../src/base/errno.ts";
import { S_IF } from "../../src/base/file_flags.ts";
import type { Clock } from "../determinism/clock.ts";
import type { Caller, SimAnswer, SimCall } from "../kernel/call.ts";
import { type OptionalRequest, SimInode, type SimStat } from "../vfs/inode.ts";
import { InodeLock } from "../vfs/locks.ts";

/** An inode whose cached pages depend on its size. */
class TreeInode extends SimInode {
  override update(stat: SimStat, us?: number): void {
    //= fs/fuse/inode.c fuse_change_attributes(): a changed size makes the
    //= cached pages invalid.
    if (stat.size !== this.stat.size) this.pages.clear();
    super.update(stat, us);
  }

  override resized(size: number): void {
    if (size < this.stat.size) this.pages.clear();
    super.resized(size);
  }
}

/**
 * The mount of a {@linkcode TreeNode}.
 *
 * @category Directories
 */
export interface NodeOwner extends Caller {
  /** Decides when attributes expire. */
  readonly clock: Clock;
  /** Requests that the server does not support. */
  readonly unsupported: Set<OptionalRequest>;
  /** Called when the last reference to a node is dropped. */
  evict(node: TreeNode): void;
}

/**
 * An inode of a mounted tree: `struct fuse_inode`.
 *
 * @category Directories
 */
export class TreeNode implements Caller {
  /** The server's number of the inode. */
  readonly nodeid: bigint;
  /** Distinguishes inodes that use the same nodeid one after another. */
  readonly generation: bigint;
  /** Its attributes, lock and pages. */
  readonly inode: SimInode;
  /**
   * Held during LOOKUP and READDIR without FUSE_PARALLEL_DIROPS: `fi->mutex`.
   */
  readonly mutex: InodeLock = new InodeLock();
  /** The server's lookup count: entries received minus those forgotten. */
  lookups = 0n;
  /** Whether it is a removed directory: `S_DEAD`. */
  dead = false;
  /** Whether the next READDIR asks for attributes: `FUSE_I_ADVISE_RDPLUS`. */
  advisesPlus = false;
  /** Whether its attributes came from a READDIRPLUS: `FUSE_I_INIT_RDPLUS`. */
  fromPlus = false;
  /** The cached target of a symbolic link, with FUSE_CACHE_SYMLINKS. */
  target: string | null = null;
  /** The only dentry of a directory. */
  alias: Dentry | null = null;
  readonly #owner: NodeOwner;
  #references = 0;

  /** Makes the node of a new entry. */
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

  /** The file type, one of `S_IF`. */
  get type(): number {
    return this.inode.stat.mode & S_IF.MT;
  }

  /** Whether the nodeid now belongs to another inode: `FUSE_I_BAD`. */
  get bad(): boolean {
    return this.inode.bad;
  }

  set bad(bad: boolean) {
    this.inode.bad = bad;
  }

  /** Whether it is a directory. */
  get isDirectory(): boolean {
    return this.type === S_IF.DIR;
  }

  /** The number of dentries, open files and system calls that use it. */
  get references(): number {
    return this.#references;
  }

  /** Sends a request about this node. */
  call(call: SimCall): Promise<SimAnswer> {
    //= fs/fuse/file.c, fs/fuse/dir.c: fuse_is_bad() fails all requests but
    //= RELEASE and RELEASEDIR.
    if (this.bad && !call.opcode.startsWith("RELEASE")) {
      return Promise.resolve({ errno: ERRNO.EIO, body: new Uint8Array(0) });
    }
    return this.#owner.call({ ...call, nodeid: this.nodeid });
  }

  /** Adds a reference: `ihold()`. */
  hold(): void {
    this.#references++;
  }

  /** Drops a reference; the last one evicts the node: `iput()`. */
  drop(): void {
    //= fs/fuse/inode.c fuse_super_operations: .drop_inode is
    //= generic_delete_inode(), so an unused inode is not kept.
    if (--this.#references === 0) this.#owner.evict(this);
  }
}

/** Earlier than any time. */
export const EXPIRED = -1;

/**
 * A name in a directory and its inode: `struct dentry`.
 *
 * @category Directories
 */
export class Dentry {
  /** The name. */
  name: string;
  /** The directory; the root is its own parent. */
  parent: Dentry;
  /** The inode; `null` for a negative dentry, a name known not to exist. */
  readonly node: TreeNode | null;
  /** The time at which it expires, in microseconds of the clock. */
  validUntil: number = EXPIRED;
  /** Whether a path walk can find it: `!d_unhashed()`. */
  hashed = true;
  /** The cached names in it. */
  readonly children: Map<string, Dentry> = new Map();
  /** Names with a LOOKUP under way: `DCACHE_PAR_LOOKUP`. */
  readonly inLookup: Map<string, Promise<void>> = new Map();

  /** The number of open files and system calls that use it. */
  #users = 0;

  /** Makes a dentry, which holds a reference to its node. */
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

  /** Adds a user: `dget()`. */
  hold(): void {
    this.#users++;
    this.node?.hold();
  }

  /** Drops a user: `dput()`. */
  release(): void {
    this.#users--;
    if (!this.hashed && this.#users === 0) {
      // Names that were looked up in it after it was unhashed are unreachable.
      for (const child of [...this.children.values()]) detach(child);
    }
    this.node?.drop();
  }

  /** Whether it is another dentry or lies below it: `is_subdir()`. */
  isBelow(other: Dentry): boolean {
    if (this === other) return true;
    return this.parent !== this && this.parent.isBelow(other);
  }
}

/** Drops a dentry and everything below it: `d_invalidate()`. */
export function detach(dentry: Dentry): void {
  if (!dentry.hashed || dentry.parent === dentry) return;
  dentry.hashed = false;
  dentry.parent.children.delete(dentry.name);
  for (const child of [...dentry.children.values()]) detach(child);
  const { node } = dentry;
  if (node?.alias === dentry) node.alias = null;
  node?.drop();
}

/** Adds a dentry to a directory; replaces one of the same name. */
export function attach(parent: Dentry, name: string, dentry: Dentry): void {
  const before = parent.children.get(name);
  if (before !== undefined && before !== dentry) detach(before);
  dentry.name = name;
  dentry.parent = parent;
  parent.children.set(name, dentry);
}

/** Moves a dentry: `d_move()`. */
export function move(dentry: Dentry, parent: Dentry, name: string): void {
  dentry.parent.children.delete(dentry.name);
  attach(parent, name, dentry);
}

/** Exchanges two dentries: `d_exchange()`. */
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
 * Drops unused dentries, leaves first: `shrink_dcache_sb()`, as `echo 2 >
 * /proc/sys/vm/drop_caches` does.
 */
export function prune(dentry: Dentry): void {
  for (const child of [...dentry.children.values()]) {
    prune(child);
    if (child.children.size === 0 && !child.isUsed) detach(child);
  }
}

/** The dentries that a system call holds until it ends. */
export class Held {
  readonly #dentries: Dentry[] = [];

  /** Holds a dentry until the call ends. */
  add(dentry: Dentry): Dentry {
    dentry.hold();
    this.#dentries.push(dentry);
    return dentry;
  }

  /** Releases all dentries. */
  release(): void {
    for (const dentry of this.#dentries.splice(0)) dentry.release();
  }
}

/** Runs a system call and releases its dentries at the end. */
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
