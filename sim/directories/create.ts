/**
 * Creation of names: MKNOD, MKDIR, SYMLINK, LINK. fs/namei.c, fs/fuse/dir.c.
 *
 * @module
 */
import { ERRNO } from "../../src/base/errno.ts";
import { S_IF, STATX } from "../../src/base/file_flags.ts";
import { isNegotiated } from "../../src/protocol/init.ts";
import { type SimAnswer, SimError } from "../kernel/call.ts";
import { ALL_ATTRIBUTES } from "../vfs/inode.ts";
import { MAY } from "../vfs/permission.ts";
import {
  type Dentry,
  detach,
  type Held,
  holding,
  type TreeNode,
} from "./dcache.ts";
import { isUsableEntry, lookup, splice } from "./lookup.ts";
import { readEntry } from "./name_requests.ts";
import { type LastName, PathWalk } from "./path_walk.ts";
import type { TreeProcess } from "./tree_process.ts";

/** mkdir(2). */
export async function mkdir(
  process: TreeProcess,
  path: string,
  mode: number,
): Promise<void> {
  await make(
    process,
    "mkdir",
    path,
    S_IF.DIR,
    (parent, name) =>
      process.ask(parent, "MKDIR", {
        //= fs/namei.c vfs_mkdir(): no set-id bits.
        body: {
          mode: applyUmask(process, mode & 0o1777),
          umask: process.umask,
        },
        names: [name],
      }),
  );
}

/** mknod(2). */
export async function mknod(
  process: TreeProcess,
  path: string,
  mode: number,
  rdev: number,
): Promise<void> {
  const type = (mode & S_IF.MT) || S_IF.REG;
  if (type === S_IF.DIR) throw new SimError("mknod", ERRNO.EPERM);
  await make(
    process,
    "mknod",
    path,
    type,
    (parent, name) =>
      sendMknod(process, parent, name, mode & 0o7777 | type, rdev),
  );
}

/** Sends MKNOD: for mknod(2), and for open(2) if the server has no CREATE. */
export function sendMknod(
  process: TreeProcess,
  parent: TreeNode,
  name: string,
  mode: number,
  rdev: number,
): Promise<SimAnswer> {
  return process.ask(parent, "MKNOD", {
    body: { mode: applyUmask(process, mode), rdev, umask: process.umask },
    names: [name],
  });
}

/** symlink(2). */
export async function symlink(
  process: TreeProcess,
  target: string,
  path: string,
): Promise<void> {
  if (target === "") throw new SimError("symlink", ERRNO.ENOENT);
  await make(
    process,
    "symlink",
    path,
    S_IF.LNK,
    (parent, name) => process.ask(parent, "SYMLINK", { names: [name, target] }),
  );
}

/** link(2). */
export async function link(
  process: TreeProcess,
  from: string,
  to: string,
): Promise<void> {
  await holding(async (held) => {
    const call = "link";
    const { node } = await new PathWalk(process, call, held).find(from, false);
    const type = node!.type;
    await makeAt(process, call, held, to, type, async (parent, name) => {
      //= fs/namei.c vfs_link(): a directory can have only one name.
      if (type === S_IF.DIR) throw new SimError(call, ERRNO.EPERM);
      const { unsupported } = process.tree;
      const oldnodeid = node!.nodeid;
      const parts = { body: { oldnodeid }, names: [name] };
      const answer = unsupported.has("LINK")
        ? UNKNOWN
        : await process.ask(parent, "LINK", parts);
      //= fs/fuse/dir.c fuse_link(): ENOSYS is remembered.
      if (answer.errno !== ERRNO.ENOSYS) return answer;
      unsupported.add("LINK");
      throw new SimError(call, ERRNO.EPERM);
    });
  });
}

const UNKNOWN: SimAnswer = { errno: ERRNO.ENOSYS, body: new Uint8Array(0) };

/** Sends the request that creates a name. */
type Send = (parent: TreeNode, name: string) => Promise<SimAnswer>;

async function make(
  process: TreeProcess,
  call: string,
  path: string,
  type: number,
  send: Send,
): Promise<void> {
  await holding((held) => makeAt(process, call, held, path, type, send));
}

async function makeAt(
  process: TreeProcess,
  call: string,
  held: Held,
  path: string,
  type: number,
  send: Send,
): Promise<void> {
  const last = await new PathWalk(process, call, held).parent(path);
  //= fs/namei.c filename_create(): `.`, `..` and the root exist.
  if (last.kind !== "normal") throw new SimError(call, ERRNO.EEXIST);
  const { parent } = last;
  const { lock } = parent.node!.inode;
  held.add(parent);
  await lock.acquire(true);
  try {
    const dentry = await freeName(process, call, held, last, type);
    await requireMayCreate(process, parent, call);
    const answer = await send(parent.node!, last.name);
    instantiate(process, dentry, type, answer, call);
  } finally {
    lock.release();
  }
}

/** The negative dentry of a name to be created: `filename_create()`. */
async function freeName(
  process: TreeProcess,
  call: string,
  held: Held,
  { parent, name, slash }: LastName,
  type: number,
): Promise<Dentry> {
  // Only a directory can be created under a name that ends with a slash.
  const fresh = !slash || type === S_IF.DIR;
  const how = { call, held, fresh, locked: true };
  const dentry = await lookup(process, parent, name, how);
  if (dentry.node !== null) throw new SimError(call, ERRNO.EEXIST);
  if (!fresh) throw new SimError(call, ERRNO.ENOENT);
  if (process.tree.readOnly) throw new SimError(call, ERRNO.EROFS);
  return dentry;
}

/** Fails unless a directory may get a new name: `may_create()`. */
export async function requireMayCreate(
  process: TreeProcess,
  parent: Dentry,
  call: string,
): Promise<void> {
  if (parent.node!.dead) throw new SimError(call, ERRNO.ENOENT);
  await process.requirePermission(parent.node!, call, MAY.WRITE | MAY.EXEC);
}

/** Caches the inode of a reply that created a name: `create_new_entry()`. */
export function instantiate(
  process: TreeProcess,
  dentry: Dentry,
  type: number,
  { errno, body }: SimAnswer,
  call: string,
): Dentry {
  const { tree } = process;
  const { parent, name } = dentry;
  if (errno !== 0) {
    //= fs/fuse/dir.c create_new_entry(): another client created the name.
    if (errno === ERRNO.EEXIST) dentry.validUntil = -1;
    throw new SimError(call, errno);
  }
  const entry = readEntry(body, tree.protocolVersion);
  const isOther = ((entry.attr.mode ^ type) & S_IF.MT) !== 0;
  if (!isUsableEntry(process, entry) || isOther) {
    throw new SimError(call, ERRNO.EIO);
  }
  const node = tree.iget(entry);
  detach(dentry);
  const found = splice(parent, name, node, call);
  tree.setExpiry(found, entry);
  invalidateDirectory(parent.node!);
  return found;
}

/** Invalidates the attributes of a changed directory: `fuse_dir_changed()`. */
export function invalidateDirectory(directory: TreeNode): void {
  directory.inode.invalidate(ALL_ATTRIBUTES);
}

/** Invalidates the change time: `fuse_update_ctime()`. */
export function invalidateCtime(node: TreeNode): void {
  node.inode.invalidate(STATX.CTIME);
}

/** A mode without the bits of the umask. */
export function applyUmask(process: TreeProcess, mode: number): number {
  //= fs/fuse/dir.c fuse_create_open(): with FUSE_DONT_MASK the server applies
  //= the umask.
  const { tree, umask } = process;
  return isNegotiated(tree.limits, "DONT_MASK") ? mode : mode & ~umask;
}
