import { encodeStruct } from "../../src/protocol/codec.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { FOPEN, FUSE_FSYNC } from "../../src/protocol/flags.ts";
import { O } from "../../src/base/file_flags.ts";
import { getAttributes } from "./getattr.ts";
import { setMode, setSize } from "./setattr.ts";
import { READING, transferAsync } from "./direct_io.ts";
import type { FlockKind } from "./locks.ts";
import type { SimStat } from "./inode.ts";
import {
  accessed,
  checked,
  dropReference,
  fallocate,
  type OpenFile,
  read,
  requireFallocateMode,
  seek,
  sendOptional,
  write,
} from "./file_io.ts";
import { SimMapping } from "./mapping.ts";
import { requireAccess } from "./permission.ts";
import { SimError } from "../kernel/call.ts";
import { type SimStatfs, statfs } from "./statfs.ts";

/**
 * A file descriptor of a process. Each method is the system call of its name.
 *
 * @category Files
 */
export class SimFile {
  readonly #file: OpenFile;
  #closed = false;

  /** Makes a descriptor; call `SimClient.open()` instead. */
  constructor(file: OpenFile) {
    this.#file = file;
    file.references++;
  }

  /**
   * pread(2): returns the number of bytes, which is lower at the end of the
   * file.
   */
  async pread(into: Uint8Array, position: number): Promise<number> {
    const file = this.#readable("pread", position);
    return await read(file, into, position, "pread");
  }

  /** read(2) from the file position. */
  async read(into: Uint8Array): Promise<number> {
    const file = this.#readable("read", 0);
    const count = await read(file, into, file.position, "read");
    file.position += count;
    return count;
  }

  /**
   * pread(2) through io_submit(2): its parts are in flight at the same time.
   */
  async aioRead(into: Uint8Array, position: number): Promise<number> {
    const file = this.#readable("io_submit", position);
    if (!file.asyncDio) {
      return await this.#alone(() => read(file, into, position, "io_submit"));
    }
    const dirty = file.inode.pages.writeBack(file);
    if (dirty !== undefined) await dirty;
    const { size: end } = file.inode.stat;
    if (position >= end) return 0;
    const size = file.split.read;
    //= fs/fuse/file.c fuse_direct_IO(): whole requests up to the end of the
    //= file, and none beyond it.
    const whole = file.pagesSize;
    const length = Math.ceil((end - position) / whole) * whole;
    const result = await transferAsync(
      file,
      READING,
      size,
      length < into.length ? into.subarray(0, length) : into,
      position,
    );
    accessed(file);
    return checked(result, "io_submit");
  }

  /** pwrite(2): returns the number of bytes. */
  async pwrite(from: Uint8Array, position: number): Promise<number> {
    const file = this.#writable("pwrite", position);
    return await write(file, from, position, "pwrite", false);
  }

  /** write(2) at the file position. */
  async write(from: Uint8Array): Promise<number> {
    const file = this.#writable("write", 0);
    const { position } = file;
    const count = await write(file, from, position, "write", false);
    if (count > 0) file.position = file.writtenTo;
    return count;
  }

  /**
   * pwrite(2) through io_submit(2): its parts are in flight at the same time.
   */
  async aioWrite(from: Uint8Array, position: number): Promise<number> {
    const file = this.#writable("io_submit", position);
    const work = (together: boolean) =>
      write(file, from, position, "io_submit", together);
    if (file.asyncDio) return await work(true);
    return await this.#alone(() => work(false));
  }

  /** fsync(2). */
  async fsync(): Promise<void> {
    await this.#sync("fsync", 0);
  }

  /** fdatasync(2). */
  async fdatasync(): Promise<void> {
    await this.#sync("fdatasync", FUSE_FSYNC.FDATASYNC);
  }

  /** ftruncate(2). */
  async ftruncate(size: number): Promise<void> {
    const file = this.#opened("ftruncate");
    if ((file.flags & O.ACCMODE) === O.RDONLY || size < 0) {
      throw new SimError("ftruncate", ERRNO.EINVAL);
    }
    await setSize(file, "ftruncate", size, file);
  }

  /** fallocate(2). */
  async fallocate(mode: number, offset: number, length: number): Promise<void> {
    const call = "fallocate";
    this.#opened(call);
    if (offset < 0 || length <= 0) throw new SimError(call, ERRNO.EINVAL);
    requireFallocateMode(mode);
    const file = this.#writable(call, offset);
    await fallocate(file, mode, offset, length);
  }

  /** lseek(2): returns the new position. */
  async lseek(offset: number, whence: number): Promise<number> {
    const file = this.#opened("lseek");
    const position = await seek(file, offset, whence);
    if (position < 0) throw new SimError("lseek", ERRNO.EINVAL);
    file.position = position;
    return position;
  }

