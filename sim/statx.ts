/**
 * statx(2) that asks for the time of birth, of which only STATX tells.
 * fs/fuse/dir.c fuse_update_get_attr().
 *
 * @module
 */
import { decodeStruct, encodeStruct } from "../src/protocol/codec.ts";
import { ERRNO } from "../src/protocol/errno.ts";
import { STATX } from "../src/protocol/flags.ts";
import type { Decoded } from "../src/protocol/types.ts";
import { attributes, type Mounted } from "./attributes.ts";
import { ALL_ATTRIBUTES, type SimStat } from "./inode.ts";
import { SimError } from "./sim_error.ts";

const NS_PER_S = 1_000_000_000n;

/** The attributes, by STATX unless the server does not know it. */
export async function attributesWithBirth(mounted: Mounted): Promise<SimStat> {
  const { caller, inode, credentials } = mounted;
  const isAsked = !inode.believed() && !inode.unknown.has("STATX");
  if (!isAsked) return await attributes(mounted, "statx");
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
  inode.update(toStat(out.stat), us);
  return inode.stat;
}

function toStat(stat: Decoded<"fuse_statx">): SimStat {
  return {
    size: Number(stat.size),
    blocks: Number(stat.blocks),
    blockSize: stat.blksize,
    mode: stat.mode,
    uid: stat.uid,
    gid: stat.gid,
    atime: timeOf(stat.atime),
    mtime: timeOf(stat.mtime),
    ctime: timeOf(stat.ctime),
  };
}

function timeOf(time: Decoded<"fuse_sx_time">): bigint {
  return time.tv_sec * NS_PER_S + BigInt(time.tv_nsec);
}
