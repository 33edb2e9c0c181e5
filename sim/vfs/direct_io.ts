/**
 * Reads and writes that bypass the page cache, split into requests.
 * fs/fuse/file.c fuse_direct_io().
 *
 * @module
 */
import { ERRNO } from "../../src/base/errno.ts";
import { accessors } from "../../src/protocol/accessors.ts";
import { viewOf } from "../../src/protocol/codec.ts";
import { FUSE_READ, FUSE_WRITE } from "../../src/protocol/flags.ts";
import type { SimAnswer } from "../kernel/call.ts";
import type { CallContext } from "./getattr.ts";

const READ_IN = accessors("fuse_read_in");
const WRITE_IN = accessors("fuse_write_in");
const WRITE_OUT = accessors("fuse_write_out");
const SLAB_SIZE = 65536;
const ALIGNMENT = 8;

/**
 * Small pieces of memory, cut from larger ones: a separate buffer for the
 * struct of each request would cost more than everything else that is done with
 * it. Pieces are never reused.
 */
class Slab {
  /** The memory of the last piece. */
  view: DataView<ArrayBuffer> = new DataView(new ArrayBuffer(SLAB_SIZE));
  #used = 0;

  /** Allocates `size` zero bytes; returns their offset. */
  take(size: number): number {
    if (this.#used + size > SLAB_SIZE) {
      this.view = new DataView(new ArrayBuffer(SLAB_SIZE));
      this.#used = 0;
    }
    const at = this.#used;
    this.#used += Math.ceil(size / ALIGNMENT) * ALIGNMENT;
    return at;
  }

  /** The bytes of the last piece. */
  bytes(at: number, size: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.view.buffer, at, size);
  }
}

/** Structs of READs and WRITEs in flight. */
const BODIES = new Slab();

/**
 * An open file, as transfers need it.
 *
 * @category Files
 */
export interface TransferFile extends CallContext {
  /** The server's file handle. */
  readonly fh: bigint;
  /** Flags of open(2) that apply after opening. */
  readonly flags: number;
  /** The largest READ and WRITE in bytes. */
  readonly split: { readonly read: number; readonly write: number };
}

/**
 * The direction of a transfer: how to send a part, and how to read the reply.
 */
export interface Direction {
  /** Sends the request for one part. */
  send(
    file: TransferFile,
    bytes: Uint8Array,
    position: number,
    background: boolean,
    onAdmitted?: () => void,
  ): Promise<SimAnswer>;
  /** Bytes that a part has transferred, or a negative errno. */
  moved(answer: SimAnswer, asked: number): number;
}

/** From the server: READ. */
export const READING: Direction = {
  send(file, into, position, background, onAdmitted) {
    const at = BODIES.take(READ_IN.size);
    const { view } = BODIES;
    READ_IN.set.fh(view, at, file.fh);
    READ_IN.setNumber.offset(view, at, position);
    READ_IN.set.size(view, at, into.length);
    READ_IN.set.read_flags(view, at, FUSE_READ.LOCKOWNER);
    READ_IN.set.lock_owner(view, at, file.lockOwner);
    READ_IN.set.flags(view, at, file.flags);
    return file.caller.call({
      opcode: "READ",
      body: BODIES.bytes(at, READ_IN.size),
      replyMax: into.length,
      into,
      credentials: file.credentials,
      signals: file.signals,
      background,
      onAdmitted,
    });
  },
  moved({ errno, body }) {
    return errno === 0 ? body.length : -errno;
  },
};

/** To the server: WRITE. */
export const WRITING: Direction = {
  send(file, from, position, background, onAdmitted) {
    const at = BODIES.take(WRITE_IN.size + WRITE_OUT.size);
    const { view } = BODIES;
    WRITE_IN.set.fh(view, at, file.fh);
    WRITE_IN.setNumber.offset(view, at, position);
    WRITE_IN.set.size(view, at, from.length);
    //= fs/fuse/file.c fuse_direct_io(): a write by any user but root clears the
    //= set-id bits.
    const kill = file.credentials.uid === 0 ? 0 : FUSE_WRITE.KILL_SUIDGID;
    WRITE_IN.set.write_flags(view, at, FUSE_WRITE.LOCKOWNER | kill);
    WRITE_IN.set.lock_owner(view, at, file.lockOwner);
    WRITE_IN.set.flags(view, at, file.flags);
    return file.caller.call({
      opcode: "WRITE",
      body: BODIES.bytes(at, WRITE_IN.size),
      tail: from,
      into: BODIES.bytes(at + WRITE_IN.size, WRITE_OUT.size),
      credentials: file.credentials,
      signals: file.signals,
      background,
      onAdmitted,
    });
  },
  moved({ errno, body }, asked) {
    if (errno !== 0) return -errno;
    const size = WRITE_OUT.get.size(viewOf(body));
    //= fs/fuse/file.c fuse_send_write(): EIO if the reply says more than was
    //= sent.
    return size > asked ? -ERRNO.EIO : size;
  },
};

/**
 * Transfers bytes one part after another, up to the first short one.
 *
 * @returns Bytes transferred; a negative errno if there were none.
 */
export async function transferSync(
  file: TransferFile,
  direction: Direction,
  size: number,
  bytes: Uint8Array,
  position: number,
): Promise<number> {
  let done = 0;
  while (done < bytes.length) {
    const piece = bytes.subarray(done, done + size);
    const answer = await direction.send(file, piece, position + done, false);
    const moved = direction.moved(answer, piece.length);
    if (moved < 0) return done > 0 ? done : moved;
    done += moved;
    if (moved !== piece.length) break;
  }
  return done;
}

/**
 * Transfers bytes in parts that are all sent at once.
 *
 * @returns Bytes transferred up to the first gap, or a negative errno.
 */
export function transferAsync(
  file: TransferFile,
  direction: Direction,
  size: number,
  bytes: Uint8Array,
  position: number,
): Promise<number> {
  if (bytes.length > size) {
    return transferParts(file, direction, size, bytes, position);
  }
  if (bytes.length === 0) return Promise.resolve(0);
  const { length } = bytes;
  return direction.send(file, bytes, position, true).then((answer) =>
    whole(direction, direction.moved(answer, length), length)
  );
}

async function transferParts(
  file: TransferFile,
  direction: Direction,
  size: number,
  bytes: Uint8Array,
  position: number,
): Promise<number> {
  const parts: Promise<SimAnswer>[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    const piece = bytes.subarray(at, at + size);
    if (at + size >= bytes.length) {
      parts.push(direction.send(file, piece, position + at, true));
      continue;
    }
    //= fs/fuse/dev.c fuse_get_req(): beyond the background limit, the sender
    //= sleeps before it makes the next part.
    const { promise, resolve } = Promise.withResolvers<void>();
    let admitted = false;
    parts.push(direction.send(file, piece, position + at, true, () => {
      admitted = true;
      resolve();
    }));
    if (!admitted) await promise;
  }
  let error = 0;
  let end = bytes.length;
  for (const [i, part] of parts.entries()) {
    const asked = Math.min(size, bytes.length - i * size);
    const moved = direction.moved(await part, asked);
    if (moved < 0) error ||= moved;
    else if (moved < asked) end = Math.min(end, i * size + moved);
  }
  return whole(direction, error !== 0 ? error : end, bytes.length);
}

function whole(direction: Direction, end: number, asked: number): number {
  //= fs/fuse/file.c fuse_get_res_by_io(): a short asynchronous write is EIO.
  const isShort = end >= 0 && end < asked;
  return direction === WRITING && isShort ? -ERRNO.EIO : end;
}
