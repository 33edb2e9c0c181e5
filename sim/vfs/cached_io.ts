/**
 * Reads and writes through the page cache, for files without FOPEN_DIRECT_IO.
 * Writes are sent to the server at once. fs/fuse/file.c.
 *
 * @module
 */
import { PAGE_SIZE } from "../../src/base/limits.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { O, STATX } from "../../src/base/file_flags.ts";
import { accessors } from "../../src/protocol/accessors.ts";
import { encodeStruct, viewOf } from "../../src/protocol/codec.ts";
import { accessed, type CachedIo, type OpenFile } from "./file_io.ts";
import { getAttributes } from "./getattr.ts";
import type { PageRead } from "./page_reads.ts";
import {
  dropsSetId,
  probeCapability,
  sendSetattr,
  setIdChange,
} from "./setattr.ts";

const WRITE_OUT = accessors("fuse_write_out");

/** Reads and writes through `inode->i_mapping`. */
export const CACHED_IO: CachedIo = { read, write };

/** `fuse_cache_read_iter()`. */
async function read(
  file: OpenFile,
  into: Uint8Array,
  position: number,
): Promise<number> {
  const { inode } = file;
  //= fs/fuse/file.c fuse_file_read_iter(): nothing is read of a bad inode.
  if (inode.bad) return -ERRNO.EIO;
  //= fs/fuse/file.c fuse_cache_read_iter(): a read beyond the known end fetches
  //= the size if it is not valid; with FUSE_AUTO_INVAL_DATA each read does.
  if (inode.autoInval || position + into.length > inode.stat.size) {
    await getAttributes(file, "read", file, STATX.SIZE);
  }
  const end = Math.min(position + into.length, inode.stat.size);
  for (let at = position; at < end;) {
    const index = Math.floor(at / PAGE_SIZE);
    const page = inode.pages.get(index);
    if (page === undefined) {
      const errno = await fill(file, index, Math.ceil(end / PAGE_SIZE));
      if (errno !== 0) return at > position ? at - position : -errno;
      // The file may have become shorter.
      if (at >= inode.stat.size) return at - position;
      continue;
    }
    const from = at % PAGE_SIZE;
    const stop = Math.min(end, inode.stat.size, at - from + PAGE_SIZE);
    if (stop <= at) break;
    into.set(page.subarray(from, from + stop - at), at - position);
    at = stop;
  }
  return Math.max(0, end - position);
}

/** Reads missing pages, as many consecutive ones as one READ takes. */
async function fill(
  file: OpenFile,
  first: number,
  end: number,
): Promise<number> {
  const { pages } = file.inode;
  //= mm/filemap.c filemap_update_page(): a page that is being read is waited for.
  const other = pages.reads.at(first);
  if (other !== undefined) {
    await other.ended.promise;
    return 0;
  }
  const most = Math.max(1, Math.floor(file.split.read / PAGE_SIZE));
  let count = 1;
  while (
    count < most && first + count < end &&
    pages.get(first + count) === undefined &&
    pages.reads.at(first + count) === undefined
  ) count++;
  const read = pages.reads.begin(first, count);
  try {
    return await readPages(file, read);
  } finally {
    pages.reads.end(read);
  }
}

async function readPages(file: OpenFile, pageRead: PageRead): Promise<number> {
  const { pages } = file.inode;
  const { first, count } = pageRead;
  const size = count * PAGE_SIZE;
  const bytes = new Uint8Array(size);
  //= fs/fuse/file.c fuse_send_readpages(): without a lock owner.
  const { errno, body } = await file.caller.call({
    opcode: "READ",
    body: encodeStruct("fuse_read_in", {
      fh: file.fh,
      offset: BigInt(first * PAGE_SIZE),
      size,
      flags: file.flags,
    }),
    replyMax: size,
    into: bytes,
    credentials: file.credentials,
    signals: file.signals,
  });
  //= fs/fuse/file.c fuse_readpages_end(): only a READ changes the access time,
  //= not a read from the cache.
  accessed(file);
  if (errno !== 0) return errno;
  if (pageRead.isStale) return 0;
  const read = first * PAGE_SIZE + body.length;
  //= fs/fuse/file.c fuse_short_read(): the file has become shorter.
  if (body.length < size && read < file.inode.stat.size) {
    file.inode.resized(read);
  }
  for (let i = 0; i < count; i++) {
    const at = i * PAGE_SIZE;
    pages.put(first + i, bytes.slice(at, at + PAGE_SIZE));
  }
  return 0;
}

