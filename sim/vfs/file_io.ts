/**
 * System calls on an open file. fs/fuse/file.c.
 *
 * @module
 */
import { ERRNO } from "../../src/base/errno.ts";
import { FALLOC_FL, O, SEEK, STATX } from "../../src/base/file_flags.ts";
import { decodeStruct, encodeStruct } from "../../src/protocol/codec.ts";
import { FOPEN } from "../../src/protocol/flags.ts";
import { type SimCall, SimError } from "../kernel/call.ts";
import {
  READING,
  transferAsync,
  type TransferFile,
  transferSync,
  WRITING,
} from "./direct_io.ts";
import { type CallContext, getAttributes } from "./getattr.ts";
import type { OptionalRequest } from "./inode.ts";
import type { InodeLock } from "./locks.ts";
import {
  dropsSetId,
  probeCapability,
  sendSetattr,
  setIdChange,
} from "./setattr.ts";

const FALLOCATE_MODES = FALLOC_FL.KEEP_SIZE | FALLOC_FL.PUNCH_HOLE |
  FALLOC_FL.ZERO_RANGE;

/**
 * An open file, which duplicates of a descriptor share: `struct file`.
 *
 * @category Files
 */
export interface OpenFile extends TransferFile {
  /** `open_flags` of the reply to OPEN. */
  readonly openFlags: number;
  /** Whether FUSE_DIRECT_IO_ALLOW_MMAP was negotiated. */
  readonly allowsMmap: boolean;
  /** Whether FUSE_ASYNC_DIO was negotiated. */
  readonly asyncDio: boolean;
  /** The largest number of bytes in the pages of a request. */
  readonly pagesSize: number;
  /** Held during an io_submit(2) that waits for its requests. */
  readonly submission: InodeLock;
  /** Its I/O through the page cache; direct I/O if left out. */
  readonly cached?: CachedIo | undefined;
  /** The file position of read(2) and write(2). */
  position: number;
  /** The end of the last write. */
  writtenTo: number;
  /** Called when the last reference is dropped. */
  readonly onReleased: () => void;
  /** Descriptors and mappings that refer to it. */
  references: number;
}

/**
 * I/O through the page cache.
 *
 * @category Files
 */
export interface CachedIo {
  /**
   * Reads; returns the number of bytes, which is lower at the end of the file.
   */
  read(file: OpenFile, into: Uint8Array, position: number): Promise<number>;
  /** Writes; returns the number of bytes, or a negative errno. */
  write(file: OpenFile, from: Uint8Array, position: number): Promise<number>;
}

/** Throws a negative errno as an error. */
export function checked(result: number, call: string): number {
  if (result < 0) throw new SimError(call, -result);
  return result;
}

/**
 * Sends a request that the server may not support.
 *
 * @returns 0, a positive error number, or `unknown` if it is not supported.
 */
export async function sendOptional(
  { caller, inode, credentials, signals }: CallContext,
  opcode: OptionalRequest,
  body: Uint8Array,
  unknown: number,
  how: Pick<SimCall, "force"> = {},
): Promise<number> {
  //= fs/fuse/file.c: ENOSYS is remembered. It counts as success for FLUSH and
  //= FSYNC, as EOPNOTSUPP for FALLOCATE.
  if (inode.unsupported.has(opcode)) return unknown;
  const { errno } = await caller.call({
    opcode,
    body,
    credentials,
    signals,
    ...how,
  });
  if (errno !== ERRNO.ENOSYS) return errno;
  inode.unsupported.add(opcode);
  return unknown;
}

/** Drops a reference; the last one releases the file. */
export function dropReference(file: OpenFile): void {
  if (--file.references === 0) release(file);
}

/** Tells the server that the file is no longer open. */
function release(file: OpenFile): void {
  //= fs/fuse/file.c fuse_file_put(): RELEASE is a background request of the
  //= kernel itself.
  file.caller.call({
    opcode: "RELEASE",
    body: encodeStruct("fuse_release_in", { fh: file.fh, flags: file.flags }),
    background: true,
    force: true,
  });
  file.inode.opens--;
  file.inode.flocks.set(file, "none");
  file.onReleased();
}

/** Invalidates the access time. */
export function accessed({ inode, readOnly }: CallContext): void {
  //= fs/fuse/dir.c fuse_invalidate_atime(): not on a read-only mount.
  if (!readOnly) inode.invalidate(STATX.ATIME);
}

/** Reads in parts, one after another. */
export async function read(
  file: OpenFile,
  into: Uint8Array,
  position: number,
  call: string,
): Promise<number> {
  if (file.cached !== undefined) {
    return checked(await file.cached.read(file, into, position), call);
  }
  const size = file.split.read;
  const dirty = file.inode.pages.writeBack(file);
  if (dirty !== undefined) await dirty;
  const result = await transferSync(file, READING, size, into, position);
  accessed(file);
  return checked(result, call);
}

