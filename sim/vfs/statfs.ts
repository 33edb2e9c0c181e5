import { decodeStruct } from "../../src/protocol/codec.ts";
import type { CallContext } from "./getattr.ts";
import { hasAccess } from "./permission.ts";
import { SimError } from "../kernel/call.ts";

/**
 * The result of statfs(2).
 *
 * @category Files
 */
export interface SimStatfs {
  /** Blocks of the file system. */
  readonly blocks: number;
  /** Free blocks. */
  readonly free: number;
  /** Free blocks that any user may use. */
  readonly available: number;
  /** Number of files. */
  readonly files: number;
  /** Size of a block in bytes. */
  readonly blockSize: number;
  /** Longest file name in bytes. */
  readonly nameMax: number;
}

const NOTHING: SimStatfs = {
  blocks: 0,
  free: 0,
  available: 0,
  files: 0,
  blockSize: 0,
  nameMax: 0,
};

/** statfs(2) and fstatfs(2). */
export async function statfs(context: CallContext): Promise<SimStatfs> {
  //= fs/fuse/inode.c fuse_statfs(): zeroes for users that may not use the
  //= mount.
  if (!hasAccess(context)) return NOTHING;
  const { caller, credentials, signals } = context;
  const { errno, body } = await caller.call({
    opcode: "STATFS",
    credentials,
    signals,
  });
  if (errno !== 0) throw new SimError("statfs", errno);
  const { st } = decodeStruct("fuse_statfs_out", body);
  return {
    blocks: Number(st.blocks),
    free: Number(st.bfree),
    available: Number(st.bavail),
    files: Number(st.files),
    blockSize: st.bsize,
    nameMax: st.namelen,
  };
}
