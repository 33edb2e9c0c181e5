import { decodeStruct, encodeStruct } from "../src/protocol/codec.ts";
import { ERRNO } from "../src/protocol/errno.ts";
import { FATTR, O, S_IF } from "../src/protocol/flags.ts";
import { agreed } from "../src/protocol/init.ts";
import {
  attributes,
  changeAttributes,
  changeSize,
  type Mounted,
  probeCapability,
} from "./attributes.ts";
import type { Caller, Credentials } from "./call.ts";
import type { SimInode, SimStat } from "./inode.ts";
import type { KernelLimits } from "./negotiation.ts";
import { InodeLock } from "./inode_lock.ts";
import { SimError } from "./sim_error.ts";
import { SimFile } from "./sim_file.ts";

const NS_PER_S = 1_000_000_000n;
const O_LARGEFILE = 0x8000;
/** Flags of open(2) that only matter while it opens. */
const OPENING_ONLY = O.CREAT | O.EXCL | O.NOCTTY | O.TRUNC;
const ROOT: Credentials = { uid: 0, gid: 0, pid: 1000 };

/** A mounted file, as a client needs it; `SimKernel` is one. */
export interface SimMount extends Caller {
  /** The file as the kernel knows it. */
  readonly inode: SimInode;
  /** What holds between kernel and server. */
  readonly limits: KernelLimits;
  /** Largest READ and WRITE in bytes. */
  readonly split: { readonly read: number; readonly write: number };
  /** Mount option `ro`. */
  readonly readOnly: boolean;
}

/** A time to be set: nanoseconds since 1970, or that of the call. */
export type SimTime = bigint | "now" | null;

/** What statfs(2) of the mounted file tells. */
export interface SimStatfs {
  /** Blocks of the file system. */
  readonly blocks: number;
  /** Blocks that are free. */
  readonly free: number;
  /** Blocks that are free to anybody. */
  readonly available: number;
  /** Files. */
  readonly files: number;
  /** Size of a block in bytes. */
  readonly blockSize: number;
  /** Longest name in bytes. */
  readonly nameMax: number;
}

/** A program that uses the mounted file by its path. */
export class SimClient implements Mounted {
  /** Whoever takes its requests. */
  readonly caller: Caller;
  /** The mounted file. */
  readonly inode: SimInode;
  /** Who it is. */
  readonly credentials: Credentials;
  /** Stands for it in locks. */
  readonly lockOwner: bigint;
  readonly #mount: SimMount;
  readonly #submission: InodeLock = new InodeLock();

  /**
   * Starts a program.
   *
   * @param mount The mounted file.
   * @param credentials Who it is; root if left out.
   */
  constructor(mount: SimMount, credentials: Credentials = ROOT) {
    this.#mount = mount;
    this.caller = mount;
    this.inode = mount.inode;
    this.credentials = credentials;
    //= fs/fuse/file.c fuse_lock_owner_id(): a scrambled pointer, here one that
    //= is the same each time.
    this.lockOwner = 0x9e37_79b9_7f4a_7c15n ^ BigInt(credentials.pid);
  }

