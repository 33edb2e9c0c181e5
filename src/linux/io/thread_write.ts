/**
 * Writing to a pipe, a terminal or a file without waiting for it.
 *
 * Other means do not work for every kind of file: O_NONBLOCK belongs to the open
 * file description, which other processes share, has no effect on regular files,
 * and a file cannot always be opened again by its descriptor.
 *
 * @module
 */
import { POLL } from "../../base/file_flags.ts";
import { ERRNO } from "../../base/errno.ts";
import { pointerOf } from "../syscall/ffi_values.ts";
import { errno, libc } from "../syscall/libc.ts";
import { inPool } from "../syscall/pool.ts";
import { waitForEvents, waitForEventsAsync } from "../syscall/poll.ts";

const ONE_BYTE = 1n;
const LONGEST_WAIT_MS = 1000;

/**
 * Writes some bytes by write(2) in a thread of Deno's pool. Until the promise
 * settles, that thread may be blocked, and the bytes must not change. A process
 * that exits does not wait for the thread.
 *
 * @param fd The descriptor.
 * @param bytes What to write; not empty.
 * @returns How many bytes were written, which may be none, or a negative errno.
 * @throws {UserError} If Deno may not call native code.
 */
export async function writeInThread(
  fd: number,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<number> {
  const size = BigInt(bytes.byteLength);
  const count = await inPool(
    () => libc().write_nonblocking(fd, pointerOf(bytes), size),
    () => -1,
  );
  if (count >= 0) return count;
  // The errno of another thread is lost, so a byte is written here, unless that
  // would block: then the descriptor was made nonblocking, and it is full.
  if (!waitForEvents(fd, POLL.OUT, 0)) {
    await waitForEventsAsync(fd, POLL.OUT, LONGEST_WAIT_MS);
    return 0;
  }
  const again = libc().write(fd, pointerOf(bytes), ONE_BYTE);
  if (again >= 0) return again;
  const error = errno();
  return error === ERRNO.EINTR || error === ERRNO.EAGAIN ? 0 : -error;
}
