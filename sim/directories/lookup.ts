/**
 * Lookup of a name in a directory: in the dentry cache, then with LOOKUP.
 * fs/namei.c, fs/fuse/dir.c.
 *
 * @module
 */
import { ERRNO } from "../../src/base/errno.ts";
import { encodeName } from "../../src/base/name_bytes.ts";
import { FUSE_ROOT_ID } from "../../src/protocol/flags.ts";
import { isNegotiated } from "../../src/protocol/init.ts";
import { SimError } from "../kernel/call.ts";
import { type Entry, readEntry } from "./name_requests.ts";
import { attach, move } from "./dcache.ts";
import { Dentry, detach, type TreeNode } from "./dcache.ts";
import type { Held } from "./dcache.ts";
import type { TreeProcess } from "./tree_process.ts";

/** The options of a lookup. */
export interface LookupHow {
  /** The name of the system call. */
  readonly call: string;
  /** The dentries that the call holds. */
  readonly held: Held;
  /**
   * Whether a cached entry has to be looked up again: `LOOKUP_EXCL`,
   * `LOOKUP_RENAME_TARGET`.
   */
  readonly fresh?: boolean;
  /** Whether the caller has locked the directory. */
  readonly locked?: boolean;
}

/** The dentry of a name; a negative one if the name does not exist. */
export async function lookup(
  process: TreeProcess,
  parent: Dentry,
  name: string,
  how: LookupHow,
): Promise<Dentry> {
  for (;;) {
    const known = await lookupFast(process, parent, name, how);
    if (known !== null) return known;
    const { lock } = parent.node!.inode;
    if (!how.locked) await lock.acquire(false);
    try {
      const found = await lookupSlow(process, parent, name, how.call);
      if (found !== null) return how.held.add(found);
    } finally {
      if (!how.locked) lock.release();
    }
  }
}

/** The dentry of a name if it is cached and valid: `lookup_fast()`. */
export async function lookupFast(
  process: TreeProcess,
  parent: Dentry,
  name: string,
  how: LookupHow,
): Promise<Dentry | null> {
  for (;;) {
    const known = parent.children.get(name);
    if (known === undefined) return null;
    if (await revalidate(process, known, how)) return how.held.add(known);
    detach(known);
  }
}

/** Looks up a name that is not cached: `lookup_slow()`. */
async function lookupSlow(
  process: TreeProcess,
  parent: Dentry,
  name: string,
  call: string,
): Promise<Dentry | null> {
  if (parent.children.has(name)) return null;
  //= fs/dcache.c d_alloc_parallel(): one LOOKUP serves all callers that look up
  //= the same name.
  const pending = parent.inLookup.get(name);
  if (pending !== undefined) {
    await pending;
    return null;
  }
  const { promise, resolve } = Promise.withResolvers<void>();
  parent.inLookup.set(name, promise);
  try {
    return await sendLookup(process, parent, name, call);
  } finally {
    parent.inLookup.delete(name);
    resolve();
  }
}

/** Whether a cached dentry is still valid: `fuse_dentry_revalidate()`. */
async function revalidate(
  process: TreeProcess,
  dentry: Dentry,
  { fresh = false, call }: LookupHow,
): Promise<boolean> {
  const { tree } = process;
  const { node, parent } = dentry;
  const directory = parent.node!;
  if (node?.bad) return false;
  const isOld = dentry.validUntil < tree.clock.now || fresh;
  if (!isOld) {
    //= fs/fuse/dir.c fuse_dentry_revalidate(): the attributes of the last
    //= READDIRPLUS were used, so the next READDIR asks for them too.
    if (node?.fromPlus) directory.advisesPlus = true;
    if (node !== null) node.fromPlus = false;
    return true;
  }
  if (node === null) return false;
  dentry.hold();
  try {
    return await revalidateByLookup(process, dentry, node, call);
  } finally {
    dentry.release();
  }
}

