import { ERRNO } from "../base/errno.ts";
import { Completion } from "../event/completion.ts";
import type { FileIo } from "../event/file_io.ts";
import { LinuxBlockFile } from "../linux/io/block_file.ts";
import { pointerOf } from "../linux/syscall/ffi_values.ts";
import { type Libc, libc } from "../linux/syscall/libc.ts";

/**
 * File I/O in threads of Deno's pool, for a thread that has no event source and
 * must not wait for a medium: the main thread, which obeys signals and `ctl`.
 *
 * The errno of such a call is lost. A call that failed is repeated as a plain
 * one, which fails in the same way without a wait. fdatasync(2) tells a write-back
 * error once: if the other one succeeds, the result is EIO.
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
    return repeated(
      this.#libc.pread_nonblocking(
        fd,
        ...rangeOf(buffer, start, length),
        BigInt(position),
      ),
      () => new LinuxBlockFile(fallback).pread(buffer, start, length, position),
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
    return repeated(
      this.#libc.pwrite_nonblocking(
        fd,
        ...rangeOf(buffer, start, length),
        BigInt(position),
      ),
      () =>
        new LinuxBlockFile(fallback).pwrite(buffer, start, length, position),
    );
  }

  sync(fd: number): Completion<number> {
    return repeated(this.#libc.fdatasync_nonblocking(fd), () => {
      const again = new LinuxBlockFile(fd).fdatasync();
      return again < 0 ? again : -ERRNO.EIO;
    });
  }

  allocate(
    fd: number,
    mode: number,
    position: number,
    length: number,
  ): Completion<number> {
    return repeated(
      this.#libc.fallocate_nonblocking(
        fd,
        mode,
        BigInt(position),
        BigInt(length),
      ),
      () => new LinuxBlockFile(fd).fallocate(mode, position, length),
    );
  }

  truncate(fd: number, size: number): Completion<number> {
    return repeated(
      this.#libc.ftruncate_nonblocking(fd, BigInt(size)),
      () => new LinuxBlockFile(fd).ftruncate(size),
    );
  }

  /** No: a call that waits would stop everything that this thread obeys. */
  mayBlock(): boolean {
    return false;
  }

  unblock(): void {}
}

/** A part of a buffer, as pread(2) and pwrite(2) take it. */
function rangeOf(
  buffer: Uint8Array,
  start: number,
  length: number,
): [Deno.PointerValue, bigint] {
  const part = buffer.subarray(start, start + length);
  return [pointerOf(part), BigInt(length)];
}

/** The result of a call in the pool; if it failed, that of another call. */
function repeated(
  result: Promise<number>,
  again: () => number,
): Completion<number> {
  return Completion.of(result.then((value) => value < 0 ? again() : value));
}
