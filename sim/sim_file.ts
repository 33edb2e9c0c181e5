import { encodeStruct } from "../src/protocol/codec.ts";
import { ERRNO } from "../src/protocol/errno.ts";
import { FALLOC_FL, FOPEN, FUSE_FSYNC, O } from "../src/protocol/flags.ts";
import { attributes, changeSize, probeCapability } from "./attributes.ts";
import { readPart, transferAsync } from "./direct_io.ts";
import type { SimStat } from "./inode.ts";
import {
  ask,
  checked,
  type OpenFile,
  read,
  release,
  seek,
  write,
} from "./open_file.ts";
import { SimError } from "./sim_error.ts";

const SUPPORTED = FALLOC_FL.KEEP_SIZE | FALLOC_FL.PUNCH_HOLE |
  FALLOC_FL.ZERO_RANGE;

/** A file descriptor of the mounted file, as a program has it. */
export class SimFile {
  readonly #file: OpenFile;
  #closed = false;

  /** Makes a descriptor; see `SimClient.open()`. */
  constructor(file: OpenFile) {
    this.#file = file;
    file.references++;
  }

  /** pread(2): bytes read, fewer than asked at the end of the file. */
  async pread(into: Uint8Array, position: number): Promise<number> {
    const file = this.#readable("pread", position);
    return await read(file, into, position, "pread");
  }

  /** read(2), from where the last one ended. */
  async read(into: Uint8Array): Promise<number> {
    const file = this.#readable("read", 0);
    const count = await read(file, into, file.position, "read");
    file.position += count;
    return count;
  }

  /** pread(2) by io_submit(2): parts of it are in flight together. */
  async aioRead(into: Uint8Array, position: number): Promise<number> {
    const file = this.#readable("io_submit", position);
    if (!file.asyncDio) {
      return await this.#alone(() => read(file, into, position, "io_submit"));
    }
    const size = file.split.read;
    const result = await transferAsync(
      file,
      readPart,
      size,
      into,
      position,
      false,
    );
    file.inode.invalidate();
    return checked(result, "io_submit");
  }

  /** pwrite(2): bytes written. */
  async pwrite(from: Uint8Array, position: number): Promise<number> {
    const file = this.#writable("pwrite", position);
    return await write(file, from, position, "pwrite", false);
  }

  /** write(2), from where the last one ended. */
  async write(from: Uint8Array): Promise<number> {
    const file = this.#writable("write", 0);
    const count = await write(file, from, file.position, "write", false);
    file.position += count;
    return count;
  }

  /** pwrite(2) by io_submit(2): parts of it are in flight together. */
  async aioWrite(from: Uint8Array, position: number): Promise<number> {
    const file = this.#writable("io_submit", position);
    const together = file.asyncDio;
    const work = () => write(file, from, position, "io_submit", together);
    return together ? await work() : await this.#alone(work);
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
    await changeSize(file, "ftruncate", size, file);
  }

  /** fallocate(2). */
  async fallocate(mode: number, offset: number, length: number): Promise<void> {
    const call = "fallocate";
    const file = this.#writable(call, offset);
    if (length <= 0) throw new SimError(call, ERRNO.EINVAL);
    //= fs/open.c vfs_fallocate() and fs/fuse/file.c fuse_file_fallocate():
    //= other modes do not reach the server.
    const punchOnly = (mode & FALLOC_FL.PUNCH_HOLE) !== 0 &&
      (mode & FALLOC_FL.KEEP_SIZE) === 0;
    if ((mode & ~SUPPORTED) !== 0 || punchOnly) {
      throw new SimError(call, ERRNO.EOPNOTSUPP);
    }
    await file.inode.lock.take(true);
    try {
      await probeCapability(file);
      const body = encodeStruct("fuse_fallocate_in", {
        fh: file.fh,
        offset: BigInt(offset),
        length: BigInt(length),
        mode,
      });
      const errno = await ask(file, "FALLOCATE", body, ERRNO.EOPNOTSUPP);
      if (errno !== 0) throw new SimError(call, errno);
      const grows = (mode & FALLOC_FL.KEEP_SIZE) === 0;
      if (grows) file.inode.written(offset + length);
    } finally {
      file.inode.invalidate();
      file.inode.lock.give();
    }
  }

  /** lseek(2): the new position. */
  async lseek(offset: number, whence: number): Promise<number> {
    const file = this.#opened("lseek");
    const position = await seek(file, offset, whence);
    if (position < 0) throw new SimError("lseek", ERRNO.EINVAL);
    file.position = position;
    return position;
  }

  /** fstat(2). */
  async fstat(): Promise<SimStat> {
    return await attributes(this.#opened("fstat"), "fstat");
  }

  /** dup(2). */
  dup(): SimFile {
    return new SimFile(this.#opened("dup"));
  }

  /** close(2): FLUSH each time, RELEASE after the last, not waited for. */
  async close(): Promise<void> {
    const file = this.#opened("close");
    this.#closed = true;
    let errno = 0;
    if ((file.openFlags & FOPEN.NOFLUSH) === 0) {
      const body = encodeStruct("fuse_flush_in", {
        fh: file.fh,
        lock_owner: file.lockOwner,
      });
      //= fs/fuse/file.c fuse_flush(): goes out whatever state the connection
      //= is in.
      errno = await ask(file, "FLUSH", body, 0, { force: true });
    }
    if (--file.references === 0) release(file);
    if (errno !== 0) throw new SimError("close", errno);
  }

  async #sync(call: string, flags: number): Promise<void> {
    const file = this.#opened(call);
    const body = encodeStruct("fuse_fsync_in", {
      fh: file.fh,
      fsync_flags: flags,
    });
    const errno = await ask(file, "FSYNC", body, 0);
    if (errno !== 0) throw new SimError(call, errno);
  }

  /** Does what io_submit(2) does not come back from before it is done. */
  async #alone(work: () => Promise<number>): Promise<number> {
    const { submission } = this.#file;
    await submission.take(true);
    try {
      return await work();
    } finally {
      submission.give();
    }
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
