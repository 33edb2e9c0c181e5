/**
 * Memory outside of V8's heap: mmap(2).
 *
 * @module
 */

import { PAGE_SIZE } from "../../base/limits.ts";
import { pointerOf } from "./ffi_values.ts";
import { errno, libc } from "./libc.ts";
import { SystemError } from "./system_error.ts";

const PROT_READ_WRITE = 3;
const MAP_SHARED = 0x01;
const MAP_PRIVATE = 0x02;
const MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000;
const MAP_POPULATE = 0x8000;
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

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

/**
 * Allocates a buffer in which a certain byte is the first of a page.
 *
 * @param size The size of the buffer in bytes.
 * @param at The index of that byte.
 */
export function alignedBytes(
  size: number,
  at: number,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size + PAGE_SIZE);
  const address = Number(Deno.UnsafePointer.value(pointerOf(bytes)));
  const shift = (PAGE_SIZE - (address + at) % PAGE_SIZE) % PAGE_SIZE;
  return bytes.subarray(shift, shift + size);
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
