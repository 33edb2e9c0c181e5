import { ERRNO } from "../../src/base/errno.ts";
import { decodeName } from "../../src/base/name_bytes.ts";
import { O } from "../../src/base/file_flags.ts";
import { encodeStruct } from "../../src/protocol/codec.ts";
import {
  type DirEntry,
  type DirEntryPlus,
  parseDirents,
  parseDirentsPlus,
} from "../../src/protocol/dirent.ts";
import { FUSE_FSYNC, FUSE_ROOT_ID } from "../../src/protocol/flags.ts";
import { PAGE_SIZE } from "../../src/base/limits.ts";
import { isNegotiated } from "../../src/protocol/init.ts";
import { bytesOfName, type Name } from "../../src/protocol/text.ts";
import { SimError } from "../kernel/call.ts";
import { accessed, sendOptional } from "../vfs/file_io.ts";
import { OPEN, type Opened, sendOpen } from "../vfs/file_open.ts";
import { type CallContext, getAttributes } from "../vfs/getattr.ts";
import type { SimStat } from "../vfs/inode.ts";
import { MAY, requireAccess } from "../vfs/permission.ts";
import { openFileCaller } from "./path_open.ts";
import { type Dentry, detach, type TreeNode } from "./dcache.ts";
import { splice, withDirectoryMutex } from "./lookup.ts";
import type { TreeProcess } from "./tree_process.ts";

/** The size of glibc's buffer for opendir(3). */
const BUFFER_SIZE = 32768;
/** Bytes of `struct linux_dirent64` before the name. */
const DIRENT64_HEAD = 19;

/**
 * An entry of getdents64(2).
 *
 * @category Directories
 */
export interface Listed {
  /** The inode number. */
  readonly ino: bigint;
  /** The name; bytes if it is not UTF-8. */
  readonly name: Name;
  /** The file type, `DT_*`. */
  readonly type: number;
  /** The position after this entry. */
  readonly off: bigint;
}

/** opendir(3): open(2) and the fstat(2) that comes with it. */
export async function openDirectory(
  process: TreeProcess,
  dentry: Dentry,
): Promise<SimDirectory> {
  const node = dentry.node!;
  if (!node.isDirectory) throw new SimError("open", ERRNO.ENOTDIR);
  await process.requirePermission(node, "open", MAY.READ);
  const flags = O.NONBLOCK | OPEN.DIRECTORY | OPEN.LARGEFILE;
  const context = process.at(node);
  const { tree } = process;
  const opened = await sendOpen(context, tree, flags, "OPENDIR");
  const unasked = tree.unsupported.has("OPENDIR");
  const caller = openFileCaller(dentry, unasked);
  const held = { ...context, caller };
  const directory = new SimDirectory(process, dentry, held, opened, flags);
  await directory.fstat();
  return directory;
}

/**
 * An open directory: the result of opendir(3).
 *
 * @category Directories
 */
export class SimDirectory {
  readonly #process: TreeProcess;
  readonly #dentry: Dentry;
  readonly #context: CallContext;
  readonly #fh: bigint;
  readonly #flags: number;
  #position = 0n;
  #closed = false;

  /** Makes an open directory; call `TreeClient.opendir()` instead. */
  constructor(
    process: TreeProcess,
    dentry: Dentry,
    context: CallContext,
    { fh }: Opened,
    flags: number,
  ) {
    this.#process = process;
    this.#dentry = dentry;
    this.#context = context;
    this.#fh = fh;
    this.#flags = flags;
    this.#node.inode.opens++;
  }

