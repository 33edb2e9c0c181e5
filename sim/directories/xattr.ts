/**
 * Extended attributes: GETXATTR, LISTXATTR, SETXATTR, REMOVEXATTR. fs/xattr.c,
 * fs/fuse/xattr.c.
 *
 * @module
 */
import { XATTR_NAME_MAX, XATTR_SIZE_MAX } from "../../src/base/limits.ts";
import { decodeName, encodeName } from "../../src/base/name_bytes.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { S_IF, S_IS } from "../../src/base/file_flags.ts";
import type { RequestParts } from "../../src/protocol/message.ts";
import type { OpcodeName } from "../../src/protocol/opcodes.ts";
import { SimError } from "../kernel/call.ts";
import type { OptionalRequest } from "../vfs/inode.ts";
import { isOwner, MAY, requireAccess } from "../vfs/permission.ts";
import { invalidateCtime } from "./create.ts";
import type { TreeNode } from "./dcache.ts";
import type { TreeProcess } from "./tree_process.ts";

/** Attempts to read a value that grows in the meantime. */
const TRIES = 3;

/** getxattr(2) into `size` bytes; 0 returns the size. */
export async function getAttribute(
  process: TreeProcess,
  node: TreeNode,
  name: string,
  size: number,
): Promise<Uint8Array | number> {
  await mayUse(process, node, "getxattr", name, MAY.READ);
  const body = { size: Math.min(size, XATTR_SIZE_MAX) };
  const parts = { body, names: [name] };
  return await value(process, node, "GETXATTR", parts, body.size);
}

/** listxattr(2) into `size` bytes; 0 returns the size. */
export async function listAttributes(
  process: TreeProcess,
  node: TreeNode,
  size: number,
): Promise<Uint8Array | number> {
  requireAccess(process.at(node), "listxattr");
  const body = { size: Math.min(size, XATTR_SIZE_MAX) };
  return await value(process, node, "LISTXATTR", { body }, body.size);
}

/** Reads a value as programs do: first its size, then all of it. */
export async function readWholeValue(
  ask: (size: number) => Promise<Uint8Array | number>,
): Promise<Uint8Array> {
  for (let left = TRIES;; left--) {
    const size = await ask(0) as number;
    if (size === 0) return new Uint8Array(0);
    try {
      return await ask(size) as Uint8Array;
    } catch (error) {
      const isGrown = error instanceof SimError && error.errno === ERRNO.ERANGE;
      if (!isGrown || left === 0) throw error;
    }
  }
}

/** Splits a list of names. */
export function namesOf(list: Uint8Array): string[] {
  return decodeName(list).split("\0").filter((name) => name !== "");
}

/** setxattr(2). */
export async function setAttribute(
  process: TreeProcess,
  node: TreeNode,
  name: string,
  value: Uint8Array,
  flags: number,
): Promise<void> {
  const call = "setxattr";
  if ((flags & ~3) !== 0) throw new SimError(call, ERRNO.EINVAL);
  checkName(call, name);
  if (value.length > XATTR_SIZE_MAX) throw new SimError(call, ERRNO.E2BIG);
  if (process.tree.readOnly) throw new SimError(call, ERRNO.EROFS);
  await change(process, node, call, name, "SETXATTR", {
    body: { size: value.length, flags },
    names: [name],
    data: value,
  });
}

/** removexattr(2). */
export async function removeAttribute(
  process: TreeProcess,
  node: TreeNode,
  name: string,
): Promise<void> {
  const call = "removexattr";
  checkName(call, name);
  if (process.tree.readOnly) throw new SimError(call, ERRNO.EROFS);
  await change(process, node, call, name, "REMOVEXATTR", { names: [name] });
}

async function change<N extends "SETXATTR" | "REMOVEXATTR">(
  process: TreeProcess,
  node: TreeNode,
  call: string,
  name: string,
  opcode: N,
  parts: RequestParts<N>,
): Promise<void> {
  const { lock } = node.inode;
  await lock.acquire(true);
  try {
    await mayUse(process, node, call, name, MAY.WRITE);
    await known(process, node, opcode, parts);
    invalidateCtime(node);
  } finally {
    lock.release();
  }
}

async function value<N extends "GETXATTR" | "LISTXATTR">(
  process: TreeProcess,
  node: TreeNode,
  opcode: N,
  parts: RequestParts<N>,
  size: number,
): Promise<Uint8Array | number> {
  const room = size > 0 ? size : undefined;
  const body = await known(process, node, opcode, parts, room);
  if (size > 0) return body;
  const length = new DataView(body.buffer, body.byteOffset).getUint32(0, true);
  //= fs/fuse/xattr.c fuse_getxattr(): at most XATTR_SIZE_MAX.
  return Math.min(length, XATTR_SIZE_MAX);
}

/** Sends a request, unless the server is known not to support it. */
async function known<N extends OpcodeName & OptionalRequest>(
  process: TreeProcess,
  node: TreeNode,
  opcode: N,
  parts: RequestParts<N>,
  room?: number,
): Promise<Uint8Array> {
  const { unsupported } = process.tree;
  const call = opcode.toLowerCase();
  //= fs/fuse/xattr.c fuse_getxattr(): ENOSYS is remembered.
  if (unsupported.has(opcode)) throw new SimError(call, ERRNO.EOPNOTSUPP);
  const { errno, body } = await process.ask(node, opcode, parts, room);
  if (errno === 0) return body;
  if (errno !== ERRNO.ENOSYS) throw new SimError(call, errno);
  unsupported.add(opcode);
  throw new SimError(call, ERRNO.EOPNOTSUPP);
}

function checkName(call: string, name: string): void {
  const { length } = encodeName(name);
  //= fs/xattr.c import_xattr_name(): ERANGE for an empty or too long name.
  if (length === 0 || length > XATTR_NAME_MAX) {
    throw new SimError(call, ERRNO.ERANGE);
  }
}

/** Fails unless the process may use an attribute: `xattr_permission()`. */
async function mayUse(
  process: TreeProcess,
  node: TreeNode,
  call: string,
  name: string,
  wanted: number,
): Promise<void> {
  checkName(call, name);
  const { uid } = process.credentials;
  const writes = wanted === MAY.WRITE;
  const refused = writes ? ERRNO.EPERM : ERRNO.ENODATA;
  if (name.startsWith("trusted.") && uid !== 0) {
    throw new SimError(call, refused);
  }
  if (!name.startsWith("user.")) return;
  //= fs/xattr.c xattr_permission(): only plain files and directories have names
  //= in user., and only the owner of a sticky directory changes them.
  if (node.type !== S_IF.REG && !node.isDirectory) {
    throw new SimError(call, refused);
  }
  const isSticky = node.isDirectory &&
    (node.inode.stat.mode & S_IS.VTX) !== 0;
  if (isSticky && writes && !isOwner(process.at(node))) {
    throw new SimError(call, ERRNO.EPERM);
  }
  await process.requirePermission(node, call, wanted);
}
