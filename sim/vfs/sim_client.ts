import { ERRNO } from "../../src/base/errno.ts";
import { O } from "../../src/base/file_flags.ts";
import { FOPEN } from "../../src/protocol/flags.ts";
import {
  type Caller,
  type Credentials,
  Signals,
  SimError,
} from "../kernel/call.ts";
import type { KernelLimits } from "../kernel/negotiation.ts";
import { CACHED_IO } from "./cached_io.ts";
import {
  makeFile,
  OPEN,
  sendOpen,
  truncateOpened,
  wantedBy,
} from "./file_open.ts";
import { getAttribute, listAttributes, setAttribute } from "./file_xattr.ts";
import { getAttributes, getBirthAttributes } from "./getattr.ts";
import {
  requireWritable,
  setMode,
  setOwner,
  setSize,
  setTimes,
  type SimTime,
} from "./setattr.ts";
import type { SimInode, SimStat } from "./inode.ts";
import { InodeLock } from "./locks.ts";
import { MAY, requireAccess, requirePermission } from "./permission.ts";
import type { SimFile } from "./sim_file.ts";
import { type SimStatfs, statfs } from "./statfs.ts";

const ROOT: Credentials = { uid: 0, gid: 0, pid: 1000 };

/**
 * A mount of one plain file, as a client needs it; `SimKernel` is one.
 *
 * @category Files
 */
export interface SimMount extends Caller {
  /**
   * The mounted file.
   *
   * @ignore
   */
  readonly inode: SimInode;
  /** The negotiated limits. */
  readonly limits: KernelLimits;
  /** Largest READ and WRITE in bytes. */
  readonly split: { readonly read: number; readonly write: number };
  /** Mount option `ro`. */
  readonly readOnly: boolean;
  /** Mount option `allow_other`. */
  readonly allowOther: boolean;
  /** Whether a path still leads to the file. */
  readonly attached: boolean;
  /**
   * Called when the last reference to an open file is dropped.
   *
   * @ignore
   */
  released(): void;
}

/**
 * A process that uses the mounted file by its path. Each method is the system
 * call of its name; it rejects with a {@linkcode SimError} that has the errno
 * of the call.
 *
 * @category Files
 */
export class SimClient {
  /**
   * Sends its requests.
   *
   * @ignore
   */
  readonly caller: Caller;
  /**
   * The mounted file.
   *
   * @ignore
   */
  readonly inode: SimInode;
  /** The ids of the process. */
  readonly credentials: Credentials;
  /**
   * Identifies the process in file locks.
   *
   * @ignore
   */
  readonly lockOwner: bigint;
  /** Delivers signals to the process. */
  readonly signals: Signals = new Signals();
  /**
   * Mount option `ro`.
   *
   * @ignore
   */
  readonly readOnly: boolean;
  /**
   * Mount option `allow_other`.
   *
   * @ignore
   */
  readonly allowOther: boolean;
  readonly #mount: SimMount;
  readonly #submission: InodeLock = new InodeLock();

  /**
   * Starts a process.
   *
   * @param mount The mounted file.
   * @param credentials Its ids; root if left out.
   */
  constructor(mount: SimMount, credentials: Credentials = ROOT) {
    this.#mount = mount;
    this.caller = mount;
    this.inode = mount.inode;
    this.readOnly = mount.readOnly;
    this.allowOther = mount.allowOther;
    this.credentials = credentials;
    //= fs/fuse/file.c fuse_lock_owner_id(): a scrambled pointer. Here it is the
    //= same in each run.
    this.lockOwner = 0x9e37_79b9_7f4a_7c15n ^ BigInt(credentials.pid);
  }

  /** open(2). */
  async open(flags: number = O.RDONLY): Promise<SimFile> {
    const mount = this.#found("open");
    const truncates = (flags & O.TRUNC) !== 0;
    const exclusive = O.CREAT | O.EXCL;
    //= fs/namei.c do_open(): EEXIST, because the file exists.
    if ((flags & exclusive) === exclusive) {
      throw new SimError("open", ERRNO.EEXIST);
    }
    await requirePermission(this, "open", wantedBy(flags));
    const opened = await sendOpen(this, mount, flags);
    //= fs/fuse/file.c fuse_finish_open(): without FOPEN_KEEP_CACHE, cached
    //= pages are dropped.
    const { openFlags } = opened;
    if ((openFlags & FOPEN.KEEP_CACHE) === 0) this.inode.pages.clear();
    const isDirect = (openFlags & FOPEN.DIRECT_IO) !== 0 ||
      (flags & OPEN.DIRECT) !== 0;
    const file = makeFile(this, mount, {
      ...opened,
      flags,
      cached: isDirect ? undefined : CACHED_IO,
      submission: this.#submission,
      onReleased: () => mount.released(),
    });
    try {
      if (truncates) await truncateOpened(this, mount, opened);
    } catch (error) {
      //= fs/namei.c path_openat(): the last reference goes by fput().
      file.abandon();
      throw error;
    }
    return file;
  }

  /** stat(2). */
  async stat(): Promise<SimStat> {
    this.#found("stat");
    requireAccess(this, "stat");
    return await getAttributes(this, "stat");
  }

  /** statx(2) with STATX_BTIME. */
  async statx(): Promise<SimStat> {
    this.#found("statx");
    requireAccess(this, "statx");
    return await getBirthAttributes(this);
  }

  /** statfs(2). */
  async statfs(): Promise<SimStatfs> {
    this.#found("statfs");
    return await statfs(this);
  }

  /** truncate(2). */
  async truncate(size: number): Promise<void> {
    if (size < 0) throw new SimError("truncate", ERRNO.EINVAL);
    this.#found("truncate");
    requireWritable(this, "truncate");
    await requirePermission(this, "truncate", MAY.WRITE);
    await setSize(this, "truncate", size);
  }

  /** chmod(2). */
  async chmod(mode: number): Promise<void> {
    this.#found("chmod");
    await setMode(this, "chmod", mode);
  }

  /** chown(2); -1 keeps an id. */
  async chown(uid: number, gid: number): Promise<void> {
    this.#found("chown");
    await setOwner(this, "chown", uid, gid);
  }

  /** utimensat(2). */
  async utimens(atime: SimTime, mtime: SimTime): Promise<void> {
    this.#found("utimens");
    await setTimes(this, "utimens", atime, mtime);
  }

  /** access(2). */
  async access(mode: number): Promise<void> {
    this.#found("access");
    await requirePermission(this, "access", mode);
  }

  /** getxattr(2) without a buffer: returns the size. */
  async getxattr(name: string): Promise<number> {
    this.#found("getxattr");
    await this.#mayUse("getxattr", name, MAY.READ);
    return await getAttribute(this, name);
  }

  /** setxattr(2). */
  async setxattr(name: string, value: Uint8Array): Promise<void> {
    const { limits } = this.#found("setxattr");
    requireWritable(this, "setxattr");
    await this.#mayUse("setxattr", name, MAY.WRITE);
    await setAttribute(this, limits, name, value);
  }

  /** listxattr(2) without a buffer: returns the size. */
  async listxattr(): Promise<number> {
    this.#found("listxattr");
    requireAccess(this, "listxattr");
    return await listAttributes(this);
  }

  async #mayUse(call: string, name: string, wanted: number): Promise<void> {
    //= fs/xattr.c xattr_permission(): the file mode applies to names in user.
    if (name.startsWith("user.")) await requirePermission(this, call, wanted);
  }

  #found(call: string): SimMount {
    // The file below the mount point is not modelled.
    if (!this.#mount.attached) throw new SimError(call, ERRNO.ENOENT);
    return this.#mount;
  }
}
