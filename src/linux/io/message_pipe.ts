/**
 * Messages to a device whose bytes are pages of a file: pipe(7), splice(2).
 *
 * @module
 */
import { ERRNO } from "../../base/errno.ts";
import { PAGE_SIZE } from "../../base/limits.ts";
import type { MessagePipe } from "../../event/message_pipe.ts";
import { closeDescriptor, OPEN } from "../syscall/descriptor.ts";
import {
  BufferPointers,
  LastBigint,
  pointerOf,
} from "../syscall/ffi_values.ts";
import { errno, type Libc, libc } from "../syscall/libc.ts";
import { resultOrNull, SystemError } from "../syscall/system_error.ts";

// An operation of fcntl(2).
const F_SETPIPE_SZ = 1031;
// splice(2): do not wait for room in a pipe.
const SPLICE_F_NONBLOCK = 2;
/** Bytes that a head may have. */
const HEAD_MAX = 64;
/** Bytes that are discarded at once. */
const SCRAP = 64 * 1024;
const TWO_32 = 2 ** 32;

/**
 * Pages of a pipe. Each takes a page of a file, or a part of one; the head takes
 * one more. The sizes are tried in this order. They are powers of two, so the
 * first one that the largest message fits into has twice its pages; sizes beyond
 * pipe-max-size need CAP_SYS_RESOURCE.
 */
const PAGES = [512, 256, 128, 64] as const;

/** The two ends of a pipe, and its size. */
interface PipeEnds {
  readonly reading: number;
  readonly writing: number;
  /** The pages that it holds. */
  readonly pages: number;
}

/**
 * Makes a pipe for messages.
 *
 * @returns A pipe; `close()` closes it.
 * @throws {SystemError} EMFILE or ENFILE without descriptors; EPERM if this
 * user's pipes have as much memory as pipe-user-pages-soft allows.
 */
export function openMessagePipe(): LinuxMessagePipe {
  return new LinuxMessagePipe(openPipe());
}

/** A pipe, used by one thread. */
export class LinuxMessagePipe implements MessagePipe {
  readonly #libc: Libc = libc();
  /** `null` once it is closed, or could not be replaced. */
  #ends: PipeEnds | null;
  readonly #head: Uint32Array<ArrayBuffer> = new Uint32Array(HEAD_MAX / 4);
  readonly #headPointer: Deno.PointerValue = pointerOf(
    new Uint8Array(this.#head.buffer),
  );
  #headSize = 0;
  readonly #headLength: LastBigint = new LastBigint();
  /** The position of splice(2), an off_t. */
  readonly #position: Uint32Array<ArrayBuffer> = new Uint32Array(2);
  readonly #positionPointer: Deno.PointerValue = pointerOf(
    new Uint8Array(this.#position.buffer),
  );
  readonly #appendLength: LastBigint = new LastBigint();
  readonly #sendLength: LastBigint = new LastBigint();
  readonly #pointers: BufferPointers = new BufferPointers();
  /** Bytes that lie in the pipe, at most. */
  #bytes = 0;
  /** Pages of the pipe that they take, at most. */
  #pages = 0;

  /** Wraps a pipe. */
  constructor(ends: PipeEnds) {
    this.#ends = ends;
  }

  /** Bytes of the largest piece of a file that fits at any position. */
  get capacity(): number {
    // The head, and a page of which only a part is sent.
    return this.#ends === null ? 0 : (this.#ends.pages - 2) * PAGE_SIZE;
  }

