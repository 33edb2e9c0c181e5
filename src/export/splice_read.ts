/**
 * READ by splice(2): the reply refers to pages of the image's file, so the
 * kernel copies the bytes once instead of twice.
 *
 * @module
 */
import { sizeOf } from "../protocol/layout.ts";
import type { Reply } from "../protocol/reply.ts";
import type { ExportContext } from "./export_context.ts";

const OUT_HEADER_SIZE = sizeOf("fuse_out_header");

/**
 * Answers a READ by the pipe of the queue, if the whole range can be spliced.
 *
 * @param length Bytes to read, all of them inside the image.
 * @returns Whether it is answered; if not, it has to be read.
 */
export function spliceImage(
  { backend, splicing }: ExportContext,
  reply: Reply,
  position: number,
  length: number,
): boolean {
  const { pipe } = splicing!;
  // First, because the header is copied to the pipe. It commits to the length.
  reply.okInPipe(length);
  pipe.begin(reply.header, OUT_HEADER_SIZE);
  if (backend.splice!(position, length, pipe) === length) return true;
  // An error, the end of the file, pages that are not cached: read() finds out
  // which, and the next begin() empties the pipe.
  reply.reset();
  return false;
}
