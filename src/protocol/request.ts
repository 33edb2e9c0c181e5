/**
 * A request as the server sees it: validated once, then read in place.
 *
 * @module
 */
import { accessors } from "./accessors.ts";
import { tailCount } from "./tail_count.ts";
import { viewOf } from "./codec.ts";
import { initInSize, ProtocolVersion } from "./protocol_version.ts";
import { checkExtensions } from "./extensions.ts";
import { FUSE_NAME_MAX } from "./flags.ts";
import { sizeOf } from "./layout.ts";
import { type OpcodeRow, opcodeRow, OPCODES } from "./opcodes.ts";
import { ProtocolError } from "./protocol_error.ts";
import { indexOfNul, textOfBytes } from "./text.ts";

const IN_HEADER = accessors("fuse_in_header");
const INIT_IN = accessors("fuse_init_in");
const WRITE_IN = accessors("fuse_write_in");
const HEADER_SIZE = IN_HEADER.size;
const INIT = OPCODES.INIT.opcode;
const WRITE = OPCODES.WRITE.opcode;
/** Bytes of the largest fixed struct of a request. */
const BODY_SIZE_MAX = Math.max(
  ...Object.values<OpcodeRow>(OPCODES).map(({ in: body }) =>
    body === undefined ? 0 : sizeOf(body)
  ),
);

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

/**
 * One request. A queue owns the memory and binds the same object to one
 * message after another; nothing read from it may be kept once the request is
 * answered, except numbers and bigints.
 */
export class Request {
  /** The fuse_in_header, for accessors. */
  readonly header: DataView;
  readonly #memory: RequestMemory;
  #protocolVersion: ProtocolVersion = ProtocolVersion.BEFORE_INIT;
  #body: DataView;
  #data: Uint8Array;
  /** A whole fixed struct of which the peer sends less. */
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
   * The data of a WRITE from its first byte; its length is the request's
   * `size`. Always the same view for the same slot of a queue, unless the peer
   * speaks 7.8 or less.
   */
  get data(): Uint8Array {
    return this.#data;
  }

  /** What the two sides agreed on when the request came. */
  get protocolVersion(): ProtocolVersion {
    return this.#protocolVersion;
  }

  /**
   * Checks the message that now lies in the memory. After `null` no getter
   * fails until the request is answered.
   *
   * @param received Bytes of the whole message.
   * @param protocolVersion What the two sides agreed on.
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
      const error = this.#validateInit();
      if (error !== null) return error;
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
    switch (row.tail) {
      case "name":
        return this.#validateNames(opcode, 1);
      case "name name":
        return this.#validateNames(opcode, 2);
      case "name value":
        return this.#validateNames(opcode, 1) ??
          this.#validateCount(row, 1, this.value().byteLength);
      case "data":
        return this.#validateCount(row, 1, this.tailLength);
      case "items":
        return this.#validateCount(row, sizeOf(row.items!), this.tailLength);
    }
    return null;
  }

  #validateCount(
    row: OpcodeRow,
    unit: number,
    rest: number,
  ): ProtocolError | null {
    const size = tailCount(row.in, this.#body) * unit;
    if (size <= rest) return null;
    const kind = row.items === undefined ? "short data" : "short items";
    return new ProtocolError(kind, row.opcode, size, rest);
  }

  /** INIT says itself how long it is, as far as it has the fields for it. */
  #validateInit(): ProtocolError | null {
    const view = this.#memory.body;
    const rest = this.#bodySize + this.tailLength;
    const major = INIT_IN.get.major(view);
    const minor = INIT_IN.get.minor(view);
    let size = initInSize(major, minor, 0);
    if (rest >= size && size > this.#bodySize) {
      size = initInSize(major, minor, INIT_IN.get.flags(view));
    }
    if (rest < size) {
      const least = HEADER_SIZE + size;
      const received = HEADER_SIZE + rest;
      return new ProtocolError("short body", INIT, least, received);
    }
    this.#tailStart += size - this.#bodySize;
    this.#bodySize = size;
    return null;
  }

  #completeBody(size: number): void {
    const { body } = this.#memory;
    this.#wholeBody ??= new Uint8Array(BODY_SIZE_MAX);
    this.#wholeBody.fill(0, this.#bodySize, size);
    for (let i = 0; i < this.#bodySize; i++) {
      this.#wholeBody[i] = body.getUint8(i);
    }
    this.#body = viewOf(this.#wholeBody);
  }

  #validateNames(opcode: number, count: number): ProtocolError | null {
    let start = this.#tailStart;
    const end = this.#tailEnd;
    for (let i = 0; i < count; i++) {
      const nul = indexOfNul(this.#memory.tail, start, end);
      if (nul < 0) {
        const rest = end - start;
        return new ProtocolError("missing NUL", opcode, rest + 1, rest);
      }
      const size = nul - start;
      if (size > FUSE_NAME_MAX) {
        return new ProtocolError("long name", opcode, FUSE_NAME_MAX, size);
      }
      start = nul + 1;
    }
    return null;
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
    return this.#extensionsSize;
  }

  /** Bytes of the fixed struct as the peer sends it. */
  get bodyLength(): number {
    return this.#bodySize;
  }

  /** Bytes behind the fixed struct, without the extensions. */
  get tailLength(): number {
    return this.#tailEnd - this.#tailStart;
  }

  /** The bytes behind the fixed struct, in place, without the extensions. */
  tail(): Uint8Array {
    return this.#memory.tail.subarray(this.#tailStart, this.#tailEnd);
  }

  /** The extensions, in place: fuse_ext_header and what each announces. */
  extensions(): Uint8Array {
    const start = this.#tailEnd;
    return this.#memory.tail.subarray(start, start + this.#extensionsSize);
  }

  /**
   * A name's bytes, in place, without the NUL; none if there is no such name.
   *
   * @param index 0, or 1 for the second name of RENAME and SYMLINK.
   */
  nameBytes(index: number = 0): Uint8Array {
    const { tail } = this.#memory;
    let start = this.#tailStart;
    for (let i = 0; i < index; i++) start = this.#endOfName(start) + 1;
    return tail.subarray(start, Math.max(start, this.#endOfName(start)));
  }

  #endOfName(start: number): number {
    const nul = indexOfNul(this.#memory.tail, start, this.#tailEnd);
    return nul < 0 ? this.#tailEnd : nul;
  }

  /**
   * A name as text, decoded as UTF-8.
   *
   * @param index 0, or 1 for the second name of RENAME and SYMLINK.
   */
  name(index: number = 0): string {
    return textOfBytes(this.nameBytes(index));
  }

  /**
   * The bytes behind a name: the value of SETXATTR.
   *
   * @param index The name that they follow.
   */
  value(index: number = 0): Uint8Array {
    let start = this.#tailStart;
    for (let i = 0; i <= index; i++) start = this.#endOfName(start) + 1;
    return this.#memory.tail.subarray(
      Math.min(start, this.#tailEnd),
      this.#tailEnd,
    );
  }

  /** The bytes behind the fixed struct as a view, for accessors of items. */
  tailView(): DataView {
    return viewOf(this.tail());
  }

  /** A copy of the whole message, as read(2) on /dev/fuse gives it. */
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
}

function copyView(
  from: DataView,
  size: number,
  to: Uint8Array,
  at: number,
): void {
  to.set(new Uint8Array(from.buffer, from.byteOffset, size), at);
}
