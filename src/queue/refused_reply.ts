/**
 * What the kernel's refusal of a reply means, fs/fuse/dev.c.
 *
 * @module
 */
import { ERRNO, errnoName } from "../base/errno.ts";
import { ReplyError } from "../protocol/reply_error.ts";

/** A reply that was refused. */
export interface RefusedReply {
  /** The request's opcode. */
  readonly opcode: number;
  /** The request's id. */
  readonly unique: bigint;
  /** Bytes of the reply. */
  readonly length: number;
  /** The error that it told; 0 for none. */
  readonly errno: number;
}

/** Whether a failed write(2) says that nothing waits for the reply. */
export function isLost(errno: number): boolean {
  //= fs/fuse/dev.c fuse_dev_do_write(): ENOENT if the request was interrupted
  //= or the connection has ended, EPERM before it begins.
  return errno === ERRNO.ENOENT || errno === ERRNO.ENODEV ||
    errno === ERRNO.ECONNABORTED || errno === ERRNO.EPERM;
}

/**
 * The error that reports a refused reply. The request has to be answered with
 * EIO: after some errors the kernel waits on, after others it has failed the
 * request itself.
 *
 * @param reply The reply.
 * @param errno The errno of write(2).
 */
export function refusedReply(reply: RefusedReply, errno: number): ReplyError {
  const call = reply.errno === 0
    ? `${reply.length} bytes`
    : `error ${reply.errno}`;
  return new ReplyError(
    reply,
    call,
    `the kernel refuses the reply with ${errnoName(errno)}`,
  );
}
