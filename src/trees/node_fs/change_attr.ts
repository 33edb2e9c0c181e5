import { Errno } from "../../base/errno.ts";
import { O, S_IF } from "../../base/file_flags.ts";
import type { Attr, Changes } from "../../filesystem/attr.ts";
import { utimeOf } from "./node_attr.ts";
import type { NodeFileHandle, NodeFsPromises, NodeTime } from "./node_fs.ts";

/** What attributes are changed of: an open file, a path, or both. */
export interface Changed {
  readonly fs: NodeFsPromises;
  /** `null` if the file has no name. */
  readonly path: string | null;
  /** `null` if it is not open. */
  readonly handle: NodeFileHandle | null;
  /** Its attributes before. */
  readonly attr: Attr;
}

/**
 * Changes attributes: those of an open file by it, if it can, because a path may
 * lead to another file meanwhile.
 *
 * @throws {Errno} EPERM if the object has no method for a change.
 */
export async function changeAttr(
  changed: Changed,
  changes: Changes,
): Promise<void> {
  const { attr } = changed;
  const { size, mode, uid, gid, atime, mtime } = changes;
  if (size !== undefined) await truncate(changed, size);
  if (uid !== undefined || gid !== undefined) {
    await chown(changed, uid ?? attr.uid!, gid ?? attr.gid!);
  }
  if (mode !== undefined) await chmod(changed, mode & 0o7777);
  // A size that changes sets the time of modification by itself.
  const isTime = atime !== undefined ||
    mtime !== undefined && size === undefined;
  if (isTime) {
    await utimes(
      changed,
      utimeOf(atime ?? attr.atime as bigint),
      utimeOf(mtime ?? attr.mtime as bigint),
    );
  }
}

async function truncate(
  { fs, path, handle }: Changed,
  size: number,
): Promise<void> {
  if (handle?.truncate !== undefined) return await handle.truncate(size);
  if (path === null) throw new Errno("ESTALE");
  if (fs.truncate !== undefined) return await fs.truncate(path, size);
  const opened = await fs.open?.(path, O.RDWR);
  if (opened?.truncate === undefined) throw new Errno("EPERM");
  try {
    await opened.truncate(size);
  } finally {
    await opened.close();
  }
}

async function chmod(
  { fs, path, handle }: Changed,
  mode: number,
): Promise<void> {
  if (handle?.chmod !== undefined) return await handle.chmod(mode);
  if (path === null) throw new Errno("ESTALE");
  if (fs.chmod === undefined) throw new Errno("EPERM");
  await fs.chmod(path, mode);
}

async function chown(
  { fs, path, handle, attr }: Changed,
  uid: number,
  gid: number,
): Promise<void> {
  if (handle?.chown !== undefined) return await handle.chown(uid, gid);
  if (path === null) throw new Errno("ESTALE");
  if (fs.lchown !== undefined) return await fs.lchown(path, uid, gid);
  if (fs.chown === undefined || isLink(attr)) throw new Errno("EPERM");
  await fs.chown(path, uid, gid);
}

async function utimes(
  { fs, path, handle, attr }: Changed,
  atime: NodeTime,
  mtime: NodeTime,
): Promise<void> {
  if (handle?.utimes !== undefined) return await handle.utimes(atime, mtime);
  if (path === null) throw new Errno("ESTALE");
  if (fs.lutimes !== undefined) return await fs.lutimes(path, atime, mtime);
  if (fs.utimes === undefined || isLink(attr)) throw new Errno("EPERM");
  await fs.utimes(path, atime, mtime);
}

function isLink({ mode }: Attr): boolean {
  return (mode & S_IF.MT) === S_IF.LNK;
}
