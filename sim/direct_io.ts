/**
 * Reads and writes that go past the page cache: split, sent, put together.
 * fs/fuse/file.c fuse_direct_io().
 *
 * @module
 */
import { accessors } from "../src/protocol/accessors.ts";
import { viewOf } from "../src/protocol/codec.ts";
import { ERRNO } from "../src/protocol/errno.ts";
import { FUSE_READ, FUSE_WRITE } from "../src/protocol/flags.ts";
import type { SimAnswer, SimCall } from "./call.ts";
import type { Mounted } from "./attributes.ts";

const READ_IN = accessors("fuse_read_in");
const WRITE_IN = accessors("fuse_write_in");
const WRITE_OUT = accessors("fuse_write_out");

/** What a transfer needs to know of the file. */
export interface TransferFile extends Mounted {
  /** The server's handle. */
  readonly fh: bigint;
  /** Flags of open(2) that last. */
  readonly flags: number;
  /** Largest request in bytes. */
  readonly split: { readonly read: number; readonly write: number };
}

/** One part of a transfer: bytes moved, or a negative errno. */
type Part = (
  file: TransferFile,
  bytes: Uint8Array,
  position: number,
  background: boolean,
  onAdmitted?: () => void,
) => Promise<number>;

/** Reads one part. */
export async function readPart(
  file: TransferFile,
  into: Uint8Array,
  position: number,
  background: boolean,
  onAdmitted?: () => void,
): Promise<number> {
  const body = new Uint8Array(READ_IN.size);
  const view = viewOf(body);
  READ_IN.set.fh(view, 0, file.fh);
  READ_IN.setNumber.offset(view, 0, position);
  READ_IN.set.size(view, 0, into.length);
  READ_IN.set.read_flags(view, 0, FUSE_READ.LOCKOWNER);
  READ_IN.set.lock_owner(view, 0, file.lockOwner);
  READ_IN.set.flags(view, 0, file.flags);
  const answer = await file.caller.call({
    opcode: "READ",
    body,
    replyMax: into.length,
    into,
    ...origin(file, background, onAdmitted),
  });
  return answer.errno === 0 ? answer.body.length : -answer.errno;
}

/** Writes one part. */
export async function writePart(
  file: TransferFile,
  from: Uint8Array,
  position: number,
  background: boolean,
  onAdmitted?: () => void,
): Promise<number> {
  const body = new Uint8Array(WRITE_IN.size);
  const view = viewOf(body);
  WRITE_IN.set.fh(view, 0, file.fh);
  WRITE_IN.setNumber.offset(view, 0, position);
  WRITE_IN.set.size(view, 0, from.length);
  //= fs/fuse/file.c fuse_direct_io(): who is not root takes set-id bits away.
  const kill = file.credentials.uid === 0 ? 0 : FUSE_WRITE.KILL_SUIDGID;
  WRITE_IN.set.write_flags(view, 0, FUSE_WRITE.LOCKOWNER | kill);
  WRITE_IN.set.lock_owner(view, 0, file.lockOwner);
  WRITE_IN.set.flags(view, 0, file.flags);
  const answer = await file.caller.call({
    opcode: "WRITE",
    body,
    tail: from,
    ...origin(file, background, onAdmitted),
  });
  return written(answer, from.length);
}

function origin(
  { credentials, signals }: TransferFile,
  background: boolean,
  onAdmitted: (() => void) | undefined,
): Partial<SimCall> {
  const common = { credentials, signals, background };
  return onAdmitted === undefined ? common : { ...common, onAdmitted };
}

function written({ errno, body }: SimAnswer, asked: number): number {
  if (errno !== 0) return -errno;
  const size = WRITE_OUT.get.size(viewOf(body));
  //= fs/fuse/file.c fuse_send_write(): more than was sent is EIO.
  return size > asked ? -ERRNO.EIO : size;
}

/**
 * Moves bytes one part after another, up to the first that is short.
 *
 * @returns Bytes moved, or a negative errno where there were none.
 */
export async function transferSync(
  file: TransferFile,
  part: Part,
  size: number,
  bytes: Uint8Array,
  position: number,
): Promise<number> {
  let done = 0;
  while (done < bytes.length) {
    const piece = bytes.subarray(done, done + size);
    const moved = await part(file, piece, position + done, false);
    if (moved < 0) return done > 0 ? done : moved;
    done += moved;
    if (moved !== piece.length) break;
  }
  return done;
}

/**
 * Moves bytes in parts that are all sent at once.
 *
 * @returns Bytes moved up to the first gap, or a negative errno.
 */
export async function transferAsync(
  file: TransferFile,
  part: Part,
  size: number,
  bytes: Uint8Array,
  position: number,
  isWrite: boolean,
): Promise<number> {
  const parts: Promise<number>[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    const piece = bytes.subarray(at, at + size);
    if (at + size >= bytes.length) {
      parts.push(part(file, piece, position + at, true));
      continue;
    }
    //= fs/fuse/dev.c fuse_get_req(): while there are too many background
    //= requests, whoever submits sleeps before the next part is made.
    const { promise, resolve } = Promise.withResolvers<void>();
    let admitted = false;
    parts.push(part(file, piece, position + at, true, () => {
      admitted = true;
      resolve();
    }));
    if (!admitted) await promise;
  }
  let error = 0;
  let end = bytes.length;
  for (const [i, result] of parts.entries()) {
    const moved = await result;
    const asked = Math.min(size, bytes.length - i * size);
    if (moved < 0) error ||= moved;
    else if (moved < asked) end = Math.min(end, i * size + moved);
  }
  if (error !== 0) return error;
  //= fs/fuse/file.c fuse_get_res_by_io(): a short asynchronous write is EIO.
  return isWrite && end < bytes.length ? -ERRNO.EIO : end;
}
