import { S_IF, S_IS } from "../base/file_flags.ts";
import { systemTime } from "../base/timespec.ts";
import type { Attr } from "./attr.ts";
import type { Caller } from "./file_system.ts";

/**
 * Mode, owner and times of a new node, as Linux's own file systems choose them,
 * for a class of nodes to extend. A node belongs to the caller's user and group;
 * in a directory that has the set-group-ID bit, to the directory's group, and a
 * new directory inherits that bit.
 *
 * @category Writing a file system
 */
export class NodeAttr implements Attr {
  /** Type and permissions. */
  mode: number;
  /** User id. */
  uid: number;
  /** Group id. */
  gid: number;
  /** Time of the last access, in nanoseconds since 1970. */
  atime: bigint;
  /** Time of the last change of data. */
  mtime: bigint;
  /** Time of the last change of anything. */
  ctime: bigint;

  /**
   * Makes the attributes of a new node.
   *
   * @param mode As `create()`, `mkdir()` and `mknod()` receive it.
   * @param directory The attributes of the directory that it is made in; of none
   * if left out.
   * @param caller Who makes it; root, now, if left out.
   */
  constructor(
    mode: number,
    directory: Attr = { mode: S_IF.DIR },
    caller: Pick<Caller, "uid" | "gid" | "time"> = {
      uid: 0,
      gid: 0,
      time: systemTime(),
    },
  ) {
    //= fs/inode.c inode_init_owner()
    const inherits = (directory.mode & S_IS.GID) !== 0;
    const isDirectory = (mode & S_IF.MT) === S_IF.DIR;
    this.mode = inherits && isDirectory ? mode | S_IS.GID : mode;
    this.uid = caller.uid;
    this.gid = inherits ? directory.gid ?? 0 : caller.gid;
    this.atime = this.mtime = this.ctime = caller.time;
  }
}
