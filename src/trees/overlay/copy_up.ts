import { Errno } from "../../base/errno.ts";
import { O, S_IF } from "../../base/file_flags.ts";
import { type Attr, nanosecondsSince1970 } from "../../filesystem/attr.ts";
import type { Caller, FileSystem } from "../../filesystem/file_system.ts";
import { makePlain, unfinishedName } from "./whiteouts.ts";

type Fs = FileSystem<object>;

/** How much is copied at once, in bytes. */
const CHUNK = 128 * 1024;

/** A file of the lower file system that is to be copied. */
export interface Original {
  readonly lower: Fs;
  readonly node: object;
  /** How much of its data is needed; `Infinity` for all. */
  readonly size: number;
}

/**
 * Copies a file to the upper file system: its data, attributes and extended
 * attributes, but only an empty directory. It gets its name once it is complete.
 *
 * @param directory Where it goes.
 * @returns The upper node.
 */
export async function copyUp(
  original: Original,
  upper: Fs,
  directory: object,
  name: string,
  caller: Caller,
): Promise<object> {
  const { lower, node } = original;
  const attr = await lower.getattr(node, caller);
  // Without rename(), a crash leaves a part of the file under its name.
  const first = upper.rename === undefined ? name : unfinishedName();
  const made = await make(original, attr, upper, directory, first, caller);
  await copyXattrs(lower, node, upper, made, caller);
  await copyAttr(attr, upper, made, caller);
  if (first !== name) {
    await upper.rename!(directory, first, directory, name, 0, caller);
  }
  return made;
}

async function make(
  original: Original,
  attr: Attr,
  upper: Fs,
  directory: object,
  name: string,
  caller: Caller,
): Promise<object> {
  const { mode, rdev = 0 } = attr;
  switch (mode & S_IF.MT) {
    case S_IF.REG: {
      const made = await makePlain(upper, directory, name, mode, caller);
      await copyData(original, attr, upper, made, caller);
      return made;
    }
    case S_IF.DIR:
      if (upper.mkdir === undefined) break;
      return await upper.mkdir(directory, name, mode, caller);
    case S_IF.LNK: {
      if (upper.symlink === undefined) throw new Errno("EPERM");
      const target = await original.lower.readlink!(original.node, caller);
      return await upper.symlink(directory, name, target, caller);
    }
  }
  if (upper.mknod === undefined) throw new Errno("EPERM");
  return await upper.mknod(directory, name, mode, rdev, caller);
}

async function copyData(
  { lower, node, size }: Original,
  attr: Attr,
  upper: Fs,
  made: object,
  caller: Caller,
): Promise<void> {
  const end = Math.min(Number(attr.size ?? 0), size);
  if (end === 0) return;
  const from = await lower.open?.(node, O.RDONLY, caller);
  const to = await upper.open?.(made, O.RDWR, caller);
  try {
    for (let at = 0; at < end;) {
      const into = new Uint8Array(Math.min(CHUNK, end - at));
      const read = await lower.read!(node, into, at, caller, from ?? undefined);
      const bytes = typeof read === "number" ? into.subarray(0, read) : read;
      if (bytes.length === 0) throw new Errno("EIO");
      await writeAll(upper, made, bytes, at, caller, to ?? undefined);
      at += bytes.length;
    }
    await upper.fsync?.(made, false, caller, to ?? undefined);
  } finally {
    await lower.release?.(node, from ?? undefined);
    await upper.release?.(made, to ?? undefined);
  }
}

async function writeAll(
  upper: Fs,
  made: object,
  bytes: Uint8Array,
  offset: number,
  caller: Caller,
  handle: unknown,
): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const rest = bytes.subarray(done);
    const count = await upper.write!(made, rest, offset + done, caller, handle);
    if (count === 0) throw new Errno("EIO");
    done += count ?? rest.length;
  }
}

async function copyAttr(
  attr: Attr,
  upper: Fs,
  made: object,
  caller: Caller,
): Promise<void> {
  const { mode, uid = 0, gid = 0, mtime = 0n, atime = mtime } = attr;
  const ctime = caller.time;
  await upper.setattr?.(made, { uid, gid, ctime }, caller);
  if ((mode & S_IF.MT) !== S_IF.LNK) {
    // chown(2) has cleared set-id bits.
    await upper.setattr?.(made, { mode, ctime }, caller);
  }
  const times = {
    atime: nanosecondsSince1970(atime),
    mtime: nanosecondsSince1970(mtime),
    ctime,
  };
  await upper.setattr?.(made, times, caller);
}

async function copyXattrs(
  lower: Fs,
  node: object,
  upper: Fs,
  made: object,
  caller: Caller,
): Promise<void> {
  if (lower.listxattr === undefined || upper.setxattr === undefined) return;
  for (const name of [...await lower.listxattr(node, caller)]) {
    const value = await lower.getxattr!(node, name, caller);
    if (value !== null) await upper.setxattr(made, name, value, 0, caller);
  }
}