  /** fstat(2). */
  async fstat(): Promise<SimStat> {
    const file = this.#opened("fstat");
    requireAccess(file, "fstat");
    return await getAttributes(file, "fstat");
  }

  /** fchmod(2). */
  async fchmod(mode: number): Promise<void> {
    await setMode(this.#opened("fchmod"), "fchmod", mode);
  }

  /** preadv(2): one transfer into several buffers. */
  async preadv(
    into: readonly Uint8Array[],
    position: number,
  ): Promise<number> {
    const whole = new Uint8Array(lengthOf(into));
    const count = await this.pread(whole, position);
    let at = 0;
    for (const piece of into) {
      piece.set(whole.subarray(at, Math.min(count, at + piece.length)));
      at += piece.length;
      if (at >= count) break;
    }
    return count;
  }

  /** pwritev(2): one transfer from several buffers. */
  async pwritev(
    from: readonly Uint8Array[],
    position: number,
  ): Promise<number> {
    const whole = new Uint8Array(lengthOf(from));
    let at = 0;
    for (const piece of from) {
      whole.set(piece, at);
      at += piece.length;
    }
    return await this.pwrite(whole, position);
  }

  /** fstatfs(2). */
  async fstatfs(): Promise<SimStatfs> {
    return await statfs(this.#opened("fstatfs"));
  }

  /** flock(2) with LOCK_NB; sends no request. */
  flock(kind: FlockKind): void {
    const file = this.#opened("flock");
    file.inode.flocks.set(file, kind);
  }

  /** mmap(2); writable if the file is. */
  mmap(shared: boolean): SimMapping {
    const file = this.#opened("mmap");
    const mode = file.flags & O.ACCMODE;
    //= mm/mmap.c do_mmap(): a file that is not open for reading cannot be
    //= mapped.
    if (mode === O.WRONLY) throw new SimError("mmap", ERRNO.EACCES);
    //= fs/fuse/file.c fuse_file_mmap(): a shared mapping of a file with direct
    //= I/O needs FUSE_DIRECT_IO_ALLOW_MMAP.
    const isDirect = (file.openFlags & FOPEN.DIRECT_IO) !== 0;
    if (shared && isDirect && !file.allowsMmap) {
      throw new SimError("mmap", ERRNO.ENODEV);
    }
    return new SimMapping(file, shared, mode === O.RDWR);
  }

  /** dup(2). */
  dup(): SimFile {
    return new SimFile(this.#opened("dup"));
  }

  /**
   * close(2): sends FLUSH, and RELEASE after the last reference, without
   * waiting for its reply.
   */
  async close(): Promise<void> {
    const file = this.#opened("close");
    this.#closed = true;
    let errno = 0;
    if ((file.openFlags & FOPEN.NOFLUSH) === 0) {
      const body = encodeStruct("fuse_flush_in", {
        fh: file.fh,
        lock_owner: file.lockOwner,
      });
      //= fs/fuse/file.c fuse_flush(): sent in any state of the connection.
      errno = await sendOptional(file, "FLUSH", body, 0, { force: true });
    }
    dropReference(file);
    if (errno !== 0) throw new SimError("close", errno);
  }

  async #sync(call: string, flags: number): Promise<void> {
    const file = this.#opened(call);
    await file.inode.pages.writeBack(file);
    const body = encodeStruct("fuse_fsync_in", {
      fh: file.fh,
      fsync_flags: flags,
    });
    const errno = await sendOptional(file, "FSYNC", body, 0);
    if (errno !== 0) throw new SimError(call, errno);
  }

  /** Runs a call during which io_submit(2) blocks. */
  async #alone(work: () => Promise<number>): Promise<number> {
    const { submission } = this.#file;
    await submission.acquire(true);
    try {
      return await work();
    } finally {
      submission.release();
    }
  }

  /**
   * Releases a file that open(2) gives up, without FLUSH.
   *
   * @ignore
   */
  abandon(): void {
    this.#closed = true;
    dropReference(this.#file);
  }

  #opened(call: string): OpenFile {
    if (this.#closed) throw new SimError(call, ERRNO.EBADF);
    return this.#file;
  }

  #readable(call: string, position: number): OpenFile {
    return this.#able(call, position, O.WRONLY);
  }

  #writable(call: string, position: number): OpenFile {
    return this.#able(call, position, O.RDONLY);
  }

  #able(call: string, position: number, refused: number): OpenFile {
    const file = this.#opened(call);
    if ((file.flags & O.ACCMODE) === refused) {
      throw new SimError(call, ERRNO.EBADF);
    }
    if (position < 0) throw new SimError(call, ERRNO.EINVAL);
    return file;
  }
}

function lengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}
