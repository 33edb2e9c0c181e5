/**
 * Extended attributes of a server that has none: only sizes are returned.
 * fs/fuse/xattr.c.
 *
 * @module
 */
import { ERRNO } from "../../src/base/errno.ts";
import { encodeStruct } from "../../src/protocol/codec.ts";
import { isNegotiated } from "../../src/protocol/init.ts";
import { FUSE_COMPAT_SETXATTR_IN_SIZE } from "../../src/protocol/structs.ts";
import { type SimCall, SimError } from "../kernel/call.ts";
import type { KernelLimits } from "../kernel/negotiation.ts";
import type { CallContext } from "./getattr.ts";
import type { OptionalRequest } from "./inode.ts";

const ENCODER = new TextEncoder();

/** getxattr(2) without a buffer: returns the size. */
export async function getAttribute(
  context: CallContext,
  name: string,
): Promise<number> {
  return await askSize(context, "GETXATTR", ENCODER.encode(`${name}\0`));
}

/** listxattr(2) without a buffer: returns the size. */
export async function listAttributes(context: CallContext): Promise<number> {
  return await askSize(context, "LISTXATTR");
}

/** setxattr(2). */
export async function setAttribute(
  context: CallContext,
  limits: KernelLimits,
  name: string,
  value: Uint8Array,
): Promise<void> {
  const body = encodeStruct("fuse_setxattr_in", { size: value.length });
  const label = ENCODER.encode(`${name}\0`);
  const tail = new Uint8Array(label.length + value.length);
  tail.set(label);
  tail.set(value, label.length);
  //= fs/fuse/xattr.c fuse_setxattr(): the short struct without the flag.
  const size = isNegotiated(limits, "SETXATTR_EXT")
    ? body.length
    : FUSE_COMPAT_SETXATTR_IN_SIZE;
  const parts = { body: body.subarray(0, size), tail };
  await askKnown(context, "SETXATTR", parts);
}

async function askSize(
  context: CallContext,
  opcode: OptionalRequest,
  tail?: Uint8Array,
): Promise<number> {
  const body = encodeStruct("fuse_getxattr_in");
  const parts = tail === undefined ? { body } : { body, tail };
  const reply = await askKnown(context, opcode, parts);
  return new DataView(reply.buffer, reply.byteOffset).getUint32(0, true);
}

/** Sends a request, unless the server is known not to support it. */
async function askKnown(
  { caller, inode, credentials }: CallContext,
  opcode: OptionalRequest,
  parts: Pick<SimCall, "body" | "tail">,
): Promise<Uint8Array> {
  const call = opcode.toLowerCase();
  if (inode.unsupported.has(opcode)) throw new SimError(call, ERRNO.EOPNOTSUPP);
  const { errno, body } = await caller.call({ opcode, credentials, ...parts });
  if (errno === 0) return body;
  if (errno !== ERRNO.ENOSYS) throw new SimError(call, errno);
  //= fs/fuse/xattr.c fuse_getxattr(): ENOSYS is remembered.
  inode.unsupported.add(opcode);
  throw new SimError(call, ERRNO.EOPNOTSUPP);
}
