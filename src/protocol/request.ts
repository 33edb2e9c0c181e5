/**
 * A request as the server sees it: validated once, then read in place.
 *
 * @module
 */
import { accessors } from "./accessors.ts";
import { viewOf } from "./codec.ts";
import { ProtocolVersion } from "./protocol_version.ts";
import { checkExtensions } from "./extensions.ts";
import { sizeOf } from "./layout.ts";
import { type OpcodeRow, opcodeRow, OPCODES } from "./opcodes.ts";
import { ProtocolError } from "./protocol_error.ts";
import { afterNames, checkRest, measureInit } from "./request_checks.ts";
import { indexOfNul, textOfBytes } from "./text.ts";

const IN_HEADER = accessors("fuse_in_header");
const WRITE_IN = accessors("fuse_write_in");
const HEADER_SIZE = IN_HEADER.size;
const INIT = OPCODES.INIT.opcode;
const WRITE = OPCODES.WRITE.opcode;
/** The size of the largest fixed struct of a request, in bytes. */
const BODY_SIZE_MAX = Math.max(
  ...Object.values<OpcodeRow>(OPCODES).map(({ in: body }) =>
    body === undefined ? 0 : sizeOf(body)
  ),
);

/**
 * The memory in which a queue keeps the bytes of one request.
 *
 * @category Requests and replies
 */
export interface RequestMemory {
  /** The fuse_in_header. */
  readonly header: DataView;
  /** The request's fixed struct, from its first byte. */
  readonly body: DataView;
  /**
   * What follows the fixed struct. In a contiguous message this view starts
   * with the fixed struct itself.
   */
  readonly tail: Uint8Array;
  /** Whether `tail` starts with the fixed struct. */
  readonly contiguous: boolean;
  /** The data of a WRITE, from its first byte to the end of the memory. */
  readonly data: Uint8Array;
}

/**
 * One request.
 *
 * A queue binds the same object to one message after another. Views and byte
 * arrays taken from it are valid until the request is answered; copy what is
 * needed longer. Numbers, bigints and strings are copies already.
 *
 * @category Requests and replies
 */
export class Request {
  /** The fuse_in_header, for accessors. */
  readonly header: DataView;
  readonly #memory: RequestMemory;
  #protocolVersion: ProtocolVersion = ProtocolVersion.BEFORE_INIT;
  #body: DataView;
  #data: Uint8Array;
  /** The fixed struct in its newest form, where the peer sends a shorter one. */
  #wholeBody: Uint8Array | null = null;
  #bodySize = 0;
  #tailStart = 0;
  /** Where the extensions start, if there are any. */
  #tailEnd = 0;
  #extensionsSize = 0;

  /** Binds a request to the memory of a queue's slot. */
  constructor(memory: RequestMemory) {
    this.#memory = memory;
    this.header = memory.header;
    this.#body = memory.body;
    this.#data = memory.data;
  }

  /**
   * The request's fixed struct, for accessors. Fields that an older peer does
   * not send read as zero.
   */
  get body(): DataView {
    return this.#body;
  }

  /**
   * The data of a WRITE, from its first byte; its length is the `size` of the
   * fixed struct. It is the same view for every request of a queue's slot,
   * unless the peer speaks 7.8 or less.
   */
  get data(): Uint8Array {
    return this.#data;
  }

  /** The version of the protocol in which the request was sent. */
  get protocolVersion(): ProtocolVersion {
    return this.#protocolVersion;
  }

