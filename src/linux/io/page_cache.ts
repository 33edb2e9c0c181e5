/**
 * What the page cache holds of a file: cachestat(2), preadv2(2).
 *
 * @module
 */
import { PAGE_SIZE } from "../../base/limits.ts";
import { CALLS } from "../syscall/architecture.ts";
import { pointerOf } from "../syscall/ffi_values.ts";
import { ERRNO } from "../../base/errno.ts";
import { errno, type Libc, libc } from "../syscall/libc.ts";

// The same number on all architectures.
const RWF_NOWAIT = 8;
const TWO_32 = 2 ** 32;

/** Whether this kernel has cachestat(2), Linux 6.5. */
export function hasCachestat(): boolean {
  // It looks at the descriptor before it looks at the rest.
  libc().cachestat(CALLS.cachestat, -1, null, null, 0);
  return errno() === ERRNO.EBADF;
}

/** Whether ranges of one file lie in the page cache; used by one thread. */
export class PageCache {
  readonly #fd: number;
  readonly #libc: Libc = libc();
  /** struct cachestat_range { u64 off; u64 len; } */
  readonly #range: Uint32Array<ArrayBuffer> = new Uint32Array(4);
  readonly #rangePointer: Deno.PointerValue;
  /** struct cachestat, which begins with u64 nr_cache. */
  readonly #stat: Uint32Array<ArrayBuffer> = new Uint32Array(10);
  readonly #statPointer: Deno.PointerValue;
  /** A byte to read to, and a struct iovec with its address. */
  readonly #byte: Uint8Array<ArrayBuffer> = new Uint8Array(
    new ArrayBuffer(PAGE_SIZE),
  );
  readonly #iovec: BigUint64Array<ArrayBuffer> = new BigUint64Array(2);
  readonly #iovecPointer: Deno.PointerValue;

  /**
   * Asks about a file.
   *
   * @param fd Its descriptor.
   */
  constructor(fd: number) {
    this.#fd = fd;
    this.#rangePointer = pointerOf(new Uint8Array(this.#range.buffer));
    this.#statPointer = pointerOf(new Uint8Array(this.#stat.buffer));
    this.#iovecPointer = pointerOf(new Uint8Array(this.#iovec.buffer));
    this.#iovec[0] = Deno.UnsafePointer.value(pointerOf(this.#byte));
    this.#iovec[1] = 1n;
  }

  /**
   * Whether every page of a range is in memory, so that reading it would not
   * wait for the medium. `false` too if that cannot be found out: before Linux
   * 6.5, and for files that this process may not write to and does not own.
   *
   * A page may still be on its way from the medium, although the last one is
   * there. A caller that must not wait for it has to prevent that by itself.
   *
   * @param position Bytes.
   * @param length Bytes, at least 1.
   */
  holds(position: number, length: number): boolean {
    const first = Math.floor(position / PAGE_SIZE);
    const pages = Math.ceil((position + length) / PAGE_SIZE) - first;
    return this.#count(position, length) === pages &&
      // Pages that are being read count as cached; the last one comes last.
      this.#reads(position + length - 1);
  }

  /** The pages of a range that are there, or on their way; -1 if unknown. */
  #count(position: number, length: number): number {
    this.#range[0] = position;
    this.#range[1] = position / TWO_32;
    this.#range[2] = length;
    const result = this.#libc.cachestat(
      CALLS.cachestat,
      this.#fd,
      this.#rangePointer,
      this.#statPointer,
      0,
    );
    return result < 0 ? -1 : this.#stat[0]!;
  }

  /** Whether a byte can be read at once. */
  #reads(position: number): boolean {
    const at = BigInt(position);
    const pointer = this.#iovecPointer;
    return this.#libc.preadv2(this.#fd, pointer, 1, at, RWF_NOWAIT) === 1;
  }
}
