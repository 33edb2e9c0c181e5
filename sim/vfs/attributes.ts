/**
 * GETATTR, SETATTR and the probe for capabilities: what the kernel asks about
 * the file itself. fs/fuse/dir.c.
 *
 * @module
 */
import { timeOf } from "../../src/base/timespec.ts";
import { decodeStruct, encodeStruct } from "../../src/protocol/codec.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { FATTR } from "../../src/protocol/flags.ts";
import { S_IF } from "../../src/base/file_flags.ts";
import type { Decoded, Encodable } from "../../src/protocol/types.ts";
import type { Caller, Credentials } from "../kernel/call.ts";
import { ALL_ATTRIBUTES, type SimInode, type SimStat } from "./inode.ts";
import type { Signals } from "../kernel/signals.ts";
import { SimError } from "../kernel/sim_error.ts";

const SIZE_MAX = 2 ** 63;
const S_ISUID = 0o4000;
const S_ISGID = 0o2000;
const SETGID_EXEC = S_ISGID | 0o010;

/** What the parts of a client share. */
export interface Mounted {
  /** Whoever takes requests. */
  readonly caller: Caller;
  /** The mounted file. */
  readonly inode: SimInode;
  /** Who asks. */
  readonly credentials: Credentials;
  /** What it may be told while it waits. */
  readonly signals?: Signals | undefined;
  /** Stands for the process in locks. */
  readonly lockOwner: bigint;
  /** Mount option `ro`. */
  readonly readOnly: boolean;
  /** Mount option `allow_other`. */
  readonly allowOther: boolean;
  /** Mount option `default_permissions`; yes if left out. */
  readonly defaultPermissions?: boolean;
}

/**
 * The attributes, from the server unless they may be believed.
 *
 * @param mounted Whose.
 * @param during The system call that wants them.
 * @param file The open file that is asked about, if one is.
 * @param mask Which are wanted, as statx(2) counts them.
 */
export async function attributes(
  mounted: Mounted,
  during: string,
  file?: { readonly fh: bigint },
  mask: number = ALL_ATTRIBUTES,
): Promise<SimStat> {
  const { inode } = mounted;
  if (inode.bad) throw new SimError(during, ERRNO.EIO);
  if (inode.believed(mask)) return inode.stat;
  return await askAttributes(mounted, during, file);
}

/** The attributes, from the server. */
export async function askAttributes(
  mounted: Mounted,
  during: string,
  file?: { readonly fh: bigint },
): Promise<SimStat> {
  const { caller, inode, credentials, signals } = mounted;
  const { version } = inode;
  const { errno, body } = await caller.call({
    opcode: "GETATTR",
    body: encodeStruct(
      "fuse_getattr_in",
      file === undefined ? {} : { getattr_flags: 1, fh: file.fh },
    ),
    credentials,
    signals,
  });
  if (errno !== 0) throw new SimError(during, errno);
  //= fs/fuse/inode.c fuse_change_attributes(): what was written meanwhile is
  //= newer than the answer, which counts for whoever asked alone.
  return accept(mounted, body, during, inode.version === version);
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
  const group = (mode & SETGID_EXEC) === SETGID_EXEC ? S_ISGID : 0;
  const lost = mode & S_ISUID | group;
  return lost === 0 ? {} : { valid: FATTR.MODE, mode: mode & ~lost };
}

/** Whether a change by this process takes set-id bits away. */
export function losesSetId({ credentials, inode }: Mounted): boolean {
  //= fs/attr.c setattr_should_drop_suidgid(): not if root does it.
  const { mode } = inode.stat;
  return credentials.uid !== 0 &&
    ((mode & S_ISUID) !== 0 || (mode & SETGID_EXEC) === SETGID_EXEC);
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

function accept(
  { inode }: Mounted,
  body: Uint8Array,
  during: string,
  isNews: boolean = true,
): SimStat {
  const out = decodeStruct("fuse_attr_out", body);
  const { attr } = out;
  //= fs/fuse/dir.c fuse_invalid_attr() and inode_wrong_type(): another file
  //= type or a negative size makes the inode bad.
  const isSame = ((attr.mode ^ inode.stat.mode) & S_IF.MT) === 0;
  if (!isSame || Number(attr.size) >= SIZE_MAX) {
    throw new SimError(during, ERRNO.EIO);
  }
  const stat = toStat(attr);
  const us = microseconds(out.attr_valid, out.attr_valid_nsec);
  if (isNews) inode.update(stat, us);
  return stat;
}

/** A time for which something may be believed. */
export function microseconds(seconds: bigint, nanoseconds: number): number {
  return Number(seconds) * 1e6 + nanoseconds / 1000;
}

/** What stat(2) tells of attributes on the wire. */
export function toStat(attr: Decoded<"fuse_attr">): SimStat {
  return {
    ino: attr.ino,
    size: Number(attr.size),
    blocks: Number(attr.blocks),
    blockSize: attr.blksize,
    mode: attr.mode,
    links: attr.nlink,
    rdev: attr.rdev,
    uid: attr.uid,
    gid: attr.gid,
    atime: timeOf(attr.atime, attr.atimensec),
    mtime: timeOf(attr.mtime, attr.mtimensec),
    ctime: timeOf(attr.ctime, attr.ctimensec),
  };
}
