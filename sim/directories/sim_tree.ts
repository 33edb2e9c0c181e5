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

/** Longest name in bytes, for servers with and without FUSE_MAX_PAGES. */
const NAME_MAX = { pages: FUSE_NAME_MAX, page: 1024 } as const;

/** A kernel, as a {@linkcode SimTree} needs it; `SimKernel` is one. */
export interface TreeKernel extends Caller {
  /** What holds between kernel and server. */
  readonly limits: KernelLimits;
  /** Largest READ and WRITE in bytes. */
  readonly split: { readonly read: number; readonly write: number };
  /** Mount option `ro`. */
  readonly readOnly: boolean;
  /** Mount option `allow_other`. */
  readonly allowOther: boolean;
  /** Drops references to an inode, which the server is told of some time. */
  forget(forget: Forget): void;
  /** Ends the connection. */
  unmount(): void;
}

/** Options of a {@linkcode SimTree}. */
export interface SimTreeOptions {
  /** Tells when entries and attributes are too old; the kernel's own clock. */
  readonly clock?: Clock;
  /** Mount option `default_permissions`; yes if left out. */
  readonly defaultPermissions?: boolean;
}

/**
 * A mount whose root is a directory: the inodes and dentries that the kernel
 * knows, which every client of the mount shares. `struct super_block`.
 *
 * @example Use a file system of one's own without a kernel
 * ```ts
 * import {
 *   serveInThread,
 *   SimKernel,
 *   SimTree,
 *   TreeClient,
 * } from "@mqfuse/mqfuse/sim";
 * import { Errno } from "@mqfuse/mqfuse";
 * import { assertRejects } from "@std/assert";
 *
 * const kernel = new SimKernel();
 * const wish = {
 *   flags: [],
 *   maxWrite: 4096,
 *   maxBackground: 0,
 *   congestionThreshold: 0,
 * };
 * const handler = () => ({
 *   handle() {
 *     throw new Errno("ENOSYS");
 *   },
 * });
 * const server = await serveInThread(kernel, { wish, handler });
 * const client = new TreeClient(new SimTree(kernel));
 * await assertRejects(() => client.stat("name"), Error, "ENOSYS");
 * kernel.unmount();
 * await server.ended;
 * ```
 */
export class SimTree implements NodeOwner {
  /** Tells when entries and attributes are too old. */
  readonly clock: Clock;
  /** Mount option `default_permissions`. */
  readonly defaultPermissions: boolean;
  /** Requests that the server does not know: `fc->no_create` and its like. */
  readonly unsupported: Set<OptionalRequest> = new Set();
  /** The dentry of the root. */
  readonly root: Dentry;
  /** Held by whoever renames from one directory to another. */
  readonly renames: InodeLock = new InodeLock();
  readonly #kernel: TreeKernel;
  readonly #nodes: Map<bigint, TreeNode> = new Map();
  #protocolVersion: ProtocolVersion | null = null;

  /** Mounts; the kernel's INIT may still be on its way. */
  constructor(kernel: TreeKernel, options: SimTreeOptions = {}) {
    this.#kernel = kernel;
    this.clock = options.clock ?? STILL_CLOCK;
    this.defaultPermissions = options.defaultPermissions ?? true;
    //= fs/fuse/inode.c fuse_get_root_inode(): a directory of which nothing is
    //= known, and of which the server is never told to forget.
    const nothing = { ...new SimInode().stat, mode: S_IF.DIR };
    const node = new TreeNode(this, FUSE_ROOT_ID, 0n, nothing, 0);
    node.inode.invalidate(ALL_ATTRIBUTES);
    node.lookups = 1n;
    this.#nodes.set(FUSE_ROOT_ID, node);
    this.root = new Dentry("", null, node);
  }

  /** What holds between kernel and server. */
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

