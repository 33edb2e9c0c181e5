/**
 * Memory outside of V8's heap, by mmap(2).
 *
 * @module
 */

import { pointerOf } from "./ffi_values.ts";
import { PAGE_SIZE } from "../../base/limits.ts";
import { errno, libc } from "./libc.ts";
import { SystemError } from "./system_error.ts";

const PROT_READ_WRITE = 3;
const MAP_SHARED = 0x01;
const MAP_PRIVATE = 0x02;
const MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000;
const MAP_POPULATE = 0x8000;
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

/** A piece of mapped memory. */
export interface Mapping {
  /** The bytes; they must not be touched any more after `unmap()`. */
  readonly buffer: ArrayBuffer;
  /** Where they lie; user addresses are exact as numbers. */
  readonly address: number;
  /** munmap(2); idempotent. */
  unmap(): void;
}

/**
 * Memory of the process's own: zeroes, page-aligned, taken when first touched.
 *
 * @param size Bytes.
 * @throws {SystemError} ENOMEM.
 */
export function mapAnonymous(size: number): Mapping {
  return map(size, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0n);
}

/**
 * Memory that the kernel shares by a descriptor.
 *
 * @param fd The descriptor.
 * @param size Bytes.
 * @param offset Which memory, as the kernel counts.
 * @throws {SystemError} With mmap(2)'s errno.
 */
export function mapShared(fd: number, size: number, offset: bigint): Mapping {
  return map(size, MAP_SHARED | MAP_POPULATE, fd, offset);
}

/**
 * A buffer of V8's in which one byte begins a page.
 *
 * @param size Bytes.
 * @param at The byte that begins a page.
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
    const error = errno();
    throw new SystemError({
      call: "mmap",
      action: `map ${size} bytes of memory`,
      errno: error,
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
