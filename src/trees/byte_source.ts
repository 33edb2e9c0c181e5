import { UserError } from "../base/user_error.ts";
import type { May } from "../filesystem/file_system.ts";

/**
 * Bytes that can be read at any offset: a local file, a `Blob`, what a server
 * sends by ranges.
 *
 * @category Archives
 */
export interface ByteSource {
  /** The number of bytes, which does not change. */
  readonly size: number;
  /**
   * Reads bytes.
   *
   * @param into Where to put them.
   * @param offset That of the first one.
   * @returns How many there are now in `into`; fewer than it holds mean the end.
   */
  read(into: Uint8Array, offset: number): May<number>;
}

/**
 * What archives are read from: a {@linkcode ByteSource}, a `Blob`, which a `File`
 * is too, or bytes in memory.
 *
 * @category Archives
 */
export type Readable = ByteSource | Blob | Uint8Array;

/** A source of what archives are read from. */
export function toByteSource(readable: Readable): ByteSource {
  if (readable instanceof Blob) return new BlobSource(readable);
  if (readable instanceof Uint8Array) return new MemorySource(readable);
  return readable;
}

/**
 * Reads exactly one range.
 *
 * @throws {UserError} If the source ends before.
 */
export async function readRange(
  source: ByteSource,
  offset: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  const read = await source.read(bytes, offset);
  if (read === length) return bytes;
  throw new UserError(
    `Cannot read the archive: it ends at ${offset + read}, ` +
      `and ${offset + length} bytes are needed; it may be incomplete`,
  );
}

class BlobSource implements ByteSource {
  readonly #blob: Blob;

  constructor(blob: Blob) {
    this.#blob = blob;
  }

  get size(): number {
    return this.#blob.size;
  }

  async read(into: Uint8Array, offset: number): Promise<number> {
    const part = this.#blob.slice(offset, offset + into.length);
    into.set(new Uint8Array(await part.arrayBuffer()));
    return part.size;
  }
}

class MemorySource implements ByteSource {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get size(): number {
    return this.#bytes.length;
  }

  read(into: Uint8Array, offset: number): number {
    const part = this.#bytes.subarray(offset, offset + into.length);
    into.set(part);
    return part.length;
  }
}