  /** How structs are laid out for this server. */
  get protocolVersion(): ProtocolVersion {
    this.#protocolVersion ??= new ProtocolVersion({
      minor: this.limits.minor,
      setxattrExt: isNegotiated(this.limits, "SETXATTR_EXT"),
    });
    return this.#protocolVersion;
  }

  /** Longest name in bytes: `fc->name_max`. */
  get nameMax(): number {
    //= fs/fuse/inode.c process_init_reply(): PATH_MAX - 1 where a request may
    //= have more than one page.
    const hasPages = isNegotiated(this.limits, "MAX_PAGES") &&
      this.limits.maxPages > 1;
    return hasPages ? NAME_MAX.pages : NAME_MAX.page;
  }

  /**
   * The inodes that the kernel knows, the root included, and how often the
   * server has told of each: what the server has to count as well.
   */
  get lookups(): ReadonlyMap<bigint, bigint> {
    const all = [...this.#nodes.values()];
    return new Map(all.map(({ nodeid, lookups }) => [nodeid, lookups]));
  }

  /** Sends a request. */
  call(call: SimCall): Promise<SimAnswer> {
    return this.#kernel.call(call);
  }

  /** Tells the server to forget lookups. */
  forget(nodeid: bigint, lookups: bigint): void {
    this.#kernel.forget({ nodeid, lookups });
  }

  /** What is wrong with an entry: `invalid_nodeid()`, `fuse_invalid_attr()`. */
  isInvalid({ nodeid, attr }: Entry): boolean {
    const types: readonly number[] = Object.values(S_IF);
    const isKnown = types.includes(attr.mode & S_IF.MT);
    return nodeid === 0n || !isKnown || BigInt.asIntN(64, attr.size) < 0n;
  }

  /**
   * The inode of an entry, new or known, counted as one lookup more:
   * `fuse_iget()`. Whoever asks holds it before anything else happens.
   */
  iget(entry: Entry): TreeNode {
    const known = this.#nodes.get(entry.nodeid);
    if (known !== undefined && !this.isStale(known, entry)) {
      this.refresh(known, entry);
      return known;
    }
    //= fs/fuse/inode.c fuse_iget(): the nodeid is used again for another
    //= inode; whatever is done with the old one fails.
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

  /** Notes what the server told of a known inode. */
  refresh(node: TreeNode, entry: Entry): void {
    const us = microseconds(entry.attr_valid, entry.attr_valid_nsec);
    node.lookups++;
    node.inode.update(toStat(entry.attr), us);
  }

  /** Whether an entry means another inode: `fuse_stale_inode()`. */
  isStale(node: TreeNode, { generation, attr }: Entry): boolean {
    return node.bad || node.generation !== generation ||
      node.type !== (attr.mode & S_IF.MT);
  }

  /** Notes until when a dentry is believed: `fuse_change_entry_timeout()`. */
  setExpiry(dentry: Dentry, entry: Entry): void {
    const us = microseconds(entry.entry_valid, entry.entry_valid_nsec);
    dentry.validUntil = us > 0 ? this.clock.now + us : EXPIRED;
  }

  /** Forgets an inode that nothing leads to: `fuse_evict_inode()`. */
  evict(node: TreeNode): void {
    const { nodeid, lookups } = node;
    if (this.#nodes.get(nodeid) === node) this.#nodes.delete(nodeid);
    if (lookups > 0n) this.forget(nodeid, lookups);
    node.lookups = 0n;
  }

  /** Drops dentries and inodes that nobody uses, as under memory pressure. */
  dropCaches(): void {
    prune(this.root);
  }

  /**
   * Unmounts. As on Linux, the connection ends before the inodes go, so that
   * the server is told to forget none of them.
   */
  unmount(): void {
    //= fs/fuse/inode.c fuse_kill_sb_anon(): fuse_sb_destroy() aborts, then
    //= kill_anon_super() evicts.
    this.#kernel.unmount();
    for (const child of [...this.root.children.values()]) detach(child);
  }
}