  /**
   * Validates the message that the memory holds now. If it returns `null`, no
   * getter fails until the request is answered.
   *
   * @param received Bytes of the whole message.
   * @param protocolVersion The negotiated version.
   * @returns What is wrong, or `null`.
   */
  validate(
    received: number,
    protocolVersion: ProtocolVersion,
  ): ProtocolError | null {
    if (received < HEADER_SIZE) {
      return new ProtocolError("short header", 0, HEADER_SIZE, received);
    }
    const opcode = IN_HEADER.get.opcode(this.header);
    const length = IN_HEADER.get.len(this.header);
    if (length !== received) {
      return new ProtocolError("wrong length", opcode, length, received);
    }
    const bodySize = protocolVersion.bodySize(opcode);
    if (bodySize < 0) {
      return new ProtocolError("unknown opcode", opcode, 0, received);
    }
    const rest = received - HEADER_SIZE - bodySize;
    if (rest < 0) {
      const least = HEADER_SIZE + bodySize;
      return new ProtocolError("short body", opcode, least, received);
    }
    const extensions = IN_HEADER.get.total_extlen(this.header) * 8;
    if (extensions > rest) {
      return new ProtocolError("long extensions", opcode, extensions, rest);
    }
    const base = this.#memory.contiguous ? bodySize : 0;
    this.#protocolVersion = protocolVersion;
    this.#bodySize = bodySize;
    this.#tailStart = base;
    this.#tailEnd = base + rest - extensions;
    this.#extensionsSize = extensions;
    if (this.#body !== this.#memory.body) this.#body = this.#memory.body;
    if (extensions === 0) {
      if (protocolVersion.isPlain(opcode)) return null;
      if (opcode === WRITE && bodySize === WRITE_IN.size) {
        if (this.#data !== this.#memory.data) this.#data = this.#memory.data;
        const size = WRITE_IN.get.size(this.#body);
        return size <= rest
          ? null
          : new ProtocolError("short data", opcode, size, rest);
      }
    }
    return this.#validateRest(opcode, opcodeRow(opcode)!);
  }

  #validateRest(opcode: number, row: OpcodeRow): ProtocolError | null {
    if (opcode === INIT) {
      const known = this.#bodySize;
      const received = known + this.tailLength;
      const size = measureInit(this.#memory.body, known, received);
      if (typeof size !== "number") return size;
      this.#tailStart += size - known;
      this.#bodySize = size;
    }
    const whole = row.in === undefined ? 0 : sizeOf(row.in);
    if (this.#bodySize < whole) this.#completeBody(whole);
    if (opcode === WRITE) {
      this.#data = this.#memory.tail.subarray(this.#tailStart);
    }
    if (this.#extensionsSize > 0) {
      const bad = checkExtensions(this.extensions());
      if (bad !== null) {
        const { expected, received } = bad;
        return new ProtocolError("bad extension", opcode, expected, received);
      }
    }
    return checkRest(row, this.#body, {
      bytes: this.#memory.tail,
      start: this.#tailStart,
      end: this.#tailEnd,
    });
  }

  /** Copies a fixed struct of which the peer sends less than `size` bytes. */
  #completeBody(size: number): void {
    const { body } = this.#memory;
    this.#wholeBody ??= new Uint8Array(BODY_SIZE_MAX);
    this.#wholeBody.fill(0, this.#bodySize, size);
    for (let i = 0; i < this.#bodySize; i++) {
      this.#wholeBody[i] = body.getUint8(i);
    }
    this.#body = viewOf(this.#wholeBody);
  }

  /** The opcode. */
  get opcode(): number {
    return IN_HEADER.get.opcode(this.header);
  }

  /** Identifies the request among those in flight: 64 opaque bits. */
  get unique(): bigint {
    return IN_HEADER.get.unique(this.header);
  }

  /** The inode that the request is about: 64 opaque bits, 1 for the root. */
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

  /** The caller's thread id, 0 for a request of the kernel's own. */
  get pid(): number {
    return IN_HEADER.get.pid(this.header);
  }

  /** Bytes of the whole message. */
  get length(): number {
    return IN_HEADER.get.len(this.header);
  }

  /** Bytes of the extensions at the end of the message. */
  get extensionsLength(): number {
    return this.#extensionsSize;
  }

  /** Bytes of the fixed struct, as the peer sends it. */
  get bodyLength(): number {
    return this.#bodySize;
  }

  /** Bytes after the fixed struct, without the extensions. */
  get tailLength(): number {
    return this.#tailEnd - this.#tailStart;
  }

  /** The bytes after the fixed struct, in place, without the extensions. */
  tail(): Uint8Array {
    return this.#memory.tail.subarray(this.#tailStart, this.#tailEnd);
  }

  /** The same bytes as a view, for accessors of items. */
  tailView(): DataView {
    return viewOf(this.tail());
  }

  /** The extensions, in place; see {@linkcode decodeExtensions}. */
  extensions(): Uint8Array {
    const start = this.#tailEnd;
    return this.#memory.tail.subarray(start, start + this.#extensionsSize);
  }

  /**
   * The bytes of a name, in place, without the NUL; empty if there is none.
   *
   * @param index 0, or 1 for the second name of RENAME and SYMLINK.
   */
  nameBytes(index: number = 0): Uint8Array {
    const { tail } = this.#memory;
    const end = this.#tailEnd;
    const start = afterNames(tail, this.#tailStart, end, index);
    const nul = indexOfNul(tail, start, end);
    return tail.subarray(start, nul < 0 ? end : nul);
  }

  /**
   * A name as text. Bytes that are not UTF-8 become U+FFFD.
   *
   * @param index 0, or 1 for the second name of RENAME and SYMLINK.
   */
  name(index: number = 0): string {
    return textOfBytes(this.nameBytes(index));
  }

  /**
   * The bytes after a name, in place: the value of SETXATTR.
   *
   * @param index Which name they follow.
   */
  value(index: number = 0): Uint8Array {
    const { tail } = this.#memory;
    const end = this.#tailEnd;
    const start = afterNames(tail, this.#tailStart, end, index + 1);
    return tail.subarray(start, end);
  }

  /** A copy of the whole message, as read(2) on /dev/fuse returns it. */
  copy(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.length);
    const { header, body, tail } = this.#memory;
    copyView(header, HEADER_SIZE, bytes, 0);
    copyView(body, this.#bodySize, bytes, HEADER_SIZE);
    const end = this.#tailEnd + this.#extensionsSize;
    bytes.set(
      tail.subarray(this.#tailStart, end),
      HEADER_SIZE + this.#bodySize,
    );
    return bytes;
  }

  /**
   * Copies the whole message to contiguous memory.
   *
   * @param header The memory, from the fuse_in_header.
   * @param tail The same memory, from the fixed struct.
   */
  copyTo(header: DataView, tail: Uint8Array): void {
    const bodySize = this.#bodySize;
    copyWords(this.header, HEADER_SIZE, header, 0);
    copyWords(this.#memory.body, bodySize, header, HEADER_SIZE);
    const end = this.#tailEnd + this.#extensionsSize;
    if (end === this.#tailStart) return;
    tail.set(this.#memory.tail.subarray(this.#tailStart, end), bodySize);
  }
}

/** Copies a struct, whose size is a multiple of 4. */
function copyWords(
  from: DataView,
  size: number,
  to: DataView,
  at: number,
): void {
  for (let i = 0; i < size; i += 4) to.setInt32(at + i, from.getInt32(i));
}

function copyView(
  from: DataView,
  size: number,
  to: Uint8Array,
  at: number,
): void {
  to.set(new Uint8Array(from.buffer, from.byteOffset, size), at);
}
