/**
 * Changes of mode, owner and times: what the kernel checks, asks and sends.
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
import { accept, askAttributes, type Mounted } from "./getattr.ts";
import { allowed, MAY, owns, permitted } from "./permission.ts";

const SETGID_EXEC = S_IS.GID | 0o010;

/** A time to be set: nanoseconds since 1970, or that of the call. */
export type SimTime = bigint | "now" | null;

/** chmod(2) and fchmod(2). */
export async function changeMode(
  mounted: Mounted,
  during: string,
  mode: number,
): Promise<void> {
  writable(mounted, during);
  await change(mounted, during, () => {
    allowed(mounted, during);
    if (!owns(mounted)) throw new SimError(during, ERRNO.EPERM);
    const { credentials, inode } = mounted;
    //= fs/attr.c setattr_prepare(): nobody gives away a group's rights that he
    //= does not have.
    const foreign = credentials.uid !== 0 && credentials.gid !== inode.stat.gid;
    const kept = foreign ? 0o7777 & ~S_IS.GID : 0o7777;
    //= fs/open.c chmod_common(): the type of the file comes along.
    const type = inode.stat.mode & S_IF.MT;
    return { valid: FATTR.MODE, mode: mode & kept | type };
  });
}

/** chown(2); -1 leaves one as it is. */
export async function changeOwner(
  mounted: Mounted,
  during: string,
  uid: number,
  gid: number,
): Promise<void> {
  writable(mounted, during);
  await change(mounted, during, async () => {
    //= fs/open.c chown_common(): a directory has nothing to lose.
    const { stat } = mounted.inode;
    const keepsBits = (stat.mode & S_IF.MT) === S_IF.DIR;
    if (!keepsBits) await probeCapability(mounted);
    allowed(mounted, during);
    const lost = keepsBits ? {} : await withoutSetId(mounted, during);
    const { credentials, inode } = mounted;
    //= fs/attr.c chown_ok() and chgrp_ok(): the owner may hand it to a group
    //= that he is in.
    const keeps = uid < 0 || uid === inode.stat.uid;
    const joins = gid < 0 || gid === credentials.gid || gid === inode.stat.gid;
    const isChecked = credentials.uid !== 0 &&
      mounted.defaultPermissions !== false;
    if (isChecked && !(owns(mounted) && keeps && joins)) {
      throw new SimError(during, ERRNO.EPERM);
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

/** utimensat(2); `null` leaves one as it is. */
export async function changeTimes(
  mounted: Mounted,
  during: string,
  atime: SimTime,
  mtime: SimTime,
): Promise<void> {
  //= fs/utimes.c do_utimes(): nothing is looked at for nothing.
  if (atime === null && mtime === null) return;
  writable(mounted, during);
  const isTouch = atime === "now" && mtime === "now";
  await change(mounted, during, async () => {
    //= fs/attr.c may_setattr(): whoever may write may set both to now.
    if (isTouch && !owns(mounted)) await permitted(mounted, during, MAY.WRITE);
    allowed(mounted, during);
    if (!isTouch && !owns(mounted)) throw new SimError(during, ERRNO.EPERM);
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

/** Refuses changes to a read-only mount: it is asked nothing. */
export function writable({ readOnly }: Mounted, during: string): void {
  //= fs/namespace.c mnt_want_write().
  if (readOnly) throw new SimError(during, ERRNO.EROFS);
}

type Wanted = Encodable<"fuse_setattr_in">;

async function change(
  mounted: Mounted,
  during: string,
  prepare: () => Wanted | Promise<Wanted>,
): Promise<void> {
  const { lock } = mounted.inode;
  await lock.take(true);
  try {
    await changeAttributes(mounted, during, await prepare());
  } finally {
    lock.give();
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

/** Changes attributes. */
export async function changeAttributes(
  mounted: Mounted,
  during: string,
  wanted: Encodable<"fuse_setattr_in">,
): Promise<void> {
  const { caller, credentials, signals } = mounted;
  const { errno, body } = await caller.call({
    opcode: "SETATTR",
    body: encodeStruct("fuse_setattr_in", wanted),
    credentials,
    signals,
  });
  if (errno !== 0) throw new SimError(during, errno);
  accept(mounted, body, during);
}

/**
 * The bits that a file loses when somebody else becomes its owner or changes
 * it, as part of SETATTR.
 */
export async function withoutSetId(
  mounted: Mounted,
  during: string,
  file?: { readonly fh: bigint },
): Promise<Pick<Encodable<"fuse_setattr_in">, "valid" | "mode">> {
  //= fs/fuse/dir.c fuse_setattr(): the mode may be out of date, and is asked
  //= for.
  const { mode } = await askAttributes(mounted, during, file);
  const group = (mode & SETGID_EXEC) === SETGID_EXEC ? S_IS.GID : 0;
  const lost = mode & S_IS.UID | group;
  return lost === 0 ? {} : { valid: FATTR.MODE, mode: mode & ~lost };
}

/** Whether a change by this process takes set-id bits away. */
export function losesSetId({ credentials, inode }: Mounted): boolean {
  //= fs/attr.c setattr_should_drop_suidgid(): not if root does it.
  const { mode } = inode.stat;
  return credentials.uid !== 0 &&
    ((mode & S_IS.UID) !== 0 || (mode & SETGID_EXEC) === SETGID_EXEC);
}

/**
 * Changes the size, with the inode's lock alone.
 *
 * @param mounted Whose.
 * @param during The system call that does it.
 * @param size The new size in bytes.
 * @param file The open file, if one leads to it.
 * @param opening Whether that happens while the file is opened.
 */
export async function changeSize(
  mounted: Mounted,
  during: string,
  size: number,
  file?: { readonly fh: bigint },
  opening: boolean = false,
): Promise<void> {
  await probeCapability(mounted);
  await mounted.inode.lock.take(true);
  try {
    const lost = losesSetId(mounted)
      ? await withoutSetId(mounted, during, file)
      : {};
    const named = opening ? undefined : file;
    //= fs/fuse/dir.c fuse_do_setattr(): a size comes with the lock's owner,
    //= and with the file where there is one, though not from open(2).
    await changeAttributes(mounted, during, {
      ...lost,
      valid: (lost.valid ?? 0) | FATTR.SIZE | FATTR.LOCKOWNER |
        (named ? FATTR.FH : 0),
      fh: named?.fh ?? 0n,
      size: BigInt(size),
      lock_owner: mounted.lockOwner,
    });
  } finally {
    mounted.inode.lock.give();
  }
}

/** Asks whether the file has capabilities that a change would void. */
export async function probeCapability(mounted: Mounted): Promise<void> {
  const { caller, inode, credentials, signals } = mounted;
  //= fs/fuse/xattr.c fuse_getxattr(): ENOSYS is never asked again.
  if (inode.unknown.has("GETXATTR")) return;
  const { errno } = await caller.call({
    opcode: "GETXATTR",
    body: encodeStruct("fuse_getxattr_in"),
    tail: new TextEncoder().encode("security.capability\0"),
    credentials,
    signals,
  });
  if (errno === ERRNO.ENOSYS) inode.unknown.add("GETXATTR");
}