  begin(memory: DataView, size: number): void {
    if (this.#bytes !== 0) this.#discard();
    this.#headSize = size;
    for (let i = 0; i < size / 4; i++) {
      this.#head[i] = memory.getUint32(4 * i, true);
    }
  }

  append(fd: number, position: number, length: number): number {
    const ends = this.#ends;
    if (ends === null) return -ERRNO.EBADF;
    if (this.#bytes === 0) {
      if (pagesOf(position, length) + 1 > ends.pages) return 0;
      const written = this.#writeHead(ends);
      if (written < 0) return written;
    }
    let done = 0;
    while (done < length) {
      const got = this.#splice(ends, fd, position + done, length - done);
      // Bytes before an error count as appended.
      if (got < 0) return done > 0 ? done : got;
      if (got === 0) break;
      done += got;
    }
    return done;
  }

  send(fd: number): number {
    const ends = this.#ends;
    if (ends === null) return -ERRNO.EBADF;
    const length = this.#sendLength.of(this.#bytes);
    const { reading } = ends;
    // Without SPLICE_F_MOVE, which could take the pages out of the page cache.
    //= fs/fuse/dev.c fuse_dev_splice_write(), fuse_copy_folio(): the kernel
    //= copies the pages before splice(2) returns, so no later change of the file
    //= reaches the reader.
    const sent = this.#libc.splice(reading, null, fd, null, length, 0);
    if (sent < 0) return -errno();
    if (sent === this.#bytes) this.#bytes = this.#pages = 0;
    return sent;
  }

  drain(buffer: Uint8Array<ArrayBuffer>): number {
    const pointer = this.#pointers.of(buffer);
    let done = 0;
    while (this.#ends !== null && pointer !== null && done < buffer.length) {
      const at = done === 0
        ? pointer
        : Deno.UnsafePointer.offset(pointer, done);
      const room = BigInt(buffer.length - done);
      const got = this.#libc.read(this.#ends.reading, at, room);
      if (got === 0) break;
      if (got < 0) {
        const error = errno();
        if (error === ERRNO.EINTR) continue;
        if (error !== ERRNO.EAGAIN) return -error;
        this.#bytes = this.#pages = 0;
        break;
      }
      done += got;
    }
    return done;
  }

  /** Closes both ends. Later calls do nothing. */
  close(): void {
    if (this.#ends === null) return;
    closeDescriptor(this.#ends.reading);
    closeDescriptor(this.#ends.writing);
    this.#ends = null;
  }

  /** Returns 0 or a negative errno. */
  #writeHead({ writing }: PipeEnds): number {
    const length = this.#headLength.of(this.#headSize);
    const written = this.#libc.write(writing, this.#headPointer, length);
    if (written < 0) return -errno();
    this.#bytes = written;
    this.#pages = 1;
    return written === this.#headSize ? 0 : -ERRNO.EAGAIN;
  }

  #splice(
    { writing, pages }: PipeEnds,
    fd: number,
    position: number,
    length: number,
  ): number {
    // Otherwise the kernel would append as much as fits.
    if (this.#pages + pagesOf(position, length) > pages) return 0;
    this.#position[0] = position;
    this.#position[1] = position / TWO_32;
    const offset = this.#positionPointer;
    const size = this.#appendLength.of(length);
    for (;;) {
      const flags = SPLICE_F_NONBLOCK;
      const got = this.#libc.splice(fd, offset, writing, null, size, flags);
      if (got >= 0) {
        this.#bytes += got;
        this.#pages += pagesOf(position, got);
        return got;
      }
      const error = errno();
      if (error !== ERRNO.EINTR) return -error;
    }
  }

  /** Empties the pipe, or replaces it if that fails. */
  #discard(): void {
    const scrap = new Uint8Array(SCRAP);
    while (this.drain(scrap) === SCRAP);
    if (this.#bytes === 0) return;
    //= fs/splice.c page_cache_pipe_buf_confirm(): a page that could not be read
    //= stays in the pipe.
    this.close();
    this.#bytes = this.#pages = 0;
    this.#ends = resultOrNull(openPipe);
  }
}

function openPipe(): PipeEnds {
  const fds = new Int32Array(new ArrayBuffer(8));
  if (libc().pipe2(fds, OPEN.CLOEXEC | OPEN.NONBLOCK) < 0) {
    throw new SystemError({
      call: "pipe2",
      action: "make a pipe",
      errno: errno(),
    });
  }
  const [reading, writing] = fds as unknown as [number, number];
  let error = 0;
  for (const pages of PAGES) {
    const size = libc().fcntl(writing, F_SETPIPE_SZ, pages * PAGE_SIZE);
    if (size > 0) return { reading, writing, pages: size / PAGE_SIZE };
    error = errno();
  }
  closeDescriptor(reading);
  closeDescriptor(writing);
  throw new SystemError({
    call: "fcntl",
    action: "make a pipe large enough",
    errno: error,
    advice: error === ERRNO.EPERM
      ? "raise /proc/sys/fs/pipe-user-pages-soft or pipe-max-size"
      : undefined,
  });
}

/** The pages of a file that a range touches. */
function pagesOf(position: number, length: number): number {
  return Math.ceil((position % PAGE_SIZE + length) / PAGE_SIZE);
}
