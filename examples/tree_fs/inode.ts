/**
 * Inodes: the files, directories and other objects that names refer to.
 *
 * @module
 */
import { S_IS } from "@mqfuse/mqfuse/protocol";
import { FileData, type Space } from "./file_data.ts";

/** The initial attributes of an inode. Times are nanoseconds since 1970. */
export interface Origin {
  readonly nodeid: bigint;
  /** File type and permissions. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly now: bigint;
}

/** The attributes that all inodes have. */
export abstract class Inode {
  /** Identifies it to the kernel. Nodeids are not reused. */
  readonly nodeid: bigint;
  mode: number;
  uid: number;
  gid: number;
  atime: bigint;
  mtime: bigint;
  ctime: bigint;
  /** The number of its names. */
  links = 0;
  /**
   * How often replies have passed its nodeid to the kernel, minus what FORGET has
   * returned. An inode without a name lives while this is not 0: it may be open.
   */
  lookups = 0n;
  readonly xattrs = new Map<string, Uint8Array>();

  constructor({ nodeid, mode, uid, gid, now }: Origin) {
    this.nodeid = nodeid;
    this.mode = mode;
    this.uid = uid;
    this.gid = gid;
    this.atime = this.mtime = this.ctime = now;
  }

  /** `st_size`. */
  abstract get size(): number;

  /** `st_nlink`. */
  get nlink(): number {
    return this.links;
  }

  /** Allocated space in bytes. */
  get allocated(): number {
    return 0;
  }

  /** The device number of a device. */
  get rdev(): number {
    return 0;
  }

  /** Releases the allocated space. */
  dispose(): void {}
}

/** A plain file. */
export class RegularFile extends Inode {
  readonly data: FileData;

  constructor(origin: Origin, space: Space) {
    super(origin);
    this.data = new FileData(space);
  }

  override get size(): number {
    return this.data.size;
  }

  override get allocated(): number {
    return this.data.allocated;
  }

  override dispose(): void {
    this.data.truncate(0);
  }

  /** Clears the set-user-ID and set-group-ID bits, as a write must. */
  dropPrivileges(): void {
    this.mode &= ~S_IS.UID;
    // Without group execute, the bit means mandatory locking.
    if ((this.mode & 0o010) !== 0) this.mode &= ~S_IS.GID;
  }
}

/** A symbolic link. */
export class Symlink extends Inode {
  readonly target: Uint8Array;

  constructor(origin: Origin, target: Uint8Array) {
    super(origin);
    this.target = target;
  }

  override get size(): number {
    return this.target.length;
  }
}

/** A device, FIFO or socket, whose data the kernel handles. */
export class SpecialFile extends Inode {
  readonly #rdev: number;

  constructor(origin: Origin, rdev: number) {
    super(origin);
    this.#rdev = rdev;
  }

  override get size(): number {
    return 0;
  }

  override get rdev(): number {
    return this.#rdev;
  }
}