/** `fuse_cache_write_iter()` without a writeback cache. */
async function write(
  file: OpenFile,
  from: Uint8Array,
  position: number,
): Promise<number> {
  const { inode } = file;
  if (inode.bad) return -ERRNO.EIO;
  if (from.length === 0) return 0;
  await inode.lock.acquire(true);
  try {
    const appends = (file.flags & O.APPEND) !== 0;
    //= fs/fuse/file.c fuse_cache_write_iter(): file_remove_privs().
    await probeCapability(file);
    if (dropsSetId(file)) {
      await sendSetattr(file, "write", await setIdChange(file, "write"));
    }
    const at = appends ? inode.stat.size : position;
    let done = 0;
    let errno = 0;
    while (done < from.length && errno === 0) {
      const size = partSize(file, at + done, from.length - done);
      const part = from.subarray(done, done + size);
      const moved = await send(file, part, at + done);
      if (moved < 0) errno = -moved;
      else {
        done += moved;
        if (moved < size) errno = ERRNO.EIO;
      }
    }
    inode.written(done > 0 ? at + done : 0);
    file.writtenTo = at + done;
    return done > 0 ? done : -errno;
  } finally {
    inode.lock.release();
  }
}

/** Bytes of the next WRITE: `fuse_fill_write_pages()`. */
function partSize(file: OpenFile, position: number, left: number): number {
  const { pages } = file.inode;
  const most = Math.min(left, file.split.write);
  let size = 0;
  while (size < most) {
    const at = position + size;
    const rest = PAGE_SIZE - at % PAGE_SIZE;
    const some = Math.min(rest, most - size);
    const isKnown = pages.get(Math.floor(at / PAGE_SIZE)) !== undefined;
    size += some;
    //= fs/fuse/file.c fuse_fill_write_pages(): a page that is not cached and is
    //= written in part ends the request.
    if (some < PAGE_SIZE && !isKnown) break;
  }
  return size;
}

async function send(
  file: OpenFile,
  from: Uint8Array,
  position: number,
): Promise<number> {
  const { errno, body } = await file.caller.call({
    opcode: "WRITE",
    body: encodeStruct("fuse_write_in", {
      fh: file.fh,
      offset: BigInt(position),
      size: from.length,
      flags: file.flags,
    }),
    tail: from,
    credentials: file.credentials,
    signals: file.signals,
  });
  if (errno !== 0) return -errno;
  const size = WRITE_OUT.get.size(viewOf(body));
  if (size > from.length) return -ERRNO.EIO;
  // A page that is being read may have been read before this WRITE.
  file.inode.pages.reads.drop(
    Math.floor(position / PAGE_SIZE),
    Math.ceil((position + size) / PAGE_SIZE),
  );
  keep(file, from.subarray(0, size), position);
  return size;
}

/** Copies written bytes into the cache, where whole pages are known. */
function keep(file: OpenFile, bytes: Uint8Array, position: number): void {
  const { pages } = file.inode;
  for (let done = 0; done < bytes.length;) {
    const at = position + done;
    const index = Math.floor(at / PAGE_SIZE);
    const from = at % PAGE_SIZE;
    const some = Math.min(PAGE_SIZE - from, bytes.length - done);
    const piece = bytes.subarray(done, done + some);
    const page = pages.get(index);
    if (page !== undefined) page.set(piece, from);
    else if (some === PAGE_SIZE) pages.put(index, piece.slice());
    done += some;
  }
}
