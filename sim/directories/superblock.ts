import { S_IF } from "../../src/base/file_flags.ts";
import { FUSE_NAME_MAX, FUSE_ROOT_ID } from "../../src/protocol/flags.ts";
import { isNegotiated } from "../../src/protocol/init.ts";
import { ProtocolVersion } from "../../src/protocol/protocol_version.ts";
import { type Clock, STILL_CLOCK } from "../determinism/clock.ts";
import type { Caller, SimAnswer, SimCall } from "../kernel/call.ts";
import type { Forget } from "../kernel/forget_list.ts";
import type { KernelLimits } from "../kernel/negotiation.ts";
import { microseconds, toStat } from "../vfs/getattr.ts";
import {
  ALL_ATTRIBUTES,
  type OptionalRequest,
  SimInode,
} from "../vfs/inode.ts";
import { InodeLock } from "../vfs/locks.ts";
import {
  Dentry,
  detach,
  EXPIRED,
  type NodeOwner,
  prune,
  TreeNode,
} from "./dcache.ts";
import type { Entry } from "./name_requests.ts";

/** Longest name in bytes, with and without FUSE_MAX_PAGES. */
const NAME_MAX = { pages: FUSE_NAME_MAX, page: 1024 } as const;

/**
 * A kernel, as a `SimTree` needs it; `SimKernel` is one.
 *
 * @category Directories
 */
export interface TreeKernel extends Caller {
  /** The negotiated limits. */
  readonly limits: KernelLimits;
  /** Largest READ and WRITE in bytes. */
  readonly split: { readonly read: number; readonly write: number };
  /** Mount option `ro`. */
  readonly readOnly: boolean;
  /** Mount option `allow_other`. */
  readonly allowOther: boolean;
  /** Queues a FORGET: the kernel drops references to an inode. */
  forget(forget: Forget): void;
  /** Ends the connection. */
  unmount(): void;
}

/**
 * The options of a `SimTree`.
 *
 * @category Directories
 */
export interface SimTreeOptions {
  /** Decides when entries and attributes expire; use the kernel's clock. */
  readonly clock?: Clock;
  /** Mount option `default_permissions`; yes if left out. */
  readonly defaultPermissions?: boolean;
}

/**
 * The cached inodes and dentries of a mount whose root is a directory.
 * `struct super_block`.
 */
export class Superblock implements NodeOwner {
  /** Decides when entries and attributes expire. */
  readonly clock: Clock;
  /** Mount option `default_permissions`. */
  readonly defaultPermissions: boolean;
  /**
   * Requests that the server does not support: `fc->no_create` and its like.
   */
  readonly unsupported: Set<OptionalRequest> = new Set();
  /** The dentry of the root. */
  readonly root: Dentry;
  /** Held by renames from one directory to another. */
  readonly renames: InodeLock = new InodeLock();
  readonly #kernel: TreeKernel;
  readonly #nodes: Map<bigint, TreeNode> = new Map();
  #protocolVersion: ProtocolVersion | null = null;

  /** Mounts; INIT may still be unanswered. */
  constructor(kernel: TreeKernel, options: SimTreeOptions = {}) {
    this.#kernel = kernel;
    this.clock = options.clock ?? STILL_CLOCK;
    this.defaultPermissions = options.defaultPermissions ?? true;
    //= fs/fuse/inode.c fuse_get_root_inode(): a directory without valid
    //= attributes, which is never forgotten.
    const nothing = { ...new SimInode().stat, mode: S_IF.DIR };
    const node = new TreeNode(this, FUSE_ROOT_ID, 0n, nothing, 0);
    node.inode.invalidate(ALL_ATTRIBUTES);
    node.lookups = 1n;
    this.#nodes.set(FUSE_ROOT_ID, node);
    this.root = new Dentry("", null, node);
  }

  /** The negotiated limits. */
  get limits(): KernelLimits {
    return this.#kernel.limits;
  }

  /** Largest READ and WRITE in bytes. */
  get split(): { readonly read: number; readonly write: number } {
    return this.#kernel.split;
  }

  /** Mount option `ro`. */
  get readOnly(): boolean {
    return this.#kernel.readOnly;
  }

  /** Mount option `allow_other`. */
  get allowOther(): boolean {
    return this.#kernel.allowOther;
  }

