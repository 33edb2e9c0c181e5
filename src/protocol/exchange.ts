/**
 * One request and its reply in one slot of a queue, and the two ways in which
 * their bytes can lie.
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

/** One request and its reply. */
export interface Exchange {
  /** What is asked. */
  readonly request: Request;
  /** What is answered. */
  readonly reply: Reply;
}

/**
 * Lays an exchange over two messages, each contiguous: as read(2) and write(2)
 * on /dev/fuse have them.
 *
 * @param incoming Holds the request: header, fixed struct, the rest.
 * @param outgoing Holds the reply: header, the rest.
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
 * Lays an exchange over separate pieces: as an io_uring entry has them, where
 * the reply takes the place of the request.
 *
 * @param headers A fuse_uring_req_header: the request's header at 0, then the
 * reply's; the fixed struct of the request at `op_in`.
 * @param payload What follows the request's fixed struct, then the reply's
 * body.
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
