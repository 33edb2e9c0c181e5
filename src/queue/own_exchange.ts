/**
 * A copy of a request, for a handler that does not work in the queue's memory,
 * and the reply that it fills.
 *
 * @module
 */
import type { Exchange } from "../protocol/exchange.ts";
import { sizeOf } from "../protocol/layout.ts";
import { OPCODES } from "../protocol/opcodes.ts";
import { Reply } from "../protocol/reply.ts";
import { replyRoom } from "../protocol/reply_size.ts";
import { Request } from "../protocol/request.ts";

const IN_HEADER_SIZE = sizeOf("fuse_in_header");
const OUT_HEADER_SIZE = sizeOf("fuse_out_header");
const WRITE_HEAD_SIZE = IN_HEADER_SIZE + sizeOf("fuse_write_in");
const WRITE = OPCODES.WRITE.opcode;

/**
 * A request and its reply in memory that no other request ever has.
 *
 * It is not kept for further requests, not even detached: `transfer()` moves the
 * same bytes, which a read or write of a file that the handler has started, and
 * forgotten, may still use. But the memory of a reply can be freed before the
 * garbage collector finds it, which costs several times as much.
 */
export class OwnExchange implements Exchange {
  readonly request: Request;
  readonly reply: Reply;
  readonly #outgoing: ArrayBuffer;

  /** Copies a validated request, and has room for the largest reply to it. */
  constructor(request: Request) {
    this.request = copyOf(request);
    this.#outgoing = new ArrayBuffer(OUT_HEADER_SIZE + replyRoom(request));
    this.reply = new Reply(this.request, {
      header: new DataView(this.#outgoing),
      data: new Uint8Array(this.#outgoing, OUT_HEADER_SIZE),
      body: new DataView(this.#outgoing, OUT_HEADER_SIZE),
    });
  }

  /**
   * Ends it: the reply refuses all calls.
   *
   * @param isDone Whether the handler has answered before it returned: then the
   * memory of the reply is freed, and views of it are empty. Operations of Deno
   * that still use it keep it allocated; a foreign function that runs on another
   * thread does not.
   */
  end(isDone: boolean): void {
    this.reply.retire();
    if (isDone && !this.#outgoing.detached) this.#outgoing.transfer(0);
  }
}

function copyOf(request: Request): Request {
  const { length, opcode } = request;
  const bytes = new ArrayBuffer(length);
  const header = new DataView(bytes);
  const tail = new Uint8Array(bytes, IN_HEADER_SIZE);
  request.copyTo(header, tail);
  const copy = new Request({
    header,
    body: new DataView(bytes, IN_HEADER_SIZE),
    tail,
    contiguous: true,
    data: opcode === WRITE ? writtenData(bytes) : tail,
  });
  copy.validate(length, request.protocolVersion);
  return copy;
}

/** The data of a WRITE; a peer of 7.8 or less sends a shorter struct. */
function writtenData(bytes: ArrayBuffer): Uint8Array {
  return new Uint8Array(bytes, Math.min(WRITE_HEAD_SIZE, bytes.byteLength));
}