/** Writes, with the inode's lock held as the kernel holds it. */
export async function write(
  file: OpenFile,
  from: Uint8Array,
  position: number,
  call: string,
  together: boolean,
): Promise<number> {
  if (from.length === 0) return 0;
  if (file.cached !== undefined) {
    return checked(await file.cached.write(file, from, position), call);
  }
  const { inode } = file;
  const appends = (file.flags & O.APPEND) !== 0;
  const parallel = (file.openFlags & FOPEN.PARALLEL_DIRECT_WRITES) !== 0;
  const end = () => (appends ? inode.stat.size : position) + from.length;
  //= fs/fuse/file.c fuse_dio_lock(): shared only for parallel writes inside the
  //= file.
  let exclusive = appends || !parallel || end() > inode.stat.size ||
    inode.pages.isMapped;
  const turn = inode.lock.acquire(exclusive);
  if (turn !== undefined) await turn;
  if (!exclusive && end() > inode.stat.size) {
    inode.lock.release();
    exclusive = true;
    await inode.lock.acquire(true);
  }
  const at = end() - from.length;
  //= fs/fuse/file.c fuse_direct_io(): dirty pages of mappings are written
  //= first, and dropped afterwards.
  try {
    const dirty = inode.pages.writeBack(file);
    if (dirty !== undefined) await dirty;
  } catch (error) {
    inode.lock.release();
    throw error;
  }
  const size = file.split.write;
  //= fs/fuse/file.c fuse_direct_IO(): a write that extends the file is waited
  //= for. Otherwise the lock is held only while the requests are sent.
  const waits = !together || at + from.length > inode.stat.size;
  const work = together
    ? transferAsync(file, WRITING, size, from, at)
    : transferSync(file, WRITING, size, from, at);
  if (!waits) inode.lock.release();
  const result = await work;
  inode.pages.drop(at, from.length);
  inode.written(result > 0 ? at + result : 0);
  file.writtenTo = at + result;
  if (waits) inode.lock.release();
  return checked(result, call);
}

/** Refuses modes of fallocate(2) that do not reach the server. */
export function requireFallocateMode(mode: number): void {
  //= fs/open.c vfs_fallocate() and fs/fuse/file.c fuse_file_fallocate().
  const punchOnly = (mode & FALLOC_FL.PUNCH_HOLE) !== 0 &&
    (mode & FALLOC_FL.KEEP_SIZE) === 0;
  const both = FALLOC_FL.PUNCH_HOLE | FALLOC_FL.ZERO_RANGE;
  const isKnown = (mode & ~FALLOCATE_MODES) === 0 && (mode & both) !== both;
  if (isKnown && !punchOnly) return;
  throw new SimError("fallocate", ERRNO.EOPNOTSUPP);
}

/** fallocate(2) with a mode that reaches the server. */
export async function fallocate(
  file: OpenFile,
  mode: number,
  offset: number,
  length: number,
): Promise<void> {
  const call = "fallocate";
  const { inode } = file;
  if (inode.unsupported.has("FALLOCATE")) {
    throw new SimError(call, ERRNO.EOPNOTSUPP);
  }
  await inode.lock.acquire(true);
  try {
    await probeCapability(file);
    //= fs/inode.c file_remove_privs(): a separate SETATTR.
    if (dropsSetId(file)) {
      await sendSetattr(file, call, await setIdChange(file, call));
    }
    const body = encodeStruct("fuse_fallocate_in", {
      fh: file.fh,
      offset: BigInt(offset),
      length: BigInt(length),
      mode,
    });
    const unsupported = ERRNO.EOPNOTSUPP;
    const errno = await sendOptional(file, "FALLOCATE", body, unsupported);
    if (errno !== 0) throw new SimError(call, errno);
    const grows = (mode & FALLOC_FL.KEEP_SIZE) === 0;
    inode.written(grows ? offset + length : 0);
  } finally {
    inode.lock.release();
  }
}

/** The new position of lseek(2); negative if `whence` is unknown. */
export async function seek(
  file: OpenFile,
  offset: number,
  whence: number,
): Promise<number> {
  const isHoleOrData = whence === SEEK.DATA || whence === SEEK.HOLE;
  if (whence === SEEK.SET) return offset;
  if (whence === SEEK.CUR) return file.position + offset;
  if (whence === SEEK.END) {
    return (await sizeOf(file)) + offset;
  }
  if (!isHoleOrData) return -1;
  if (!file.inode.unsupported.has("LSEEK")) {
    const { errno, body } = await file.caller.call({
      opcode: "LSEEK",
      body: encodeStruct("fuse_lseek_in", {
        fh: file.fh,
        offset: BigInt.asUintN(64, BigInt(offset)),
        whence,
      }),
      credentials: file.credentials,
      signals: file.signals,
    });
    if (errno === 0) return Number(decodeStruct("fuse_lseek_out", body).offset);
    if (errno !== ERRNO.ENOSYS) throw new SimError("lseek", errno);
    file.inode.unsupported.add("LSEEK");
  }
  //= fs/read_write.c generic_file_llseek_size(): the whole file is data.
  const size = await sizeOf(file);
  if (offset >= size) throw new SimError("lseek", ERRNO.ENXIO);
  return whence === SEEK.DATA ? offset : size;
}

async function sizeOf(file: OpenFile): Promise<number> {
  //= fs/fuse/file.c fuse_file_llseek(): only the size has to be valid.
  return (await getAttributes(file, "lseek", file, STATX.SIZE)).size;
}
