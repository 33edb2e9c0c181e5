/**
 * The checks that the kernel makes before it accepts a reply, in the kernel's
 * order.
 *
 * @module
 */
import { accessors } from "../../src/protocol/accessors.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { FUSE_INT_REQ_BIT } from "../../src/protocol/flags.ts";
import { opcodeName } from "../../src/protocol/opcodes.ts";
import type { SimRequest } from "./sim_request.ts";

const OUT_HEADER = accessors("fuse_out_header");
/** Errors from here on are internal to the kernel. */
const ERROR_MAX = 512;

/** The kernel's verdict on a message from the server. */
export type ReplyVerdict =
  /** write(2) fails, and nothing else happens. */
  | {
    readonly kind: "refused";
    readonly errno: number;
    readonly message: string;
  }
  /** write(2) fails, and the request ends with an error. */
  | {
    readonly kind: "failed";
    readonly errno: number;
    /** The positive error number of the request. */
    readonly end: number;
    readonly message: string;
    readonly request: SimRequest;
  }
  /** The request ends as the reply says. */
  | {
    readonly kind: "answer";
    /** A positive error number, 0 for success. */
    readonly errno: number;
    readonly request: SimRequest;
  }
  /** The reply to an INTERRUPT. */
  | {
    readonly kind: "interrupt";
    /** A positive error number, 0 for success. */
    readonly errno: number;
    readonly request: SimRequest;
  }
  /** A notification; the code is not an error. */
  | { readonly kind: "notification"; readonly code: number };

/**
 * Judges a message as write(2) on /dev/fuse does.
 *
 * @param header Its first 16 bytes.
 * @param length Bytes written.
 * @param processing Requests that were read from the same descriptor.
 */
export function judgeReply(
  header: DataView,
  length: number,
  processing: ReadonlyMap<bigint, SimRequest>,
): ReplyVerdict {
  //= fs/fuse/dev.c fuse_dev_do_write(): nbytes < sizeof(oh) is EINVAL.
  if (length < OUT_HEADER.size) {
    return refuse(ERRNO.EINVAL, `it has ${length} bytes, a header has 16`);
  }
  //= fs/fuse/dev.c fuse_dev_do_write(): oh.len != nbytes is EINVAL.
  const said = OUT_HEADER.get.len(header);
  if (said !== length) {
    return refuse(
      ERRNO.EINVAL,
      `its header says ${said} bytes, ${length} were written`,
    );
  }
  //= fs/fuse/dev.c fuse_dev_do_write(): !oh.unique is a notification, whose
  //= code stands in oh.error.
  const unique = OUT_HEADER.get.unique(header);
  const error = OUT_HEADER.get.error(header);
  if (unique === 0n) return { kind: "notification", code: error };
  //= fs/fuse/dev.c fuse_dev_do_write(): oh.error <= -512 || oh.error > 0 is
  //= EINVAL.
  if (error <= -ERROR_MAX || error > 0) {
    return refuse(ERRNO.EINVAL, `its error is ${error}`);
  }
  //= fs/fuse/dev.c fuse_request_find(): by the id without its lowest bit, among
  //= the requests that were read from this descriptor.
  const isInterrupt = (unique & FUSE_INT_REQ_BIT) !== 0n;
  const request = processing.get(
    isInterrupt ? unique & ~FUSE_INT_REQ_BIT : unique,
  );
  if (request === undefined) {
    return refuse(ERRNO.ENOENT, `no request ${unique} was read from its queue`);
  }
  if (isInterrupt) {
    //= fs/fuse/dev.c fuse_dev_do_write(): an interrupt reply with a body is
    //= EINVAL.
    return length === OUT_HEADER.size
      ? { kind: "interrupt", errno: -error, request }
      : refuse(ERRNO.EINVAL, "it answers INTERRUPT with a body");
  }
  const fault = judgeBody(request, length - OUT_HEADER.size, error !== 0);
  return fault === null ? { kind: "answer", errno: -error, request } : {
    kind: "failed",
    errno: ERRNO.EINVAL,
    end: ERRNO.EIO,
    message: fault,
    request,
  };
}

function refuse(errno: number, message: string): ReplyVerdict {
  return { kind: "refused", errno, message };
}

/**
 * What is wrong with a reply's body; `null` if nothing is.
 *
 * @param request The request that it answers.
 * @param size Bytes of the body.
 * @param failed Whether the reply has an error number.
 */
export function judgeBody(
  request: SimRequest,
  size: number,
  failed: boolean,
): string | null {
  //= fs/fuse/dev.c fuse_dev_do_write(): an error with a body is EINVAL.
  if (failed) {
    if (size === 0) return null;
    return `it says that ${
      opcodeName(request.row.opcode)
    } failed and has a body`;
  }
  //= fs/fuse/dev.c fuse_copy_out_args(): EINVAL if it is longer than the
  //= arguments, or shorter and the last argument has a fixed size.
  const { replySize, replySlack } = request;
  if (size > replySize || size < replySize - replySlack) {
    const name = opcodeName(request.row.opcode);
    return `it has ${size} bytes for ${name}, expected ${replySize}`;
  }
  return null;
}
