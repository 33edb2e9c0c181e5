/**
 * Reads, writes and syncs of files in other threads, errno included: aio(7) of
 * the C library, in whose control block the result stays. For a thread that must
 * not wait for a medium, or that serves the file itself.
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";
import { O } from "../../base/file_flags.ts";
import { pointerOf } from "../syscall/ffi_values.ts";
import { errno, libc } from "../syscall/libc.ts";
import { inPool } from "../syscall/pool.ts";
import { LinuxBlockFile } from "./block_file.ts";

// struct aiocb of glibc and musl on 64 bits; the longer of the two has 168 bytes.
const AIOCB = {
  size: 168,
  FD: 0,
  BUF: 16,
  NBYTES: 24,
  NOTIFY: 44,
  OFFSET: 128,
};
const LIO = {
  WAIT: 0,
  // aio_lio_opcode follows aio_fildes.
  OPCODE: 4,
  WRITE: 1,
} as const;
// sigev_notify of struct sigevent.
const SIGEV_NONE = 1;
/** How long to wait where no thread can. */
const RETRY_MS = 10;

/**
 * Reads from a file: pread(2).
 *
 * @param fd The descriptor; it stays open until the promise settles.
 * @param buffer Receives the bytes; on loan until then.
 * @param position Where to begin.
 * @returns A count of bytes, or a negative errno.
 */
export function readInPool(
  fd: number,
  buffer: Uint8Array,
  position: number,
): Promise<number> {
  return startCall("read", fd, buffer, position);
}

/** Writes to a file: pwrite(2). As {@linkcode readInPool}. */
export function writeInPool(
  fd: number,
  buffer: Uint8Array,
  position: number,
): Promise<number> {
  return startCall("write", fd, buffer, position);
}

/** Bytes for a file. */
export interface FileWrite {
  readonly position: number;
  /** On loan until the end. */
  readonly bytes: Uint8Array;
}

/**
 * Makes several writes to a file, one after another: a call for all of them
 * takes less time than one for each.
 *
 * @returns For each, as {@linkcode writeInPool}.
 */
export async function writeAllInPool(
  fd: number,
  writes: readonly FileWrite[],
): Promise<number[]> {
  const { lio_listio_nonblocking } = libc();
  const blocks = writes.map(({ bytes, position }) => {
    const block = controlBlock(fd, bytes, position);
    block[LIO.OPCODE] = LIO.WRITE;
    return block;
  });
  const list = addressesOf(blocks);
  await inPool(
    () =>
      lio_listio_nonblocking(LIO.WAIT, pointerOf(list), blocks.length, null),
    () => -1,
  );
  return await Promise.all(blocks.map(async (block, i) => {
    const { bytes, position } = writes[i]!;
    const error = await endOf(block);
    const result = Number(libc().aio_return(pointerOf(block)));
    // No thread could be started: for the call, which leaves the first state,
    // or by the C library for this write.
    const isMade = error === 0 ? result > 0 : error !== ERRNO.EAGAIN;
    if (!isMade) return here("write", fd, bytes, position);
    return error === 0 ? result : -error;
  }));
}

/** Makes the data of a file durable: fdatasync(2). 0 or a negative errno. */
export function syncInPool(fd: number): Promise<number> {
  return startCall("sync", fd, NOTHING, 0);
}

const NOTHING = new Uint8Array(0);

async function startCall(
  call: "read" | "write" | "sync",
  fd: number,
  buffer: Uint8Array,
  position: number,
): Promise<number> {
  const { aio_read, aio_write, aio_fsync, aio_return } = libc();
  const block = controlBlock(fd, buffer, position);
  // The thread may write to it until the end: its address must stay.
  const pointer = pointerOf(block);
  const started = call === "read"
    ? aio_read(pointer)
    : call === "write"
    ? aio_write(pointer)
    : aio_fsync(O.DSYNC, pointer);
  if (started < 0) {
    const error = errno();
    // No thread can be started.
    return error === ERRNO.EAGAIN ? here(call, fd, buffer, position) : -error;
  }
  const error = await endOf(block);
  const result = Number(aio_return(pointer));
  // Also keeps the buffer alive until the call has returned.
  return error === 0 ? Math.min(result, buffer.byteLength) : -error;
}

/** The call by this thread, which waits if the file does. */
function here(
  call: "read" | "write" | "sync",
  fd: number,
  buffer: Uint8Array,
  position: number,
): number {
  const file = new LinuxBlockFile(fd);
  if (call === "sync") return file.fdatasync();
  const { byteLength } = buffer;
  return call === "read"
    ? file.pread(buffer, 0, byteLength, position)
    : file.pwrite(buffer, 0, byteLength, position);
}

function controlBlock(
  fd: number,
  buffer: Uint8Array,
  position: number,
): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(AIOCB.size);
  const view = new DataView(block.buffer);
  view.setInt32(AIOCB.FD, fd, true);
  const address = Deno.UnsafePointer.value(pointerOf(buffer));
  view.setBigUint64(AIOCB.BUF, BigInt(address), true);
  view.setBigUint64(AIOCB.NBYTES, BigInt(buffer.byteLength), true);
  view.setInt32(AIOCB.NOTIFY, SIGEV_NONE, true);
  view.setBigInt64(AIOCB.OFFSET, BigInt(position), true);
  return block;
}

/** A list of addresses. What it names has to be kept alive. */
function addressesOf(blocks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const addresses = blocks.map((block) =>
    BigInt(Deno.UnsafePointer.value(pointerOf(block)))
  );
  return new Uint8Array(BigUint64Array.from(addresses).buffer);
}

/** Waits for the end of an operation; returns its errno, 0 for none. */
async function endOf(block: Uint8Array<ArrayBuffer>): Promise<number> {
  const { aio_error, aio_suspend_nonblocking } = libc();
  const pointer = pointerOf(block);
  const list = addressesOf([block]);
  for (;;) {
    const error = aio_error(pointer);
    if (error !== ERRNO.EINPROGRESS) return error;
    // It ends early at a signal.
    await inPool(
      () => aio_suspend_nonblocking(pointerOf(list), 1, null),
      () => new Promise((resolve) => setTimeout(resolve, RETRY_MS, 0)),
    );
  }
}
