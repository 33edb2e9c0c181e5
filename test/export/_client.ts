/**
 * A client of a handler: requests as the kernel lays them out, and answers.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { decodeStruct, encodeStruct } from "../../src/protocol/codec.ts";
import { ProtocolVersion } from "../../src/protocol/protocol_version.ts";
import { errnoOf } from "../../src/base/errno_of.ts";
import {
  contiguousExchange,
  type Exchange,
  separateExchange,
} from "../../src/protocol/exchange.ts";
import { FATTR, FUSE_READ } from "../../src/protocol/flags.ts";
import { O, SEEK } from "../../src/base/file_flags.ts";
import {
  type OpcodeName,
  opcodeRow,
  OPCODES,
} from "../../src/protocol/opcodes.ts";
import type {
  Decoded,
  Encodable,
  StructName,
} from "../../src/protocol/types.ts";
import type { RequestHandler } from "../../src/queue/request_handler.ts";

/** How the bytes of an exchange are laid out. */
export type Layout = "contiguous" | "separate";

/** The answer to a request. */
export interface Answer {
  /** The error number, 0 for success. */
  readonly errno: number;
  /** The bytes after the reply's header; `null` if there is no reply. */
  readonly body: Uint8Array | null;
  /** Whether it came before the handler returned. */
  readonly atOnce: boolean;
  /** The error that the handler threw or rejected with. */
  readonly thrown?: unknown;
}

const VERSION = new ProtocolVersion();
/** The largest READ or WRITE that a client sends. */
const PAYLOAD = 65536;
const HEADER = 40;
const OUT_HEADER = 16;

/** Sends requests to one handler, each in its own memory. */
export class Client {
  readonly #handler: RequestHandler;
  readonly #layout: Layout;
  #unique = (1n << 40n) + 2n;

  /** Makes a client. */
  constructor(handler: RequestHandler, layout: Layout) {
    this.#handler = handler;
    this.#layout = layout;
  }

  /** Sends a request: its fixed struct and the bytes after it. */
  async send<S extends StructName>(
    opcode: OpcodeName | number,
    fields: Encodable<S> = {},
    tail: Uint8Array = new Uint8Array(),
  ): Promise<Answer> {
    const unique = this.#unique += 2n;
    const code = typeof opcode === "number" ? opcode : OPCODES[opcode].opcode;
    const { exchange, replyBytes } = this.#lay(code, unique, fields, tail);
    const { reply } = exchange;
    const { atOnce, thrown } = await this.#handle(exchange);
    assert(reply.filled, `opcode ${code} was not answered`);
    if (reply.length === 0) return { errno: 0, body: null, atOnce };
    const { error, len, unique: echoed } = decodeStruct(
      "fuse_out_header",
      reply.header,
    );
    assertEquals(echoed, unique);
    assertEquals(len, reply.length);
    assert(error === 0 || len === OUT_HEADER);
    const body = replyBytes.slice(0, len - OUT_HEADER);
    return { errno: -error, body, atOnce, thrown };
  }