async function revalidateByLookup(
  process: TreeProcess,
  dentry: Dentry,
  node: TreeNode,
  call: string,
): Promise<boolean> {
  const { tree } = process;
  const parts = { names: [dentry.name] };
  const answer = await process.ask(dentry.parent.node!, "LOOKUP", parts);
  const { errno, body } = answer;
  if (errno === ERRNO.EINTR || errno === ERRNO.ENOMEM) {
    throw new SimError(call, errno);
  }
  if (errno !== 0) return false;
  const entry = readEntry(body, tree.protocolVersion);
  if (entry.nodeid === 0n) return false;
  if (entry.nodeid !== node.nodeid) {
    tree.forget(entry.nodeid, 1n);
    return false;
  }
  if (tree.isInvalid(entry) || tree.isStale(node, entry)) {
    node.lookups++;
    return false;
  }
  tree.refresh(node, entry);
  tree.setExpiry(dentry, entry);
  return true;
}

/** Sends LOOKUP for a name that is not cached: `fuse_lookup()`. */
async function sendLookup(
  process: TreeProcess,
  parent: Dentry,
  name: string,
  call: string,
): Promise<Dentry> {
  const { tree } = process;
  const directory = parent.node!;
  //= fs/namei.c lookup_slow(): a removed directory has no entries.
  if (directory.dead) throw new SimError(call, ERRNO.ENOENT);
  if (directory.bad) throw new SimError(call, ERRNO.EIO);
  if (encodeName(name).length > tree.nameMax) {
    throw new SimError(call, ERRNO.ENAMETOOLONG);
  }
  const { errno, body } = await withDirectoryMutex(process, directory, () => {
    return process.ask(directory, "LOOKUP", { names: [name] });
  });
  if (errno === ERRNO.ENOENT) return addNegative(parent, name);
  if (errno !== 0) throw new SimError(call, errno);
  const entry = readEntry(body, tree.protocolVersion);
  if (entry.nodeid === 0n) {
    //= fs/fuse/dir.c fuse_lookup_name(): like ENOENT, with a time to live.
    const nothing = addNegative(parent, name);
    tree.setExpiry(nothing, entry);
    return nothing;
  }
  if (tree.isInvalid(entry)) throw new SimError(call, ERRNO.EIO);
  const node = tree.iget(entry);
  if (entry.nodeid === FUSE_ROOT_ID) throw new SimError(call, ERRNO.EIO);
  const dentry = splice(parent, name, node, call);
  tree.setExpiry(dentry, entry);
  directory.advisesPlus = true;
  return dentry;
}

/** Holds the directory's mutex, without FUSE_PARALLEL_DIROPS. */
export async function withDirectoryMutex<T>(
  { tree }: TreeProcess,
  { mutex }: TreeNode,
  work: () => Promise<T>,
): Promise<T> {
  //= fs/fuse/inode.c fuse_lock_inode().
  if (isNegotiated(tree.limits, "PARALLEL_DIROPS")) return await work();
  await mutex.acquire(true);
  try {
    return await work();
  } finally {
    mutex.release();
  }
}

/**
 * Adds a negative dentry, which has expired unless the server says otherwise.
 */
function addNegative(parent: Dentry, name: string): Dentry {
  const dentry = new Dentry(name, parent, null);
  attach(parent, name, dentry);
  return dentry;
}

/** Connects a name with a node: `d_splice_alias()`. */
export function splice(
  parent: Dentry,
  name: string,
  node: TreeNode,
  call: string,
): Dentry {
  const { alias } = node;
  if (alias === null) {
    const dentry = new Dentry(name, parent, node);
    attach(parent, name, dentry);
    return dentry;
  }
  //= fs/dcache.c d_splice_alias(): a directory has one place. ELOOP if it would
  //= be below itself.
  if (parent.isBelow(alias)) throw new SimError(call, ERRNO.ELOOP);
  move(alias, parent, name);
  return alias;
}

/** Whether the entry of a created name is acceptable. */
export function isUsableEntry(process: TreeProcess, entry: Entry): boolean {
  return entry.nodeid !== FUSE_ROOT_ID && !process.tree.isInvalid(entry);
}
