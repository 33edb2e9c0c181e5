/**
 * Operations on open files: OPEN, READ, WRITE, FALLOCATE, LSEEK.
 *
 * The kernel has checked permissions before it sends them, and an open file has
 * lookups even if it has no name. So files need no handles: their nodeids are
 * enough.
 *
 * @module
 */
import type { Reply, Request } from "@mqfuse/mqfuse";
import {
  accessors,
  Errno,
  FALLOC_FL,
  FOPEN,
  FUSE_WRITE,
  O,
  SEEK,
} from "@mqfuse/mqfuse/protocol";
import type { RegularFile } from "./inode.ts";
import type { Tree } from "./tree.ts";

const OPEN_IN = accessors("fuse_open_in");
const READ_IN = accessors("fuse_read_in");
const WRITE_IN = accessors("fuse_write_in");
const FALLOCATE_IN = accessors("fuse_fallocate_in");
const LSEEK_IN = accessors("fuse_lseek_in");

/** Only the kernel changes the files, so its cache stays valid across opens. */
export const OPEN_FLAGS: number = FOPEN.KEEP_CACHE;

/** OPEN. */
export function open(tree: Tree, request: Request, reply: Reply): void {
  const file = tree.file(request.nodeid);
  if (OPEN_IN.get.flags(request.body) & O.TRUNC) truncate(tree, file);
  reply.struct("fuse_open_out", { open_flags: OPEN_FLAGS });
}

/** Empties a file: O_TRUNC. */
export function truncate(tree: Tree, file: RegularFile): void {
  file.data.truncate(0);
  changed(tree, file);
}

/** READ. Fewer bytes than requested mean the end of the file. */
export function read(tree: Tree, request: Request, reply: Reply): void {
  const file = tree.file(request.nodeid);
  const offset = READ_IN.number.offset(request.body);
  const size = Math.min(READ_IN.get.size(request.body), reply.data.length);
  file.atime = tree.now();
  reply.ok(file.data.read(offset, reply.data, size));
}

/** WRITE: all bytes, or none if there is not enough space. */
export function write(tree: Tree, request: Request, reply: Reply): void {
  const file = tree.file(request.nodeid);
  const offset = WRITE_IN.number.offset(request.body);
  const size = WRITE_IN.get.size(request.body);
  checkEnd(offset + size);
  file.data.write(offset, request.data.subarray(0, size));
  if (WRITE_IN.get.write_flags(request.body) & FUSE_WRITE.KILL_SUIDGID) {
    file.dropPrivileges();
  }
  changed(tree, file);
  reply.struct("fuse_write_out", { size });
}

/** FALLOCATE: reserves space, punches holes, zeroes ranges. */
export function fallocate(tree: Tree, request: Request, reply: Reply): void {
  const file = tree.file(request.nodeid);
  const offset = FALLOCATE_IN.number.offset(request.body);
  const length = FALLOCATE_IN.number.length(request.body);
  const mode = FALLOCATE_IN.get.mode(request.body);
  const { KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE } = FALLOC_FL;
  const { data } = file;
  checkEnd(offset + length);
  switch (mode & ~KEEP_SIZE) {
    case 0:
      data.allocate(offset, length);
      break;
    case ZERO_RANGE:
      data.zero(offset, length);
      break;
    case PUNCH_HOLE:
      if (!(mode & KEEP_SIZE)) throw new Errno("EOPNOTSUPP");
      data.punch(offset, length);
      break;
    default:
      throw new Errno("EOPNOTSUPP");
  }
  const end = offset + length;
  if (!(mode & KEEP_SIZE) && end > data.size) data.truncate(end);
  changed(tree, file);
  reply.ok();
}

/** LSEEK: finds data or a hole; the kernel handles the other kinds itself. */
export function lseek(tree: Tree, request: Request, reply: Reply): void {
  const { data } = tree.file(request.nodeid);
  const offset = LSEEK_IN.number.offset(request.body);
  const whence = LSEEK_IN.get.whence(request.body);
  if (whence !== SEEK.DATA && whence !== SEEK.HOLE) throw new Errno("EINVAL");
  const found = whence === SEEK.DATA
    ? data.seekData(offset)
    : data.seekHole(offset);
  if (found === null) throw new Errno("ENXIO");
  reply.struct("fuse_lseek_out", { offset: BigInt(found) });
}

/** FLUSH, RELEASE, FSYNC and others need no action for data in memory. */
export function nothing(_tree: Tree, _request: Request, reply: Reply): void {
  reply.ok();
}

function checkEnd(end: number): void {
  if (end > Number.MAX_SAFE_INTEGER) throw new Errno("EFBIG");
}

function changed(tree: Tree, file: RegularFile): void {
  file.mtime = file.ctime = tree.now();
}
