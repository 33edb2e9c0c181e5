/**
 * Memory outside of V8's heap: mmap(2).
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";
import { errno, libc } from "./libc.ts";
import { SystemError } from "./system_error.ts";

const PROT_READ_WRITE = 3;
const MAP_SHARED = 0x01;
const MAP_PRIVATE = 0x02;
const MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000;
const MAP_POPULATE = 0x8000;
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;
// Linux 5.14 and later.
const MADV_POPULATE_WRITE = 23;

/** A range of mapped memory. */
export interface Mapping {
  /** The bytes. Accessing them after `unmap()` crashes the process. */
  readonly buffer: ArrayBuffer;
  /** The address; addresses of user space are exact as numbers. */
  readonly address: number;
  /** Unmaps the memory by munmap(2). Later calls do nothing. */
  unmap(): void;
}

/**
 * Maps private memory: zeroed, page-aligned, and allocated on first access.
 *
 * @param size Its size in bytes.
 * @throws {SystemError} ENOMEM.
 */
export function mapAnonymous(size: number): Mapping {
  return map(size, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0n);
}

/**
 * Maps memory that the kernel shares through a descriptor.
 *
 * @param fd The descriptor.
 * @param size The size in bytes.
 * @param offset Selects the memory; its meaning depends on the descriptor.
 * @throws {SystemError} With the errno of mmap(2).
 */
export function mapShared(fd: number, size: number, offset: bigint): Mapping {
  return map(size, MAP_SHARED | MAP_POPULATE, fd, offset);
}

/** Mapped memory whose pages have been allocated. */
export interface ResidentMapping extends Mapping {
  /**
   * Whether its pages are locked: they are never written to swap, so that an
   * access needs no I/O and no new page. `false` if RLIMIT_MEMLOCK is too small.
   */
  readonly locked: boolean;
}

/**
 * Maps private memory, allocates all of its pages at once, and locks them with
 * mlock(2) if this process may.
 *
 * @param size Its size in bytes.
 * @throws {SystemError} ENOMEM, if there is not as much memory.
 */
export function mapResident(size: number): ResidentMapping {
  const mapping = mapAnonymous(size);
  const pointer = Deno.UnsafePointer.create(BigInt(mapping.address));
  const length = BigInt(size);
  if (libc().madvise(pointer, length, MADV_POPULATE_WRITE) < 0) {
    const error = errno();
    if (error !== ERRNO.EINVAL) {
      mapping.unmap();
      throw new SystemError({
        call: "madvise",
        action: `allocate ${size} bytes of memory`,
        errno: error,
      });
    }
    // Linux before 5.14.
    new Uint8Array(mapping.buffer).fill(0);
  }
  return { ...mapping, locked: libc().mlock(pointer, length) === 0 };
}

function map(
  size: number,
  flags: number,
  fd: number,
  offset: bigint,
): Mapping {
  const length = BigInt(size);
  const { mmap, munmap } = libc();
  const pointer = mmap(null, length, PROT_READ_WRITE, flags, fd, offset);
  const address = Deno.UnsafePointer.value(pointer);
  if (pointer === null || address === MAP_FAILED) {
    throw new SystemError({
      call: "mmap",
      action: `map ${size} bytes of memory`,
      errno: errno(),
    });
  }
  let mapped = true;
  return {
    buffer: Deno.UnsafePointerView.getArrayBuffer(pointer, size),
    address: Number(address),
    unmap() {
      if (mapped) munmap(pointer, length);
      mapped = false;
    },
  };
}
