/**
 * The entries of a host directory: getdents64(2).
 *
 * @module
 */
import { decodeName } from "../base/name_bytes.ts";
import type { Dirent } from "../filesystem/file_system.ts";
import { CALLS } from "../linux/syscall/architecture.ts";
import { OPEN } from "../linux/syscall/descriptor.ts";
import { libc } from "../linux/syscall/libc.ts";
import { checked } from "./failure.ts";
import { DOT } from "./names.ts";
import type { MirrorNode } from "./nodes.ts";

const BUFFER_SIZE = 32 * 1024;
const SIZE = BigInt(BUFFER_SIZE);
const TWO_32 = 2 ** 32;
/** From `d_type` to the type bits of a mode: DTTOIF(). */
const TYPE_SHIFT = 12;

// struct linux_dirent64 { u64 d_ino; s64 d_off; u16 d_reclen; u8 d_type;
// char d_name[]; }
const LENGTH_AT = 16;
const TYPE_AT = 18;
const NAME_AT = 19;

// Shared by all listings of this thread: each empties it before it returns.
const bytes = new Uint8Array(new ArrayBuffer(BUFFER_SIZE));
const view = new DataView(bytes.buffer);

/** Reads a directory once, in pieces. */
export class DirectoryReader implements IterableIterator<Dirent<MirrorNode>> {
  #fd: number;
  #entries: Dirent<MirrorNode>[] = [];
  #at = 0;

  /**
   * Opens a directory.
   *
   * @param directory An O_PATH descriptor.
   * @throws {Errno} EACCES, EMFILE, ENFILE.
   */
  constructor(directory: number) {
    const flags = OPEN.RDONLY | OPEN.DIRECTORY | OPEN.CLOEXEC;
    this.#fd = checked(libc().openat(directory, DOT, flags, 0));
  }

  [Symbol.iterator](): this {
    return this;
  }

  next(): IteratorResult<Dirent<MirrorNode>, undefined> {
    if (this.#at === this.#entries.length && !this.#refill()) {
      this.#close();
      return { done: true, value: undefined };
    }
    return { done: false, value: this.#entries[this.#at++]! };
  }

  return(): IteratorResult<Dirent<MirrorNode>, undefined> {
    this.#close();
    return { done: true, value: undefined };
  }

  #close(): void {
    if (this.#fd >= 0) libc().close(this.#fd);
    this.#fd = -1;
  }

  /** Reads further entries; returns whether there are any. */
  #refill(): boolean {
    this.#entries = [];
    this.#at = 0;
    while (this.#fd >= 0 && this.#entries.length === 0) {
      const { getdents64 } = libc();
      const length = checked(
        getdents64(BigInt(CALLS.getdents64), this.#fd, bytes, SIZE),
      );
      if (length === 0) return false;
      decode(length, this.#entries);
    }
    return this.#entries.length > 0;
  }
}

/** Adds the entries in the buffer, without `.` and `..`. */
function decode(length: number, entries: Dirent<MirrorNode>[]): void {
  for (let at = 0; at < length;) {
    const size = view.getUint16(at + LENGTH_AT, true);
    const start = at + NAME_AT;
    const end = bytes.indexOf(0, start);
    const name = decodeName(bytes.subarray(start, end));
    if (name !== "." && name !== "..") {
      const mode = view.getUint8(at + TYPE_AT) << TYPE_SHIFT;
      entries.push([name, null, { mode, ino: inodeAt(at) }]);
    }
    at += size;
  }
}

function inodeAt(at: number): number | bigint {
  const high = view.getUint32(at + 4, true);
  return high < 2 ** 21
    ? high * TWO_32 + view.getUint32(at, true)
    : view.getBigUint64(at, true);
}
