/**
 * A request as the server sees it: validated once, then read in place.
 *
 * @module
 */
import { accessors } from "./accessors.ts";
import { viewOf } from "./codec.ts";
import type { Dialect } from "./dialect.ts";
import { FUSE_NAME_MAX } from "./flags.ts";
import { sizeOf } from "./layout.ts";
import { type OpcodeRow, opcodeRow } from "./opcodes.ts";
import { ProtocolError } from "./protocol_error.ts";

const IN_HEADER = accessors("fuse_in_header");
const GETXATTR_IN = accessors("fuse_getxattr_in");
const WRITE_IN = accessors("fuse_write_in");
const IOCTL_IN = accessors("fuse_ioctl_in");
const RETRIEVE_IN = accessors("fuse_notify_retrieve_in");
const BATCH_FORGET_IN = accessors("fuse_batch_forget_in");
const HEADER_SIZE = IN_HEADER.size;
const WRITE = 16;

/** Where a queue keeps the bytes of one request. */
export interface RequestMemory {
  /** The fuse_in_header. */
  readonly header: DataView;
  /** The request's fixed struct, from its first byte. */
  readonly body: DataView;
  /**
   * What follows the fixed struct. Where the message is contiguous this view
   * starts with the fixed struct itself, and `contiguous` says so.
   */
  readonly tail: Uint8Array;
  /** Whether `tail` begins with the fixed struct. */
  readonly contiguous: boolean;
  /** The data of a WRITE, from its first byte, to the end of the memory. */
  readonly data: Uint8Array;
}

const TEXT = new TextDecoder();

/**
 * One request. A queue owns the memory and binds the same object to one
 * message after another; nothing read from it may be kept once the request is
 * answered, except numbers and bigints.
 */
export class Request {
  /** The fuse_in_header, for accessors. */
  readonly header: DataView;
  /** The request's fixed struct, for accessors. */
  readonly body: DataView;
  /**
   * The data of a WRITE from its first byte; its length is the request's
   * `size`. Always the same view for the same slot of a queue.
   */
  readonly data: Uint8Array;
  readonly #memory: RequestMemory;
  #tailStart = 0;
  #tailEnd = 0;

  /** Binds a request to the memory of a queue's slot. */
  constructor(memory: RequestMemory) {
    this.#memory = memory;
    this.header = memory.header;
    this.body = memory.body;
    this.data = memory.data;
  }

  /**
   * Checks the message that now lies in the memory. After `null` no getter
   * fails until the request is answered.
   *
   * @param received Bytes of the whole message.
   * @param dialect What the two sides agreed on.
   * @returns What is wrong, or `null`.
   */
  validate(received: number, dialect: Dialect): ProtocolError | null {
    if (received < HEADER_SIZE) {
      return new ProtocolError("short header", 0, HEADER_SIZE, received);
    }
    const opcode = IN_HEADER.get.opcode(this.header);
    const length = IN_HEADER.get.len(this.header);
    if (length !== received) {
      return new ProtocolError("wrong length", opcode, length, received);
    }
    const bodySize = dialect.bodySize(opcode);
    if (bodySize < 0) {
      return new ProtocolError("unknown opcode", opcode, 0, received);
    }
    const least = HEADER_SIZE + bodySize;
    if (received < least) {
      return new ProtocolError("short body", opcode, least, received);
    }
    const base = this.#memory.contiguous ? bodySize : 0;
    this.#tailStart = base;
    this.#tailEnd = base + received - least;
    if (opcode === WRITE) return this.#validateData(opcode, WRITE_IN.get.size);
    const row = opcodeRow(opcode)!;
    return row.tail === undefined && row.extensions === undefined
      ? null
      : this.#validateTail(opcode, row);
  }

