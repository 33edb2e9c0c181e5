/**
 * A model of an image, and assertions that an image agrees with it.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { Backend } from "../../src/backends/backend.ts";

/** The bytes that an image should hold. */
export interface Model {
  /** Its bytes, or the first of them. */
  readonly bytes: Uint8Array;
  /** Whether it keeps written bytes. */
  readonly keeps: boolean;
}

/** Byte `position` of a pattern disk, computed with bigints. */
export function byteOfPattern(position: number): number {
  const word = BigInt(position) & ~7n;
  return Number((word >> BigInt((7 - position % 8) * 8)) & 0xffn);
}

/** Reads a range, and asserts that all of it was read. */
export async function readBack(
  backend: Backend,
  position: number,
  length: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length).fill(0xcc);
  assertEquals(await backend.read(position, bytes, 0, length), length);
  return bytes;
}

/** Asserts that a range, up to the end of the model, reads as it should. */
export async function assertReads(
  backend: Backend,
  { bytes }: Model,
  position: number,
  length: number,
): Promise<void> {
  const most = Math.min(length, bytes.length - position);
  const got = await readBack(backend, position, most);
  for (let i = 0; i < most; i++) {
    const expected = bytes[position + i];
    if (got[i] !== expected) {
      assertEquals(got[i], expected, `at ${position + i}`);
    }
  }
}

/** Asserts that the whole image reads as it should. */
export function assertHolds(backend: Backend, model: Model): Promise<void> {
  return assertReads(backend, model, 0, model.bytes.length);
}

/**
 * Asserts that the extents of an image follow each other to its end, that a
 * position inside one has the same kind, and that holes read as zeroes.
 *
 * @returns Bytes of data.
 */
export async function walkExtents(
  backend: Backend,
  { bytes }: Model,
): Promise<number> {
  const { size } = await backend.stat();
  let data = 0;
  for (let at = 0; at < size;) {
    const extent = await backend.extent(at);
    assert(extent.end > at, `an extent at ${at} ends at ${extent.end}`);
    const end = Math.min(extent.end, size);
    const middle = at + Math.floor((end - at) / 2);
    assertEquals((await backend.extent(middle)).data, extent.data);
    if (extent.data) data += end - at;
    else {
      const hole = bytes.subarray(at, end);
      assert(hole.every((byte) => byte === 0), `data in hole ${at}..${end}`);
    }
    at = end;
  }
  return data;
}
