/**
 * statx(2) that asks for the time of birth, of which only STATX tells.
 * fs/fuse/dir.c fuse_update_get_attr().
 *
 * @module
 */
import { timeOf } from "../../src/base/timespec.ts";
import { decodeStruct, encodeStruct } from "../../src/protocol/codec.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { STATX } from "../../src/protocol/flags.ts";
import type { Decoded } from "../../src/protocol/types.ts";
import { attributes, type Mounted } from "./attributes.ts";
import { ALL_ATTRIBUTES, type SimStat } from "./inode.ts";
import { SimError } from "../kernel/sim_error.ts";

/** The attributes, by STATX unless the server does not know it. */
export async function attributesWithBirth(mounted: Mounted): Promise<SimStat> {
  const { caller, inode, credentials } = mounted;
  const isAsked = !inode.believed() && !inode.unknown.has("STATX");
  if (!isAsked) return await attributes(mounted, "statx");
  const { version } = inode;
  const { errno, body } = await caller.call({
    opcode: "STATX",
    body: encodeStruct("fuse_statx_in", {
      "sx_mask": ALL_ATTRIBUTES | STATX.BTIME,
    }),
    credentials,
    signals: mounted.signals,
  });
  if (errno === ERRNO.ENOSYS) {
    inode.unknown.add("STATX");
    return await attributes(mounted, "statx");
  }
  if (errno !== 0) throw new SimError("statx", errno);
  const out = decodeStruct("fuse_statx_out", body);
  const us = Number(out.attr_valid) * 1e6 + out.attr_valid_nsec / 1000;
  //= fs/fuse/dir.c fuse_do_statx(): the inode's number is the one known.
  const stat = { ...toStat(out.stat), ino: inode.stat.ino };
  if (inode.version === version) inode.update(stat, us);
  return stat;
}

function toStat(stat: Decoded<"fuse_statx">): Omit<SimStat, "ino"> {
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
