/**
 * GETATTR and STATX. fs/fuse/dir.c.
 *
 * @module
 */
import { ERRNO } from "../../src/base/errno.ts";
import { S_IF, STATX } from "../../src/base/file_flags.ts";
import { NS_PER_US, timeOf, US_PER_S } from "../../src/base/timespec.ts";
import { decodeStruct, encodeStruct } from "../../src/protocol/codec.ts";
import { sizeOf } from "../../src/protocol/layout.ts";
import type { Decoded } from "../../src/protocol/types.ts";
import {
  type Caller,
  type Credentials,
  type Signals,
  SimError,
} from "../kernel/call.ts";
import { ALL_ATTRIBUTES, type SimInode, type SimStat } from "./inode.ts";

const SIZE_MAX = 2 ** 63;

/**
 * The inode that a system call is about, and the process that makes it.
 *
 * @category Files
 */
export interface CallContext {
  /** Sends its requests. */
  readonly caller: Caller;
  /** The inode. */
  readonly inode: SimInode;
  /** The ids of the process. */
  readonly credentials: Credentials;
  /** The signals of the process. */
  readonly signals?: Signals | undefined;
  /** Identifies the process in file locks. */
  readonly lockOwner: bigint;
  /** Mount option `ro`. */
  readonly readOnly: boolean;
  /** Mount option `allow_other`. */
  readonly allowOther: boolean;
  /** Mount option `default_permissions`; yes if left out. */
  readonly defaultPermissions?: boolean;
}

/**
 * The attributes: the cached ones if they are valid, otherwise the server's.
 *
 * @param context The inode and the process.
 * @param call The name of the system call.
 * @param file The open file, if there is one.
 * @param mask Fields of statx(2) that have to be valid.
 */
export async function getAttributes(
  context: CallContext,
  call: string,
  file?: { readonly fh: bigint },
  mask: number = ALL_ATTRIBUTES,
): Promise<SimStat> {
  const { inode } = context;
  if (inode.bad) throw new SimError(call, ERRNO.EIO);
  if (inode.isValid(mask)) return inode.stat;
  return await fetchAttributes(context, call, file);
}

/** Fetches the attributes from the server. */
export async function fetchAttributes(
  context: CallContext,
  call: string,
  file?: { readonly fh: bigint },
): Promise<SimStat> {
  const { caller, inode, credentials, signals } = context;
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
  if (errno !== 0) throw new SimError(call, errno);
  //= fs/fuse/inode.c fuse_change_attributes(): a write in the meantime is newer
  //= than the reply, which is then not cached.
  return accept(context, body, call, inode.version === version);
}

/**
 * Accepts the attributes of a reply.
 *
 * @throws {SimError} EIO if they cannot belong to the inode.
 */
export function accept(
  { inode }: CallContext,
  body: Uint8Array,
  call: string,
  isNews: boolean = true,
): SimStat {
  const whole = new Uint8Array(sizeOf("fuse_attr_out"));
  // Before 7.9 the attributes were shorter.
  whole.set(body);
  const out = decodeStruct("fuse_attr_out", whole);
  const { attr } = out;
  //= fs/fuse/dir.c fuse_invalid_attr() and inode_wrong_type(): EIO for another
  //= file type or a negative size.
  const isSame = ((attr.mode ^ inode.stat.mode) & S_IF.MT) === 0;
  if (!isSame || Number(attr.size) >= SIZE_MAX) {
    throw new SimError(call, ERRNO.EIO);
  }
  const stat = toStat(attr);
  const us = microseconds(out.attr_valid, out.attr_valid_nsec);
  if (isNews) inode.update(stat, us);
  return stat;
}

/** The time in microseconds for which a reply is valid. */
export function microseconds(seconds: bigint, nanoseconds: number): number {
  return Number(seconds) * US_PER_S + nanoseconds / NS_PER_US;
}

/** Converts attributes from the wire. */
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

/**
 * The attributes with STATX, or with GETATTR if the server does not know STATX.
 * fs/fuse/dir.c fuse_update_get_attr().
 */
export async function getBirthAttributes(
  context: CallContext,
): Promise<SimStat> {
  const { caller, inode, credentials } = context;
  const isAsked = !inode.isValid() && !inode.unsupported.has("STATX");
  if (!isAsked) return await getAttributes(context, "statx");
  const { version } = inode;
  const { errno, body } = await caller.call({
    opcode: "STATX",
    body: encodeStruct("fuse_statx_in", {
      "sx_mask": ALL_ATTRIBUTES | STATX.BTIME,
    }),
    credentials,
    signals: context.signals,
  });
  if (errno === ERRNO.ENOSYS) {
    inode.unsupported.add("STATX");
    return await getAttributes(context, "statx");
  }
  if (errno !== 0) throw new SimError("statx", errno);
  const out = decodeStruct("fuse_statx_out", body);
  const us = microseconds(out.attr_valid, out.attr_valid_nsec);
  //= fs/fuse/dir.c fuse_do_statx(): the inode number stays the known one.
  const stat = { ...statxStat(out.stat), ino: inode.stat.ino };
  if (inode.version === version) inode.update(stat, us);
  return stat;
}

function statxStat(stat: Decoded<"fuse_statx">): Omit<SimStat, "ino"> {
  return {
    size: Number(stat.size),
    blocks: Number(stat.blocks),
    blockSize: stat.blksize,
    mode: stat.mode,
    links: stat.nlink,
    rdev: deviceNumber(stat.rdev_major, stat.rdev_minor),
    uid: stat.uid,
    gid: stat.gid,
    atime: statxTime(stat.atime),
    mtime: statxTime(stat.mtime),
    ctime: statxTime(stat.ctime),
  };
}

function deviceNumber(major: number, minor: number): number {
  //= include/linux/kdev_t.h new_encode_dev().
  return (minor & 0xff | major << 8 | (minor & ~0xff) << 12) >>> 0;
}

function statxTime(time: Decoded<"fuse_sx_time">): bigint {
  return timeOf(time.tv_sec, time.tv_nsec);
}