  async #handle(
    exchange: Exchange,
  ): Promise<Partial<Answer> & { atOnce: boolean }> {
    const { request, reply } = exchange;
    let atOnce = false;
    try {
      const later = this.#handler.handle(request, reply);
      atOnce = later === undefined;
      await later;
      return { atOnce };
    } catch (thrown) {
      reply.reset();
      reply.error(errnoOf(thrown));
      return { atOnce, thrown };
    }
  }

  #lay(
    opcode: number,
    unique: bigint,
    fields: Encodable<StructName>,
    tail: Uint8Array,
  ): { exchange: Exchange; replyBytes: Uint8Array } {
    const row = opcodeRow(opcode);
    const fixed = row?.in === undefined
      ? new Uint8Array()
      : encodeStruct(row.in, fields);
    const len = HEADER + fixed.length + tail.length;
    const header = encodeStruct("fuse_in_header", {
      len,
      opcode,
      unique,
      nodeid: 1n,
    });
    const laid = this.#layout === "contiguous"
      ? layContiguous(header, fixed, tail)
      : laySeparate(header, fixed, tail);
    const error = laid.exchange.request.validate(len, VERSION);
    if (row !== undefined) assertEquals(error, null);
    return laid;
  }

  /** READ; a direct one, unless flags are given. */
  read(
    offset: number | bigint,
    size: number,
    flags: number = FUSE_READ.LOCKOWNER,
  ): Promise<Answer> {
    return this.send<"fuse_read_in">("READ", {
      offset: BigInt(offset),
      size,
      "read_flags": flags,
    });
  }

  /** OPEN, which must succeed; returns the handle. */
  async open(flags: number = O.RDWR): Promise<bigint> {
    const { errno, body } = await this.send<"fuse_open_in">("OPEN", { flags });
    assertEquals(errno, 0);
    return decodeStruct("fuse_open_out", body!).fh;
  }

  /** FSYNC, FLUSH or RELEASE of a handle; returns the error number. */
  async on(opcode: "FSYNC" | "FLUSH" | "RELEASE", fh: bigint): Promise<number> {
    return (await this.send<"fuse_fsync_in">(opcode, { fh })).errno;
  }

  /**
   * WRITE; returns the bytes that were written, or a negated errno.
   *
   * @param file The handle, flags of open(2), and FUSE_WRITE_ flags.
   */
  async write(
    offset: number | bigint,
    data: Uint8Array,
    file: Pick<
      Partial<Encodable<"fuse_write_in">>,
      "fh" | "flags" | "write_flags"
    > = {},
  ): Promise<number> {
    const size = data.length;
    const fields = { offset: BigInt(offset), size, ...file };
    const answer = await this.send<"fuse_write_in">("WRITE", fields, data);
    return answer.errno === 0
      ? decodeStruct("fuse_write_out", answer.body!).size
      : -answer.errno;
  }

  /** GETATTR, which must succeed. */
  async getattr(): Promise<Decoded<"fuse_attr">> {
    const { errno, body } = await this.send("GETATTR");
    assertEquals(errno, 0);
    return decodeStruct("fuse_attr_out", body!).attr;
  }

  /** SETATTR; returns the error number. */
  async setattr(fields: Encodable<"fuse_setattr_in">): Promise<number> {
    return (await this.send<"fuse_setattr_in">("SETATTR", fields)).errno;
  }

  /** SETATTR of the size; returns the error number. */
  truncate(size: number | bigint): Promise<number> {
    return this.setattr({ valid: FATTR.SIZE, size: BigInt(size) });
  }

  /** FALLOCATE; returns the error number. */
  async fallocate(
    mode: number,
    offset: number | bigint,
    length: number | bigint,
  ): Promise<number> {
    const fields = { mode, offset: BigInt(offset), length: BigInt(length) };
    return (await this.send<"fuse_fallocate_in">("FALLOCATE", fields)).errno;
  }

  /** LSEEK; returns the position, or a negated errno. */
  async lseek(
    offset: number | bigint,
    whence: keyof typeof SEEK,
  ): Promise<number> {
    const fields = { offset: BigInt(offset), whence: SEEK[whence] };
    const answer = await this.send<"fuse_lseek_in">("LSEEK", fields);
    return answer.errno === 0
      ? Number(decodeStruct("fuse_lseek_out", answer.body!).offset)
      : -answer.errno;
  }

  /** The whole file, by as many READs as it takes. */
  async readAll(): Promise<Uint8Array> {
    const { size } = await this.getattr();
    const bytes = new Uint8Array(Number(size));
    for (let at = 0; at < bytes.length; at += PAYLOAD) {
      const { errno, body } = await this.read(at, PAYLOAD);
      assertEquals(errno, 0);
      bytes.set(body!, at);
    }
    return bytes;
  }
}

function layContiguous(
  header: Uint8Array,
  fixed: Uint8Array,
  tail: Uint8Array,
): { exchange: Exchange; replyBytes: Uint8Array } {
  const incoming = new Uint8Array(HEADER + 256 + PAYLOAD).fill(0xdd);
  const outgoing = new Uint8Array(OUT_HEADER + PAYLOAD).fill(0xee);
  incoming.set(header);
  incoming.set(fixed, HEADER);
  incoming.set(tail, HEADER + fixed.length);
  return {
    exchange: contiguousExchange(incoming, outgoing),
    replyBytes: outgoing.subarray(OUT_HEADER),
  };
}

function laySeparate(
  header: Uint8Array,
  fixed: Uint8Array,
  tail: Uint8Array,
): { exchange: Exchange; replyBytes: Uint8Array } {
  const headers = new Uint8Array(288).fill(0xdd);
  const payload = new Uint8Array(PAYLOAD).fill(0xee);
  headers.set(header);
  headers.set(fixed, 128);
  payload.set(tail);
  return { exchange: separateExchange(headers, payload), replyBytes: payload };
}
