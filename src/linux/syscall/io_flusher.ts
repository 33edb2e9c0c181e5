/**
 * I/O flushers: processes that the kernel needs to write out dirty memory, such
 * as the server of a file that holds a mounted file system. When such a process
 * allocates memory, the kernel must not wait for write-back, because that could
 * wait for the process itself.
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";
import { errno, libc } from "./libc.ts";
import { SystemError } from "./system_error.ts";

// <linux/prctl.h>
const PR_SET_THP_DISABLE = 41;
const PR_GET_THP_DISABLE = 42;
const PR_SET_IO_FLUSHER = 57;
const PR_GET_IO_FLUSHER = 58;

/** Whether a thread is an I/O flusher, or why it cannot become one. */
export type IoFlusherState =
  /** It is one. */
  | "on"
  /** It is none, and can become one. */
  | "off"
  /** It lacks CAP_SYS_RESOURCE. */
  | "not permitted"
  /** The kernel is older than Linux 5.6. */
  | "unsupported";

/** The state of the calling thread. Changes nothing. */
export function ioFlusherState(): IoFlusherState {
  const flusher = control(PR_GET_IO_FLUSHER);
  if (flusher < 0) {
    return errno() === ERRNO.EPERM ? "not permitted" : "unsupported";
  }
  return flusher === 1 && control(PR_GET_THP_DISABLE) > 0 ? "on" : "off";
}

/**
 * Makes the calling thread, and every thread and program that it starts from now
 * on, an I/O flusher: PR_SET_IO_FLUSHER. Also switches transparent huge pages off
 * for the process: while khugepaged makes one, it holds the lock of the
 * process's address space and waits for write-back on its behalf.
 *
 * @throws {SystemError} EPERM without CAP_SYS_RESOURCE, EINVAL before Linux 5.6.
 */
export function becomeIoFlusher(): void {
  for (const option of [PR_SET_IO_FLUSHER, PR_SET_THP_DISABLE]) {
    if (control(option, 1n) === 0) continue;
    throw new SystemError({
      call: "prctl",
      action: "make this process an I/O flusher",
      errno: errno(),
    });
  }
}

function control(option: number, argument: bigint = 0n): number {
  return libc().prctl(option, argument, 0n, 0n, 0n);
}