  #validateTail(opcode: number, row: OpcodeRow): ProtocolError | null {
    if (row.extensions) {
      const error = this.#validateExtensions(opcode);
      if (error !== null) return error;
    }
    switch (row.tail) {
      case "name":
        return this.#validateNames(opcode, 1);
      case "name name":
        return this.#validateNames(opcode, 2);
      case "name value":
        return this.#validateNames(opcode, 1) ?? this.#validateValue(opcode);
      case "data":
        return this.#validateData(
          opcode,
          row.in === "fuse_ioctl_in"
            ? IOCTL_IN.get.in_size
            : RETRIEVE_IN.get.size,
        );
      case "items": {
        const count = BATCH_FORGET_IN.get.count(this.body);
        const size = count * sizeOf(row.items!);
        return size <= this.tailLength
          ? null
          : new ProtocolError("short items", opcode, size, this.tailLength);
      }
    }
    return null;
  }

  #validateExtensions(opcode: number): ProtocolError | null {
    const size = this.extensionsLength;
    const rest = this.#tailEnd - this.#tailStart;
    return size <= rest
      ? null
      : new ProtocolError("long extensions", opcode, size, rest);
  }

  #validateNames(opcode: number, count: number): ProtocolError | null {
    let start = this.#tailStart;
    const end = this.#tailStart + this.tailLength;
    for (let i = 0; i < count; i++) {
      const nul = this.#memory.tail.indexOf(0, start);
      if (nul < 0 || nul >= end) {
        return new ProtocolError("missing NUL", opcode, 0, end - start);
      }
      const size = nul - start;
      if (size > FUSE_NAME_MAX) {
        return new ProtocolError("long name", opcode, FUSE_NAME_MAX, size);
      }
      start = nul + 1;
    }
    return null;
  }

  #validateValue(opcode: number): ProtocolError | null {
    const size = GETXATTR_IN.get.size(this.body);
    const rest = this.value(0).byteLength;
    return size <= rest
      ? null
      : new ProtocolError("short data", opcode, size, rest);
  }

  #validateData(
    opcode: number,
    sizeIn: (view: DataView) => number,
  ): ProtocolError | null {
    const size = sizeIn(this.body);
    return size <= this.tailLength
      ? null
      : new ProtocolError("short data", opcode, size, this.tailLength);
  }

  /** The opcode. */
  get opcode(): number {
    return IN_HEADER.get.opcode(this.header);
  }

  /** Identifies the request among those in flight: opaque 64 bits. */
  get unique(): bigint {
    return IN_HEADER.get.unique(this.header);
  }

  /** The inode it is about: opaque 64 bits, 1 for the root. */
  get nodeid(): bigint {
    return IN_HEADER.get.nodeid(this.header);
  }

  /** The caller's user id. */
  get uid(): number {
    return IN_HEADER.get.uid(this.header);
  }

  /** The caller's group id. */
  get gid(): number {
    return IN_HEADER.get.gid(this.header);
  }

  /** The caller's thread id, 0 where the kernel itself asks. */
  get pid(): number {
    return IN_HEADER.get.pid(this.header);
  }

  /** Bytes of the whole message. */
  get length(): number {
    return IN_HEADER.get.len(this.header);
  }

  /** Bytes of the extensions at the end of the message. */
  get extensionsLength(): number {
    return IN_HEADER.get.total_extlen(this.header) * 8;
  }

  /** Bytes behind the fixed struct, without the extensions. */
  get tailLength(): number {
    const all = this.#tailEnd - this.#tailStart;
    const row = opcodeRow(this.opcode);
    return row?.extensions ? all - this.extensionsLength : all;
  }

  /** The bytes behind the fixed struct, in place, without the extensions. */
  tail(): Uint8Array {
    const start = this.#tailStart;
    return this.#memory.tail.subarray(start, start + this.tailLength);
  }

  /** The extensions, in place: fuse_ext_header and what each announces. */
  extensions(): Uint8Array {
    const end = this.#tailEnd;
    return this.#memory.tail.subarray(end - this.extensionsLength, end);
  }

  /**
   * A name's bytes, in place, without the NUL.
   *
   * @param index 0, or 1 for the second name of RENAME and SYMLINK.
   */
  nameBytes(index: number = 0): Uint8Array {
    const tail = this.#memory.tail;
    let start = this.#tailStart;
    for (let i = 0; i < index; i++) start = tail.indexOf(0, start) + 1;
    return tail.subarray(start, tail.indexOf(0, start));
  }

  /**
   * A name as text, decoded as UTF-8.
   *
   * @param index 0, or 1 for the second name of RENAME and SYMLINK.
   */
  name(index: number = 0): string {
    // TextDecoder refuses shared memory, which a queue across Workers uses.
    return TEXT.decode(this.nameBytes(index).slice());
  }

  /**
   * The bytes behind a name: the value of SETXATTR.
   *
   * @param index The name that they follow.
   */
  value(index: number = 0): Uint8Array {
    const name = this.nameBytes(index);
    const tail = this.#memory.tail;
    const start = name.byteOffset - tail.byteOffset + name.byteLength + 1;
    return tail.subarray(start, this.#tailStart + this.tailLength);
  }

  /** The bytes behind the fixed struct as a view, for accessors of items. */
  tailView(): DataView {
    return viewOf(this.tail());
  }
}
