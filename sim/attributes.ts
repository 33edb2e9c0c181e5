/**
 * GETATTR, SETATTR and the probe for capabilities: what the kernel asks about
 * the file itself. fs/fuse/dir.c.
 *
 * @module
 */
import { decodeStruct, encodeStruct } from "../src/protocol/codec.ts";
import { ERRNO } from "../src/protocol/errno.ts";
import { FATTR, S_IF } from "../src/protocol/flags.ts";
import type { Decoded, Encodable } from "../src/protocol/types.ts";
import type { Caller, Credentials } from "./call.ts";
import type { SimInode, SimStat } from "./inode.ts";
import { SimError } from "./sim_error.ts";

const NS_PER_S = 1_000_000_000n;
const SIZE_MAX = 2 ** 63;

/** What the parts of a client share. */
export interface Mounted {
  /** Whoever takes requests. */
  readonly caller: Caller;
  /** The mounted file. */
  readonly inode: SimInode;
  /** Who asks. */
  readonly credentials: Credentials;
  /** Stands for the process in locks. */
  readonly lockOwner: bigint;
}

/** The attributes, from the server unless they may be believed. */
export async function attributes(
  mounted: Mounted,
  during: string,
  file?: { readonly fh: bigint },
): Promise<SimStat> {
  const { caller, inode, credentials } = mounted;
  if (inode.valid) return inode.stat;
  const { errno, body } = await caller.call({
    opcode: "GETATTR",
    body: encodeStruct(
      "fuse_getattr_in",
      file === undefined ? {} : { getattr_flags: 1, fh: file.fh },
    ),
    credentials,
  });
  if (errno !== 0) throw new SimError(during, errno);
  return accept(mounted, body, during);
}

/** Changes attributes. */
export async function changeAttributes(
  mounted: Mounted,
  during: string,
  wanted: Encodable<"fuse_setattr_in">,
): Promise<void> {
  const { caller, credentials } = mounted;
  const { errno, body } = await caller.call({
    opcode: "SETATTR",
    body: encodeStruct("fuse_setattr_in", wanted),
    credentials,
  });
  if (errno !== 0) throw new SimError(during, errno);
  accept(mounted, body, during);
}

/** Changes the size, with the inode's lock alone. */
export async function changeSize(
  mounted: Mounted,
  during: string,
  size: number,
  file?: { readonly fh: bigint },
): Promise<void> {
  await probeCapability(mounted);
  await mounted.inode.lock.take(true);
  try {
    //= fs/fuse/dir.c fuse_do_setattr(): a size comes with the lock's owner,
    //= and with the file where there is one.
    await changeAttributes(mounted, during, {
      valid: FATTR.SIZE | FATTR.LOCKOWNER | (file ? FATTR.FH : 0),
      fh: file?.fh ?? 0n,
      size: BigInt(size),
      lock_owner: mounted.lockOwner,
    });
  } finally {
    mounted.inode.lock.give();
  }
}

/** Asks whether the file has capabilities that a change would void. */
export async function probeCapability(mounted: Mounted): Promise<void> {
  const { caller, inode, credentials } = mounted;
  //= fs/fuse/xattr.c fuse_getxattr(): ENOSYS is never asked again.
  if (inode.unknown.has("GETXATTR")) return;
  const { errno } = await caller.call({
    opcode: "GETXATTR",
    body: encodeStruct("fuse_getxattr_in"),
    tail: new TextEncoder().encode("security.capability\0"),
    credentials,
  });
  if (errno === ERRNO.ENOSYS) inode.unknown.add("GETXATTR");
}

function accept(
  { inode }: Mounted,
  body: Uint8Array,
  during: string,
): SimStat {
  const { attr } = decodeStruct("fuse_attr_out", body);
  //= fs/fuse/dir.c fuse_invalid_attr() and inode_wrong_type(): another file
  //= type or a negative size makes the inode bad.
  const isRegular = (attr.mode & S_IF.MT) === S_IF.REG;
  if (!isRegular || Number(attr.size) >= SIZE_MAX) {
    throw new SimError(during, ERRNO.EIO);
  }
  const stat = toStat(attr);
  inode.update(stat);
  return stat;
}

function toStat(attr: Decoded<"fuse_attr">): SimStat {
  const time = (s: bigint, ns: number) =>
    BigInt.asIntN(64, s) * NS_PER_S + BigInt(ns);
  return {
    size: Number(attr.size),
    blocks: Number(attr.blocks),
    blockSize: attr.blksize,
    mode: attr.mode,
    uid: attr.uid,
    gid: attr.gid,
    atime: time(attr.atime, attr.atimensec),
    mtime: time(attr.mtime, attr.mtimensec),
    ctime: time(attr.ctime, attr.ctimensec),
  };
}
