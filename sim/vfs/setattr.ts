/**
 * SETATTR: the checks, requests and effects of changes to attributes.
 * fs/attr.c, fs/fuse/dir.c fuse_setattr().
 *
 * @module
 */
import { ERRNO } from "../../src/base/errno.ts";
import { S_IF, S_IS } from "../../src/base/file_flags.ts";
import { nanosecondsOf, secondsOf } from "../../src/base/timespec.ts";
import { encodeStruct } from "../../src/protocol/codec.ts";
import { FATTR } from "../../src/protocol/flags.ts";
import type { Encodable } from "../../src/protocol/types.ts";
import { SimError } from "../kernel/call.ts";
import { accept, type CallContext, fetchAttributes } from "./getattr.ts";
import {
  isOwner,
  MAY,
  requireAccess,
  requirePermission,
} from "./permission.ts";

const SETGID_EXEC = S_IS.GID | 0o010;

/**
 * A time to set: nanoseconds since 1970, "now" for the time of the call, or
 * `null` to keep the present one.
 *
 * @category Files
 */
export type SimTime = bigint | "now" | null;

/** chmod(2) and fchmod(2). */
export async function setMode(
  context: CallContext,
  call: string,
  mode: number,
): Promise<void> {
  requireWritable(context, call);
  await change(context, call, () => {
    requireAccess(context, call);
    if (!isOwner(context)) throw new SimError(call, ERRNO.EPERM);
    const { credentials, inode } = context;
    //= fs/attr.c setattr_prepare(): only members of the group may set S_ISGID.
    const foreign = credentials.uid !== 0 && credentials.gid !== inode.stat.gid;
    const kept = foreign ? 0o7777 & ~S_IS.GID : 0o7777;
    //= fs/open.c chmod_common(): the mode includes the file type.
    const type = inode.stat.mode & S_IF.MT;
    return { valid: FATTR.MODE, mode: mode & kept | type };
  });
}

/** chown(2); -1 keeps an id. */
export async function setOwner(
  context: CallContext,
  call: string,
  uid: number,
  gid: number,
): Promise<void> {
  requireWritable(context, call);
  await change(context, call, async () => {
    //= fs/open.c chown_common(): a directory keeps its set-id bits.
    const { stat } = context.inode;
    const keepsBits = (stat.mode & S_IF.MT) === S_IF.DIR;
    if (!keepsBits) await probeCapability(context);
    requireAccess(context, call);
    const lost = keepsBits ? {} : await setIdChange(context, call);
    const { credentials, inode } = context;
    //= fs/attr.c chown_ok() and chgrp_ok(): the owner may pass the file to a
    //= group of which it is a member.
    const keeps = uid < 0 || uid === inode.stat.uid;
    const joins = gid < 0 || gid === credentials.gid || gid === inode.stat.gid;
    const isChecked = credentials.uid !== 0 &&
      context.defaultPermissions !== false;
    if (isChecked && !(isOwner(context) && keeps && joins)) {
      throw new SimError(call, ERRNO.EPERM);
    }
    return {
      ...lost,
      valid: (lost.valid ?? 0) | (uid < 0 ? 0 : FATTR.UID) |
        (gid < 0 ? 0 : FATTR.GID),
      uid: Math.max(0, uid),
      gid: Math.max(0, gid),
    };
  });
}

/** utimensat(2). */
export async function setTimes(
  context: CallContext,
  call: string,
  atime: SimTime,
  mtime: SimTime,
): Promise<void> {
  //= fs/utimes.c do_utimes(): nothing to set, nothing to check.
  if (atime === null && mtime === null) return;
  requireWritable(context, call);
  const isTouch = atime === "now" && mtime === "now";
  await change(context, call, async () => {
    //= fs/attr.c may_setattr(): write permission suffices to set both times to
    //= now.
    if (isTouch && !isOwner(context)) {
      await requirePermission(context, call, MAY.WRITE);
    }
    requireAccess(context, call);
    if (!isTouch && !isOwner(context)) throw new SimError(call, ERRNO.EPERM);
    return {
      valid: timeFlags(atime, FATTR.ATIME, FATTR.ATIME_NOW) |
        timeFlags(mtime, FATTR.MTIME, FATTR.MTIME_NOW),
      atime: seconds(atime),
      atimensec: nanoseconds(atime),
      mtime: seconds(mtime),
      mtimensec: nanoseconds(mtime),
    };
  });
}

