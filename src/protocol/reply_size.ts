/**
 * How long the reply to a request may be.
 *
 * @module
 */
import { PAGE_SIZE, PATH_MAX } from "../base/limits.ts";
import { accessors } from "./accessors.ts";
import { FUSE_NAME_MAX } from "./flags.ts";
import { sizeOf } from "./layout.ts";
import { type OpcodeRow, opcodeRow, OPCODES } from "./opcodes.ts";
import type { Request } from "./request.ts";

const READ_IN = accessors("fuse_read_in");
const GETXATTR_IN = accessors("fuse_getxattr_in");
const IOCTL_IN = accessors("fuse_ioctl_in");
/** CUSE_INIT_INFO_MAX of fs/fuse/cuse.c. */
const CUSE_INIT_INFO_MAX = 4096;

/** The size of the fixed structs of a reply, by opcode. */
const FIXED: number[] = new Array(4097).fill(0);
for (const row of Object.values<OpcodeRow>(OPCODES)) {
  for (const struct of row.out ?? []) FIXED[row.opcode]! += sizeOf(struct);
}

/** Bytes of the fixed structs of a reply, in their newest form. */
export function fixedReplySize(opcode: number): number {
  return FIXED[opcode]!;
}

/**
 * Most bytes that the kernel accepts after the fixed structs of a reply.
 *
 * @param row The request's row in the table.
 * @param size The `size` of the request's fixed struct, if it has one.
 */
export function replyTailMax({ outTail }: OpcodeRow, size: number): number {
  switch (outTail) {
    case undefined:
      return 0;
    case "string":
      return FUSE_NAME_MAX;
    case "ioctl":
      //= fs/fuse/ioctl.c fuse_do_ioctl(): at least a page, for a retry
      return Math.max(size, PAGE_SIZE);
    case "info":
      return CUSE_INIT_INFO_MAX;
    default:
      return size;
  }
}

/**
 * Bytes that the largest reply to a request has after its header.
 *
 * @param request A validated request.
 */
export function replyRoom(request: Request): number {
  const { opcode } = request;
  const row = opcodeRow(opcode)!;
  const tail = row.outTail === "string"
    ? PATH_MAX
    : replyTailMax(row, replySize(row, request.body));
  // A GETXATTR of size 0 is answered with the size of the value.
  const fixed = row.outTail === "value"
    ? sizeOf("fuse_getxattr_out")
    : FIXED[opcode]!;
  return fixed + tail;
}

/** Bytes of data that a request wants at most. */
function replySize({ outTail }: OpcodeRow, body: DataView): number {
  switch (outTail) {
    case "data":
    case "dirents":
    case "direntplus":
      return READ_IN.get.size(body);
    case "value":
      return GETXATTR_IN.get.size(body);
    case "ioctl":
      return IOCTL_IN.get.out_size(body);
    default:
      return 0;
  }
}
