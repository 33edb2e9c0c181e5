/**
 * Inodes: what names in directories lead to.
 *
 * @module
 */
import { S_IS } from "../../src/protocol/mod.ts";
import { FileData, type Space } from "./file_data.ts";

/** What an inode starts with. Times are nanoseconds since 1970. */
export interface Origin {
  readonly nodeid: bigint;
  /** Type and permissions. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly now: bigint;
}

/** What all inodes have in common. */
export abstract class Inode {
  /** What the kernel calls it. Never used again for another one. */
  readonly nodeid: bigint;
  mode: number;
  uid: number;
  gid: number;
  atime: bigint;
  mtime: bigint;
  ctime: bigint;
  /** How many names lead here. */
  links = 0;
  /**
   * How often the kernel was told of it, less what it has forgotten. An inode
   * without a name lives on while this is not 0: somebody has it open.
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

  /** Bytes that it takes. */
  get allocated(): number {
    return 0;
  }

  /** The number of a device. */
  get rdev(): number {
    return 0;
  }

  /** Gives back what it takes. */
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

  /** Takes away what a program would run with, as any change of bytes does. */
  dropPrivileges(): void {
    this.mode &= ~S_IS.UID;
    // Without the group's x, the bit means something else: mandatory locking.
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

/** A device, FIFO or socket: the kernel does the rest. */
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
