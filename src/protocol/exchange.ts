/**
 * A request and its reply in one slot of a queue, and the layouts of their bytes.
 *
 * @module
 */
import { accessors } from "./accessors.ts";
import { viewOf } from "./codec.ts";
import { sizeOf } from "./layout.ts";
import { Reply } from "./reply.ts";
import { Request } from "./request.ts";

const IN_HEADER_SIZE = sizeOf("fuse_in_header");
const OUT_HEADER_SIZE = sizeOf("fuse_out_header");
const WRITE_IN_SIZE = sizeOf("fuse_write_in");
const URING_HEADERS = accessors("fuse_uring_req_header");

/**
 * One request and its reply.
 *
 * @category Requests and replies
 */
export interface Exchange {
  /** The request. */
  readonly request: Request;
  /** Its reply. */
  readonly reply: Reply;
}

/**
 * Wraps two contiguous messages, as read(2) and write(2) on /dev/fuse transfer
 * them.
 *
 * @category Requests and replies
 * @example Answer a request
 * ```ts
 * import {
 *   contiguousExchange,
 *   encodeRequest,
 *   ERRNO,
 *   ProtocolVersion,
 * } from "@mqfuse/mqfuse/protocol";
 * import { assertEquals } from "@std/assert";
 *
 * const incoming = encodeRequest("UNLINK", { names: ["disk.img"] });
 * const outgoing = new Uint8Array(4096);
 * const { request, reply } = contiguousExchange(incoming, outgoing);
 * const error = request.validate(incoming.length, ProtocolVersion.NEWEST);
 * assertEquals(error, null);
 * assertEquals(request.name(), "disk.img");
 * reply.error(ERRNO.EROFS);
 * assertEquals(reply.length, 16);
 * ```
 *
 * @param incoming The request: header, fixed struct, and what follows it.
 * @param outgoing Memory for the reply: header, and what follows it.
 */
export function contiguousExchange(
  incoming: Uint8Array,
  outgoing: Uint8Array,
): Exchange {
  const request = new Request({
    header: viewOf(incoming),
    body: viewOf(incoming.subarray(IN_HEADER_SIZE)),
    tail: incoming.subarray(IN_HEADER_SIZE),
    contiguous: true,
    data: incoming.subarray(IN_HEADER_SIZE + WRITE_IN_SIZE),
  });
  const data = outgoing.subarray(OUT_HEADER_SIZE);
  const reply = new Reply(request, {
    header: viewOf(outgoing),
    data,
    body: viewOf(data),
  });
  return { request, reply };
}

/**
 * Wraps a request whose head was copied away from the rest. The reply overwrites
 * what follows the request's fixed struct.
 *
 * @category Requests and replies
 * @param head The request's header and fixed struct.
 * @param outgoing Memory for the reply: header, and what follows it. After the
 * header lies what follows the request's fixed struct.
 */
export function compactExchange(
  head: Uint8Array,
  outgoing: Uint8Array,
): Exchange {
  const data = outgoing.subarray(OUT_HEADER_SIZE);
  const request = new Request({
    header: viewOf(head),
    body: viewOf(head.subarray(IN_HEADER_SIZE)),
    tail: data,
    contiguous: false,
    data,
  });
  const reply = new Reply(request, {
    header: viewOf(outgoing),
    data,
    body: viewOf(data),
  });
  return { request, reply };
}

/**
 * Wraps the two pieces of an io_uring entry. The reply overwrites the request.
 *
 * @category Requests and replies
 * @param headers A fuse_uring_req_header: `in_out` holds the header of the
 * request and then that of the reply, `op_in` the request's fixed struct.
 * @param payload What follows the request's fixed struct, then what follows the
 * reply's header.
 */
export function separateExchange(
  headers: Uint8Array,
  payload: Uint8Array,
): Exchange {
  const request = new Request({
    header: viewOf(headers),
    body: viewOf(
      headers.subarray(
        URING_HEADERS.at.op_in,
        URING_HEADERS.at.ring_ent_in_out,
      ),
    ),
    tail: payload,
    contiguous: false,
    data: payload,
  });
  const reply = new Reply(request, {
    header: viewOf(headers),
    data: payload,
    body: viewOf(payload),
  });
  return { request, reply };
}