  get #node(): TreeNode {
    return this.#dentry.node!;
  }

  /**
   * getdents64(2): the next entries, none at the end.
   *
   * @param count Size of the buffer in bytes; glibc's if left out.
   */
  async read(count: number = BUFFER_SIZE): Promise<Listed[]> {
    this.#opened("getdents64");
    const { lock } = this.#node.inode;
    await lock.acquire(false);
    try {
      //= fs/readdir.c iterate_dir(): a removed directory cannot be read.
      if (this.#node.dead) throw new SimError("getdents64", ERRNO.ENOENT);
      return await this.#read(count);
    } finally {
      lock.release();
    }
  }

  /** readdir(3) from the present position to the end. */
  async list(count?: number): Promise<Listed[]> {
    const all: Listed[] = [];
    for (;;) {
      const some = await this.read(count);
      if (some.length === 0) return all;
      all.push(...some);
    }
  }

  /** seekdir(3) to the position after an entry; 0 is the start. */
  seek(off: bigint): void {
    this.#opened("lseek");
    this.#position = off;
  }

  /** fstat(2). */
  async fstat(): Promise<SimStat> {
    this.#opened("fstat");
    requireAccess(this.#context, "fstat");
    return await getAttributes(this.#context, "fstat");
  }

  /** fsync(2). */
  async fsync(): Promise<void> {
    await this.#sync("fsync", 0);
  }

  /** fdatasync(2). */
  async fdatasync(): Promise<void> {
    await this.#sync("fdatasync", FUSE_FSYNC.FDATASYNC);
  }

  /** closedir(3). */
  close(): void {
    this.#opened("close");
    this.#closed = true;
    this.#node.inode.opens--;
    //= fs/fuse/dir.c fuse_dir_release(): a background request of the kernel
    //= itself.
    this.#context.caller.call({
      opcode: "RELEASEDIR",
      body: encodeStruct("fuse_release_in", {
        fh: this.#fh,
        flags: this.#flags,
      }),
      background: true,
      force: true,
    });
  }

  async #sync(call: string, flags: number): Promise<void> {
    this.#opened(call);
    const body = encodeStruct("fuse_fsync_in", {
      fh: this.#fh,
      fsync_flags: flags,
    });
    const { lock } = this.#node.inode;
    await lock.acquire(true);
    try {
      const errno = await sendOptional(this.#context, "FSYNCDIR", body, 0);
      if (errno !== 0) throw new SimError(call, errno);
    } finally {
      lock.release();
    }
  }

  /** `fuse_readdir_uncached()`. */
  async #read(count: number): Promise<Listed[]> {
    const { limits } = this.#process.tree;
    const room = limits.maxPages * PAGE_SIZE;
    const size = Math.min(room, Math.max(PAGE_SIZE, count));
    const plus = this.#wantsPlus();
    const body = await this.#ask(plus ? "READDIRPLUS" : "READDIR", size);
    accessed(this.#context);
    try {
      const entries = plus ? parseDirentsPlus(body) : parseDirents(body);
      return this.#emit(entries, count);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      //= fs/fuse/readdir.c parse_dirfile(): EIO for an invalid name.
      throw new SimError("getdents64", ERRNO.EIO);
    }
  }

  /** Whether to send READDIRPLUS: `fuse_use_readdirplus()`. */
  #wantsPlus(): boolean {
    const { limits } = this.#process.tree;
    const node = this.#node;
    if (!isNegotiated(limits, "DO_READDIRPLUS")) return false;
    if (!isNegotiated(limits, "READDIRPLUS_AUTO")) return true;
    const advised = node.advisesPlus;
    node.advisesPlus = false;
    return advised || this.#position === 0n;
  }

  async #ask(
    opcode: "READDIR" | "READDIRPLUS",
    size: number,
  ): Promise<Uint8Array> {
    const parts = {
      body: {
        fh: this.#fh,
        offset: this.#position,
        size,
        flags: this.#flags,
      },
    };
    const { errno, body } = await withDirectoryMutex(
      this.#process,
      this.#node,
      () => this.#process.ask(this.#node, opcode, parts, size),
    );
    if (errno !== 0) throw new SimError("getdents64", errno);
    return body;
  }

  /** Returns the entries that fit into the buffer; caches all of them. */
  #emit(
    entries: readonly (DirEntry | DirEntryPlus)[],
    count: number,
  ): Listed[] {
    const listed: Listed[] = [];
    let left = count;
    for (const entry of entries) {
      const { ino, name, type, off } = entry;
      const length = DIRENT64_HEAD + bytesOfName(name).length + 1;
      left -= Math.ceil(length / 8) * 8;
      //= fs/readdir.c filldir64(): EINVAL if not even one entry fits.
      if (left < 0 && listed.length === 0) {
        throw new SimError("getdents64", ERRNO.EINVAL);
      }
      if (left >= 0) {
        listed.push({ ino, name, type, off });
        this.#position = off;
      }
      if ("entry" in entry) this.#link(entry);
    }
    return listed;
  }

  /**
   * Caches an entry of READDIRPLUS like the reply to LOOKUP:
   * `fuse_direntplus_link()`.
   */
  #link({ name: listed, entry }: DirEntryPlus): void {
    const name = textOfName(listed);
    if (entry.nodeid === 0n || name === "." || name === "..") return;
    const { tree } = this.#process;
    const parent = this.#dentry;
    if (entry.nodeid === FUSE_ROOT_ID || tree.isInvalid(entry)) {
      return tree.forget(entry.nodeid, 1n);
    }
    // The LOOKUP under way will return the same entry.
    if (parent.inLookup.has(name)) return tree.forget(entry.nodeid, 1n);
    let dentry = parent.children.get(name);
    const known = dentry?.node;
    const isSame = known?.nodeid === entry.nodeid;
    if (dentry !== undefined && isSame && !tree.isStale(known!, entry)) {
      tree.refresh(known!, entry);
    } else {
      if (isSame) known!.bad = true;
      if (dentry !== undefined) detach(dentry);
      dentry = splice(parent, name, tree.iget(entry), "getdents64");
    }
    //= fs/fuse/readdir.c fuse_direntplus_link(): FUSE_I_INIT_RDPLUS.
    dentry.node!.fromPlus = isNegotiated(tree.limits, "READDIRPLUS_AUTO");
    tree.setExpiry(dentry, entry);
  }

  #opened(call: string): void {
    if (this.#closed) throw new SimError(call, ERRNO.EBADF);
  }
}

/** A name as paths have it. */
function textOfName(name: Name): string {
  return typeof name === "string" ? name : decodeName(name);
}
