/**
 * The reply to a request, filled in place.
 *
 * @module
 */
import { ERRNO_MAX } from "../base/errno.ts";
import { showValue } from "../base/show_value.ts";
import { accessors } from "./accessors.ts";
import { writeStruct } from "./codec.ts";
import { sizeAt, sizeOf } from "./layout.ts";
import { opcodeRow, OPCODES } from "./opcodes.ts";
import { replyProblem } from "./reply_checks.ts";
import { ReplyError, type ReplyWatcher } from "./reply_error.ts";
import type { Request } from "./request.ts";
import type { Encodable, StructName } from "./types.ts";

const OUT_HEADER = accessors("fuse_out_header");
const HEADER_SIZE = OUT_HEADER.size;
const UNIQUE_AT = OUT_HEADER.at.unique;
const READ = OPCODES.READ.opcode;
const WRITE = OPCODES.WRITE.opcode;
const READ_IN = accessors("fuse_read_in");
const WRITE_IN = accessors("fuse_write_in");
const WRITE_OUT = accessors("fuse_write_out");
/** The length of a reply that is not filled. */
const UNFILLED = -1;
const ANSWERED = "the request was answered already";
/** Replies have their newest size from this minor version on, except INIT's. */
const NEWEST_SIZES_SINCE = 9;

/**
 * The memory in which a queue keeps the bytes of one reply.
 *
 * @category Requests and replies
 */
export interface ReplyMemory {
  /** The fuse_out_header. */
  readonly header: DataView;
  /** The bytes after it. */
  readonly data: Uint8Array;
  /** The same bytes, for accessors. */
  readonly body: DataView;
}

/**
 * One reply. A handler fills `data` or `body`, then calls {@linkcode Reply.ok},
 * {@linkcode Reply.struct}, {@linkcode Reply.error} or {@linkcode Reply.none},
 * once. A call that the kernel would refuse, or that would answer a request a
 * second time, throws a {@linkcode ReplyError} and leaves the reply as it was.
 *
 * A reply is dead once its request is answered: a later call is refused, and
 * what is written to its memory has no effect.
 *
 * That does not hold for a handler with the property `inPlace`: its next request
 * may have the same reply and the same memory. What follows the fixed struct of
 * such a request may also share memory with the reply: read it before filling
 * the reply.
 *
 * @category Requests and replies
 */
export class Reply {
  /** The fuse_out_header, for accessors. */
  readonly header: DataView;
  /** The bytes after the header, to the end of the memory. */
  readonly data: Uint8Array;
  /** The same bytes, for accessors. */
  readonly body: DataView;
  readonly #request: Request;
  #length = UNFILLED;
  #errno = 0;
  #isDead = false;
  #isInPipe = false;
  /** Why the request was answered before its handler did. */
  #ended = ANSWERED;
  #watcher: ReplyWatcher | null = null;

  /** Binds a reply to its request and to the memory of a queue's slot. */
  constructor(request: Request, memory: ReplyMemory) {
    this.#request = request;
    this.header = memory.header;
    this.data = memory.data;
    this.body = memory.body;
  }

  /** Bytes of the whole reply: 0 if none is sent, -1 until it is filled. */
  get length(): number {
    return this.#length;
  }

  /** Whether the request has been answered. */
  get filled(): boolean {
    return this.#length !== UNFILLED;
  }

  /** The positive error number of a filled reply, 0 for success. */
  get errno(): number {
    return this.#length > 0 ? this.#errno : 0;
  }

  /**
   * Whether the bytes after the header lie in the pipe of the queue, and not in
   * `data`.
   */
  get isInPipe(): boolean {
    return this.#isInPipe;
  }

