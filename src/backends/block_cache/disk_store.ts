/**
 * Blocks in a file that outlives the export, and that several exports may use at
 * once.
 *
 * The file is an array of records; a block has one place, which follows from its
 * object and number, so nothing has to be looked up, and the file never grows
 * beyond its bound. A record says which block it is and has a checksum: one that
 * was torn, by a crash or by two exports that write at once, is not there.
 *
 * @module
 */
import type { BlockFile } from "../block_file.ts";
import { digests } from "../digests.ts";
import { BLOCK } from "./block_cache.ts";

/** Magic, object, number and length of the block, digest. */
const HEADER_BYTES = 64;
const MAGIC = new TextEncoder().encode("mqfblk1\n");
const OBJECT_AT = 8;
const OBJECT_BYTES = 16;
const NUMBER_AT = 24;
const LENGTH_AT = 32;
const DIGEST_AT = 40;
const DIGEST_BYTES = 16;
/** Bytes of a record. */
export const RECORD_BYTES: number = HEADER_BYTES + BLOCK;

/** The key of an object: its URL and what tells its version from others. */
export function objectKey(
  url: string,
  validator: string,
  size: number,
): Uint8Array<ArrayBuffer> {
  const text = JSON.stringify([url, validator, size]);
  const digest = digests().createHash("sha256").update(text).digest();
  return Uint8Array.from(digest.subarray(0, OBJECT_BYTES));
}

/** The blocks of one object in such a file, as one thread sees them. */
export class DiskStore {
  readonly #file: BlockFile;
  readonly #slots: number;
  readonly #size: number;
  readonly #failed: (error: number) => void;
  readonly #first: number;
  readonly #record = new Uint8Array(RECORD_BYTES);
  readonly #view = new DataView(this.#record.buffer);
  readonly #object: Uint8Array;
  #isUsable = true;

  /**
   * Uses a file, which stays open.
   *
   * @param object The key of the object, of {@linkcode objectKey}.
   * @param size The size of the object in bytes.
   * @param bytes The bound of the file.
   * @param failed Told once that nothing more is kept: a positive errno.
   */
  constructor(
    file: BlockFile,
    object: Uint8Array,
    size: number,
    bytes: number,
    failed: (error: number) => void,
  ) {
    this.#file = file;
    this.#object = object;
    this.#size = size;
    this.#slots = Math.floor(bytes / RECORD_BYTES);
    this.#failed = failed;
    const { buffer, byteOffset } = object;
    this.#first = new DataView(buffer, byteOffset).getUint32(0);
  }

  /** Fills memory with a block; whether the file has it. */
  load(block: number, into: Uint8Array): boolean {
    const record = this.#record;
    const at = this.#placeOf(block);
    if (at < 0) return false;
    const got = this.#file.pread(record, 0, RECORD_BYTES, at);
    const length = this.#lengthOf(block);
    if (got < HEADER_BYTES + length) return false;
    const digest = record.slice(DIGEST_AT, DIGEST_AT + DIGEST_BYTES);
    const isThat = isSame(record, 0, MAGIC) &&
      isSame(record, OBJECT_AT, this.#object) &&
      this.#view.getBigUint64(NUMBER_AT) === BigInt(block) &&
      this.#view.getUint32(LENGTH_AT) === length;
    if (!isThat || !isSame(digest, 0, this.#digest(length))) return false;
    into.set(record.subarray(HEADER_BYTES, HEADER_BYTES + length));
    return true;
  }

  /** Keeps a block. */
  save(block: number, bytes: Uint8Array): void {
    const at = this.#placeOf(block);
    if (at < 0 || !this.#isUsable) return;
    const record = this.#record;
    const length = this.#lengthOf(block);
    record.fill(0, 0, HEADER_BYTES);
    record.set(MAGIC);
    record.set(this.#object, OBJECT_AT);
    this.#view.setBigUint64(NUMBER_AT, BigInt(block));
    this.#view.setUint32(LENGTH_AT, length);
    record.set(bytes.subarray(0, length), HEADER_BYTES);
    record.set(this.#digest(length), DIGEST_AT);
    const put = this.#file.pwrite(record, 0, HEADER_BYTES + length, at);
    if (put >= 0) return;
    // The medium may be full: what is there is still used.
    this.#isUsable = false;
    this.#failed(-put);
  }

  /** The digest of all of the record but the digest itself. */
  #digest(length: number): Uint8Array {
    const record = this.#record;
    return digests().createHash("sha256").update(record.subarray(0, DIGEST_AT))
      .update(record.subarray(HEADER_BYTES, HEADER_BYTES + length))
      .digest().subarray(0, DIGEST_BYTES);
  }

  /** Where the record of a block is; -1 if the file has room for none. */
  #placeOf(block: number): number {
    if (this.#slots === 0) return -1;
    return (this.#first + block) % this.#slots * RECORD_BYTES;
  }

  #lengthOf(block: number): number {
    return Math.min(BLOCK, this.#size - block * BLOCK);
  }
}

function isSame(bytes: Uint8Array, at: number, other: Uint8Array): boolean {
  for (let i = 0; i < other.length; i++) {
    if (bytes[at + i] !== other[i]) return false;
  }
  return true;
}