  /** The layout of structs for this server. */
  get protocolVersion(): ProtocolVersion {
    this.#protocolVersion ??= new ProtocolVersion({
      minor: this.limits.minor,
      setxattrExt: isNegotiated(this.limits, "SETXATTR_EXT"),
    });
    return this.#protocolVersion;
  }

  /** Longest name in bytes: `fc->name_max`. */
  get nameMax(): number {
    //= fs/fuse/inode.c process_init_reply(): PATH_MAX - 1 if a request may have
    //= more than one page.
    const hasPages = isNegotiated(this.limits, "MAX_PAGES") &&
      this.limits.maxPages > 1;
    return hasPages ? NAME_MAX.pages : NAME_MAX.page;
  }

  /**
   * The lookup count of each cached inode, the root included. The server has to
   * count the same.
   */
  get lookups(): ReadonlyMap<bigint, bigint> {
    const all = [...this.#nodes.values()];
    return new Map(all.map(({ nodeid, lookups }) => [nodeid, lookups]));
  }

  /** Sends a request. */
  call(call: SimCall): Promise<SimAnswer> {
    return this.#kernel.call(call);
  }

  /** Sends FORGET for an inode. */
  forget(nodeid: bigint, lookups: bigint): void {
    this.#kernel.forget({ nodeid, lookups });
  }

  /**
   * Whether an entry is invalid: `invalid_nodeid()`, `fuse_invalid_attr()`.
   */
  isInvalid({ nodeid, attr }: Entry): boolean {
    const types: readonly number[] = Object.values(S_IF);
    const isKnown = types.includes(attr.mode & S_IF.MT);
    return nodeid === 0n || !isKnown || BigInt.asIntN(64, attr.size) < 0n;
  }

  /**
   * The inode of an entry, cached or new, with its lookup count incremented:
   * `fuse_iget()`. The caller takes a reference at once.
   */
  iget(entry: Entry): TreeNode {
    const known = this.#nodes.get(entry.nodeid);
    if (known !== undefined && !this.isStale(known, entry)) {
      this.refresh(known, entry);
      return known;
    }
    //= fs/fuse/inode.c fuse_iget(): the nodeid was reused for another inode,
    //= and operations on the old one fail.
    if (known !== undefined) known.bad = true;
    const { nodeid, generation } = entry;
    const node = new TreeNode(
      this,
      nodeid,
      generation,
      toStat(entry.attr),
      microseconds(entry.attr_valid, entry.attr_valid_nsec),
    );
    node.lookups = 1n;
    this.#nodes.set(nodeid, node);
    return node;
  }

  /** Caches the attributes of an entry and counts a lookup. */
  refresh(node: TreeNode, entry: Entry): void {
    const us = microseconds(entry.attr_valid, entry.attr_valid_nsec);
    node.lookups++;
    node.inode.update(toStat(entry.attr), us);
  }

  /** Whether an entry is about another inode: `fuse_stale_inode()`. */
  isStale(node: TreeNode, { generation, attr }: Entry): boolean {
    return node.bad || node.generation !== generation ||
      node.type !== (attr.mode & S_IF.MT);
  }

  /** Sets when a dentry expires: `fuse_change_entry_timeout()`. */
  setExpiry(dentry: Dentry, entry: Entry): void {
    const us = microseconds(entry.entry_valid, entry.entry_valid_nsec);
    dentry.validUntil = us > 0 ? this.clock.now + us : EXPIRED;
  }

  /** Forgets an inode without references: `fuse_evict_inode()`. */
  evict(node: TreeNode): void {
    const { nodeid, lookups } = node;
    if (this.#nodes.get(nodeid) === node) this.#nodes.delete(nodeid);
    if (lookups > 0n) this.forget(nodeid, lookups);
    node.lookups = 0n;
  }

  /** Drops unused dentries and inodes, as under memory pressure. */
  dropCaches(): void {
    prune(this.root);
  }

  /**
   * Unmounts. As on Linux, the connection ends before the inodes are evicted,
   * so no FORGET is sent.
   */
  unmount(): void {
    //= fs/fuse/inode.c fuse_kill_sb_anon(): fuse_sb_destroy() aborts, then
    //= kill_anon_super() evicts.
    this.#kernel.unmount();
    for (const child of [...this.root.children.values()]) detach(child);
  }
}