  /**
   * Discards an answer that is not sent yet, so that another can follow. Queues
   * call this when they bind a new request; they send nothing for a reply that
   * is not filled.
   */
  reset(): void {
    if (this.#isDead && this.#watcher !== null) return;
    // Those of the request before.
    if (this.#isDead) this.#ended = ANSWERED;
    this.#length = UNFILLED;
    this.#isDead = false;
    this.#isInPipe = false;
  }

  /** Sets who learns of refused calls; the serve loop does. */
  watch(watcher: ReplyWatcher): void {
    this.#watcher = watcher;
  }

  /** Ends the life of a reply whose request is answered: it refuses all calls. */
  retire(): void {
    if (this.#length === UNFILLED) this.#length = 0;
    this.#isDead = true;
  }

  /**
   * Says why the request will be answered before its handler does, for the report
   * of an answer that comes too late.
   */
  expire(why: string): void {
    this.#ended = why;
  }

  /**
   * Answers as another reply does, whose bytes it copies; not at all if that one
   * was retired without an answer.
   *
   * @throws {TypeError} If the memory of that one was transferred.
   * @throws {ReplyError} If it sends nothing, but the request needs a reply, or
   * if its bytes are in a pipe.
   */
  adopt(other: Reply): void {
    if (other.#length <= 0) {
      // Checked again, because a handler can change the other's request.
      if (other.#length === 0 && !other.#isDead) this.none();
      return;
    }
    const size = other.#length - HEADER_SIZE;
    if (other.#isInPipe) {
      this.#refuse(`okInPipe(${size})`, "its handler has no pipe");
    }
    this.#finish(other.#length, other.#errno);
    if (size > 0) this.data.set(other.data.subarray(0, size));
  }

  /**
   * Zeroes the first `size` bytes after the header, so that padding discloses
   * nothing of earlier messages, and returns `body`.
   */
  zeroed(size: number): DataView {
    this.data.fill(0, 0, size);
    return this.body;
  }

  /**
   * Answers with success.
   *
   * Structs have to be filled in their newest form; this shortens them for a
   * peer of 7.8 or less. The struct of INIT is sent as it is.
   *
   * @param size Bytes of the reply after the header.
   * @throws {ReplyError} If the kernel would refuse the reply, or the request
   * was answered already.
   */
  ok(size: number = 0): void {
    if (this.#length !== UNFILLED) this.#refuseAgain(`ok(${showValue(size)})`);
    const request = this.#request;
    const opcode = request.opcode;
    if (opcode === READ) {
      // In integers, because every READ passes here.
      const isWhole = typeof size === "number" && size >>> 0 === size;
      if (!isWhole || size > READ_IN.get.size(request.body)) {
        this.#refuseSize(size);
      }
      if (size > this.data.length) this.#refuseSize(size);
    } else if (opcode !== WRITE) {
      const problem = replyProblem(request, this, size);
      if (problem !== null) this.#refuse(`ok(${showValue(size)})`, problem);
    } else if (size !== WRITE_OUT.size) {
      this.#refuseSize(size);
    } else if (
      WRITE_OUT.get.size(this.body) > WRITE_IN.get.size(request.body)
    ) {
      //= fs/fuse/file.c fuse_send_write_pages()
      this.#refuse(
        "ok(8)",
        "fuse_write_out.size is more than the WRITE's size",
      );
    }
    const { minor } = request.protocolVersion;
    const sent = minor < NEWEST_SIZES_SINCE ? this.#shorten(size, minor) : size;
    this.#finish(HEADER_SIZE + sent, 0);
  }

  /**
   * Answers READ with success and bytes that are in the pipe of the queue, or
   * will be before the queue takes the reply. For handlers that work in place.
   *
   * @param size Bytes of the reply after the header.
   * @throws {ReplyError} As {@linkcode Reply.ok}.
   */
  okInPipe(size: number): void {
    this.ok(size);
    this.#isInPipe = true;
  }

  /**
   * Answers with success and one struct.
   *
   * @param name The struct's name in the table.
   * @param fields Its fields; those left out are zero.
   * @throws {ReplyError} If the request is not answered with this struct, a
   * field does not fit into it, or as {@linkcode Reply.ok}.
   */
  struct<S extends StructName>(name: S, fields: Encodable<S>): void {
    const call = `struct(${name})`;
    if (this.#length !== UNFILLED) this.#refuseAgain(call);
    const row = opcodeRow(this.#request.opcode)!;
    const isOnly = row.out?.length === 1 && row.out[0] === name;
    if (!isOnly && !(row.outTail === "value" && name === "fuse_getxattr_out")) {
      const wanted = row.out?.join(" and ") ?? "no struct";
      this.#refuse(call, `a reply to it has ${wanted}`);
    }
    try {
      writeStruct(name, this.body, 0, fields);
    } catch (error) {
      this.#refuse(call, (error as Error).message);
    }
    this.ok(sizeOf(name));
  }

  /**
   * Answers with an error, which has a header only.
   *
   * @param errno A positive error number, at most 511.
   * @throws {ReplyError} If the kernel would refuse the error number, or the
   * request was answered already.
   */
  error(errno: number): void {
    if (this.#length !== UNFILLED) {
      this.#refuseAgain(`error(${showValue(errno)})`);
    }
    //= fs/fuse/dev.c fuse_dev_do_write(): the caller would keep waiting.
    const isWhole = typeof errno === "number" && errno >>> 0 === errno;
    if (!isWhole || errno === 0 || errno > ERRNO_MAX) {
      this.#refuse(
        `error(${showValue(errno)})`,
        `an error number is 1 to ${ERRNO_MAX}`,
      );
    }
    this.#finish(HEADER_SIZE, errno);
  }

  /**
   * Ends a request without a reply: FORGET, BATCH_FORGET, NOTIFY_REPLY, and
   * INTERRUPT.
   *
   * @throws {ReplyError} If the request needs a reply, or was answered already.
   */
  none(): void {
    if (this.#length !== UNFILLED) this.#refuseAgain("none()");
    const row = opcodeRow(this.#request.opcode);
    if (!row?.noReply && !row?.optionalReply) {
      this.#refuse("none()", "its caller waits for a reply");
    }
    this.#length = 0;
  }

  #refuseSize(size: number): never {
    const problem = replyProblem(this.#request, this, size) ?? "not a size";
    this.#refuse(`ok(${showValue(size)})`, problem);
  }

  #refuseAgain(call: string): never {
    this.#refuse(call, this.#ended);
  }

  #refuse(call: string, problem: string): never {
    const error = new ReplyError(this.#request, call, problem, this.#watcher);
    if (this.#isDead) this.#watcher?.late(error);
    throw error;
  }

  /** Cuts off the end of each struct: newer fields have only been appended. */
  #shorten(size: number, minor: number): number {
    let from = 0;
    let to = 0;
    for (const name of opcodeRow(this.#request.opcode)?.out ?? []) {
      if (name === "fuse_init_out" || from + sizeOf(name) > size) break;
      this.data.copyWithin(to, from, from + sizeOf(name));
      from += sizeOf(name);
      to += sizeAt(name, minor);
    }
    this.data.copyWithin(to, from, size);
    return to + size - from;
  }

  /** A copy of the whole filled reply, as write(2) on /dev/fuse takes it. */
  copy(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(Math.max(0, this.#length));
    if (bytes.length === 0) return bytes;
    const { buffer, byteOffset } = this.header;
    bytes.set(new Uint8Array(buffer, byteOffset, HEADER_SIZE));
    bytes.set(this.data.subarray(0, bytes.length - HEADER_SIZE), HEADER_SIZE);
    return bytes;
  }

  #finish(length: number, errno: number): void {
    // Copies the id as two words, because a bigint is an allocation.
    const from = this.#request.header;
    const low = from.getUint32(UNIQUE_AT, true);
    const high = from.getUint32(UNIQUE_AT + 4, true);
    OUT_HEADER.set.len(this.header, 0, length);
    // Not `-errno`, which is -0 for success: no integer, and 6 ns slower.
    OUT_HEADER.set.error(this.header, 0, 0 - errno);
    this.header.setUint32(UNIQUE_AT, low, true);
    this.header.setUint32(UNIQUE_AT + 4, high, true);
    this.#errno = errno;
    this.#length = length;
  }
}
