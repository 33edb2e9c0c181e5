import { ERRNO } from "../base/errno.ts";
import { Completion } from "../event/completion.ts";
import type { FileIo } from "../event/file_io.ts";
import { LinuxBlockFile } from "../linux/io/block_file.ts";
import { readInPool, syncInPool, writeInPool } from "../linux/io/pool_calls.ts";
import { type Libc, libc } from "../linux/syscall/libc.ts";
import { inPool } from "../linux/syscall/pool.ts";

/**
 * File I/O in other threads, for a thread that has no event source and must not
 * wait for a medium: the main thread, which obeys signals and `ctl`.
 *
 * The other thread does not pass on the errno of fallocate(2) and ftruncate(2).
 * So a call that failed is repeated as a plain call on this thread, which fails
 * in the same way, without a wait.
 */
export class PoolFileIo implements FileIo {
  readonly #libc: Libc = libc();

  read(
    fd: number,
    buffer: Uint8Array,
    start: number,
    length: number,
    position: number,
    fallback: number = fd,
  ): Completion<number> {
    const part = buffer.subarray(start, start + length);
    return Completion.of(
      readInPool(fd, part, position).then((count) =>
        count < 0 && fallback !== fd
          ? readInPool(fallback, part, position)
          : count
      ),
    );
  }

  write(
    fd: number,
    buffer: Uint8Array,
    start: number,
    length: number,
    position: number,
    fallback: number = fd,
  ): Completion<number> {
    const part = buffer.subarray(start, start + length);
    return Completion.of(
      writeInPool(fd, part, position).then((count) =>
        count === -ERRNO.EINVAL && fallback !== fd
          ? writeInPool(fallback, part, position)
          : count
      ),
    );
  }

  sync(fd: number): Completion<number> {
    return Completion.of(syncInPool(fd));
  }

  allocate(
    fd: number,
    mode: number,
    position: number,
    length: number,
  ): Completion<number> {
    const from = BigInt(position);
    const size = BigInt(length);
    return repeated(
      () => this.#libc.fallocate_nonblocking(fd, mode, from, size),
      () => new LinuxBlockFile(fd).fallocate(mode, position, length),
    );
  }

  truncate(fd: number, size: number): Completion<number> {
    return repeated(
      () => this.#libc.ftruncate_nonblocking(fd, BigInt(size)),
      () => new LinuxBlockFile(fd).ftruncate(size),
    );
  }

  /** No: a call that waits would stop everything that this thread obeys. */
  mayBlock(): boolean {
    return false;
  }

  unblock(): void {}
}

/** The result of a call in the pool; if it failed, that of another call. */
function repeated(
  call: () => Promise<number>,
  again: () => number,
): Completion<number> {
  const result = inPool(call, () => -1);
  return Completion.of(result.then((value) => value < 0 ? again() : value));
}