/** Fails with EROFS on a read-only mount, without a request. */
export function requireWritable({ readOnly }: CallContext, call: string): void {
  //= fs/namespace.c mnt_want_write().
  if (readOnly) throw new SimError(call, ERRNO.EROFS);
}

type Wanted = Encodable<"fuse_setattr_in">;

async function change(
  context: CallContext,
  call: string,
  prepare: () => Wanted | Promise<Wanted>,
): Promise<void> {
  const { lock } = context.inode;
  await lock.acquire(true);
  try {
    await sendSetattr(context, call, await prepare());
  } finally {
    lock.release();
  }
}

function timeFlags(time: SimTime, set: number, now: number): number {
  if (time === null) return 0;
  return time === "now" ? set | now : set;
}

function seconds(time: SimTime): bigint {
  if (typeof time !== "bigint") return 0n;
  return BigInt.asUintN(64, secondsOf(time));
}

function nanoseconds(time: SimTime): number {
  return typeof time === "bigint" ? nanosecondsOf(time) : 0;
}

/** Sends SETATTR and caches the attributes of its reply. */
export async function sendSetattr(
  context: CallContext,
  call: string,
  wanted: Encodable<"fuse_setattr_in">,
): Promise<void> {
  const { caller, credentials, signals } = context;
  const { errno, body } = await caller.call({
    opcode: "SETATTR",
    body: encodeStruct("fuse_setattr_in", wanted),
    credentials,
    signals,
  });
  if (errno !== 0) throw new SimError(call, errno);
  accept(context, body, call);
}

/** The part of a SETATTR that clears set-id bits; empty if there are none. */
export async function setIdChange(
  context: CallContext,
  call: string,
  file?: { readonly fh: bigint },
): Promise<Pick<Encodable<"fuse_setattr_in">, "valid" | "mode">> {
  //= fs/fuse/dir.c fuse_setattr(): the cached mode may be out of date.
  const { mode } = await fetchAttributes(context, call, file);
  const group = (mode & SETGID_EXEC) === SETGID_EXEC ? S_IS.GID : 0;
  const lost = mode & S_IS.UID | group;
  return lost === 0 ? {} : { valid: FATTR.MODE, mode: mode & ~lost };
}

/** Whether a write or truncate by this process clears set-id bits. */
export function dropsSetId({ credentials, inode }: CallContext): boolean {
  //= fs/attr.c setattr_should_drop_suidgid(): not for root.
  const { mode } = inode.stat;
  return credentials.uid !== 0 &&
    ((mode & S_IS.UID) !== 0 || (mode & SETGID_EXEC) === SETGID_EXEC);
}

/**
 * Sets the size, with the inode's lock held exclusively.
 *
 * @param context The inode and the process.
 * @param call The name of the system call.
 * @param size The new size in bytes.
 * @param file The open file, if there is one.
 * @param opening Whether this is part of open(2).
 */
export async function setSize(
  context: CallContext,
  call: string,
  size: number,
  file?: { readonly fh: bigint },
  opening: boolean = false,
): Promise<void> {
  await probeCapability(context);
  await context.inode.lock.acquire(true);
  try {
    const lost = dropsSetId(context)
      ? await setIdChange(context, call, file)
      : {};
    const named = opening ? undefined : file;
    //= fs/fuse/dir.c fuse_do_setattr(): a size is sent with the lock owner, and
    //= with the file handle unless it is part of open(2).
    await sendSetattr(context, call, {
      ...lost,
      valid: (lost.valid ?? 0) | FATTR.SIZE | FATTR.LOCKOWNER |
        (named ? FATTR.FH : 0),
      fh: named?.fh ?? 0n,
      size: BigInt(size),
      lock_owner: context.lockOwner,
    });
  } finally {
    context.inode.lock.release();
  }
}

/** Asks for the capabilities of the file, which a change would clear. */
export async function probeCapability(context: CallContext): Promise<void> {
  const { caller, inode, credentials, signals } = context;
  //= fs/fuse/xattr.c fuse_getxattr(): ENOSYS is remembered.
  if (inode.unsupported.has("GETXATTR")) return;
  const { errno } = await caller.call({
    opcode: "GETXATTR",
    body: encodeStruct("fuse_getxattr_in"),
    tail: new TextEncoder().encode("security.capability\0"),
    credentials,
    signals,
  });
  if (errno === ERRNO.ENOSYS) inode.unsupported.add("GETXATTR");
}
