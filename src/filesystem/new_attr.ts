import { S_IF, S_IS } from "../base/file_flags.ts";
import type { Attr } from "./attr.ts";
import type { Caller } from "./file_system.ts";

/**
 * What a node has from the start: see {@linkcode newAttr}.
 *
 * @category Writing a file system
 */
export interface NewAttr {
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
}

/**
 * Mode, owner and times of a new node, as Linux's own file systems choose them.
 * It belongs to the caller's user and group; in a directory that has the
 * set-group-ID bit, to the directory's group, and a new directory inherits that
 * bit.
 *
 * @param directory The attributes of the directory that it is made in.
 * @param mode As `create()`, `mkdir()` and `mknod()` receive it.
 * @param caller Who makes it.
 * @category Writing a file system
 */
export function newAttr(
  directory: Attr,
  mode: number,
  caller: Caller,
): NewAttr {
  //= fs/inode.c inode_init_owner()
  const { uid, gid, time } = caller;
  const inherits = (directory.mode & S_IS.GID) !== 0;
  const isDirectory = (mode & S_IF.MT) === S_IF.DIR;
  return {
    mode: inherits && isDirectory ? mode | S_IS.GID : mode,
    uid,
    gid: inherits ? directory.gid ?? 0 : gid,
    atime: time,
    mtime: time,
    ctime: time,
  };
}