  /** open(2). */
  async open(flags: number = O.RDONLY): Promise<SimFile> {
    const mount = this.#mount;
    const truncates = (flags & O.TRUNC) !== 0;
    const isWrite = (flags & O.ACCMODE) !== O.RDONLY || truncates;
    if (isWrite && mount.readOnly) throw new SimError("open", ERRNO.EROFS);
    //= fs/fuse/dir.c fuse_permission(): with default_permissions the mode has
    //= to be known.
    await attributes(this, "open");
    const atomic = agreed(mount.limits, "ATOMIC_O_TRUNC");
    //= fs/fuse/file.c fuse_send_open(): without O_CREAT, O_EXCL, O_NOCTTY, and
    //= with O_TRUNC only after FUSE_ATOMIC_O_TRUNC.
    const dropped = O.CREAT | O.EXCL | O.NOCTTY | (atomic ? 0 : O.TRUNC);
    const { errno, body } = await mount.call({
      opcode: "OPEN",
      body: encodeStruct("fuse_open_in", {
        flags: flags & ~dropped | O_LARGEFILE,
      }),
      credentials: this.credentials,
    });
    if (errno !== 0) throw new SimError("open", errno);
    const { fh, open_flags } = decodeStruct("fuse_open_out", body);
    const file = new SimFile({
      caller: this.caller,
      inode: this.inode,
      credentials: this.credentials,
      lockOwner: this.lockOwner,
      fh,
      flags: flags & ~OPENING_ONLY | O_LARGEFILE,
      split: mount.split,
      openFlags: open_flags,
      asyncDio: agreed(mount.limits, "ASYNC_DIO"),
      submission: this.#submission,
      position: 0,
      references: 0,
    });
    if (truncates && atomic) {
      //= fs/fuse/dir.c fuse_do_setattr(): the server has done it with OPEN.
      this.inode.update({ ...this.inode.stat, size: 0 });
      this.inode.invalidate();
    } else if (truncates) await changeSize(this, "open", 0);
    return file;
  }

  /** stat(2). */
  async stat(): Promise<SimStat> {
    return await attributes(this, "stat");
  }

  /** statfs(2). */
  async statfs(): Promise<SimStatfs> {
    const { errno, body } = await this.caller.call({
      opcode: "STATFS",
      credentials: this.credentials,
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

  /** truncate(2). */
  async truncate(size: number): Promise<void> {
    this.#writable("truncate");
    if (size < 0) throw new SimError("truncate", ERRNO.EINVAL);
    await changeSize(this, "truncate", size);
  }

  /** chmod(2). */
  async chmod(mode: number): Promise<void> {
    this.#writable("chmod");
    //= fs/open.c chmod_common(): the type of the file comes along.
    const type = this.inode.stat.mode & S_IF.MT;
    await this.#change("chmod", {
      valid: FATTR.MODE,
      mode: mode & 0o7777 | type,
    });
  }

  /** chown(2); -1 leaves one as it is. */
  async chown(uid: number, gid: number): Promise<void> {
    this.#writable("chown");
    await probeCapability(this);
    const valid = (uid < 0 ? 0 : FATTR.UID) | (gid < 0 ? 0 : FATTR.GID);
    await this.#change("chown", {
      valid,
      uid: Math.max(0, uid),
      gid: Math.max(0, gid),
    });
  }

  /** utimensat(2); `null` leaves one as it is. */
  async utimens(atime: SimTime, mtime: SimTime): Promise<void> {
    this.#writable("utimens");
    const valid = timeFlags(atime, FATTR.ATIME, FATTR.ATIME_NOW) |
      timeFlags(mtime, FATTR.MTIME, FATTR.MTIME_NOW);
    await this.#change("utimens", {
      valid,
      atime: seconds(atime),
      atimensec: nanoseconds(atime),
      mtime: seconds(mtime),
      mtimensec: nanoseconds(mtime),
    });
  }

  async #change(
    call: string,
    wanted: Parameters<typeof changeAttributes>[2],
  ): Promise<void> {
    await this.inode.lock.take(true);
    try {
      await changeAttributes(this, call, wanted);
    } finally {
      this.inode.lock.give();
    }
  }

  #writable(call: string): void {
    //= fs/namespace.c mnt_want_write(): a read-only mount is asked nothing.
    if (this.#mount.readOnly) throw new SimError(call, ERRNO.EROFS);
  }
}

function timeFlags(time: SimTime, set: number, now: number): number {
  if (time === null) return 0;
  return time === "now" ? set | now : set;
}

function seconds(time: SimTime): bigint {
  if (typeof time !== "bigint") return 0n;
  return BigInt.asUintN(64, (time - mod(time)) / NS_PER_S);
}

function nanoseconds(time: SimTime): number {
  return typeof time === "bigint" ? Number(mod(time)) : 0;
}

function mod(ns: bigint): bigint {
  return ((ns % NS_PER_S) + NS_PER_S) % NS_PER_S;
}
