/**
 * Finds out whether FUSE over io_uring is available, before INIT is answered.
 *
 * @module
 */

import { ERRNO, errnoName } from "../../base/errno.ts";
import { FUSE_IO_URING_CMD } from "../../protocol/device.ts";
import { IORING_OP, IoUring, SQE } from "../io/io_uring.ts";
import { SystemError } from "../syscall/system_error.ts";
import { readText } from "../syscall/text_file.ts";
import { fuseParameters } from "./fuse_parameters.ts";

const PARAMETER = "/sys/module/fuse/parameters/enable_uring";

/** Whether FUSE over io_uring is available, and if not, why. */
export type UringProbe =
  | { readonly available: true }
  | { readonly available: false; readonly reason: string };

/** The facts that {@linkcode judgeUring} judges. */
export interface UringFacts {
  /** The kernel's setting, `null` if it has none. */
  readonly enableUring: boolean | null;
  /** The errno of creating an io_uring, `null` if that succeeded. */
  readonly refused: number | null;
}

/**
 * Probes whether FUSE over io_uring is available: it reads the kernel's setting,
 * and creates and closes an io_uring.
 */
export function probeUring(): UringProbe {
  const { enableUring } = fuseParameters();
  const refused = enableUring === true ? ioUringRefusal() : null;
  return judgeUring({ enableUring, refused });
}

/** Judges whether FUSE over io_uring is available. */
export function judgeUring({ enableUring, refused }: UringFacts): UringProbe {
  if (enableUring === null) {
    return unavailable(
      "this kernel has no FUSE over io_uring (Linux 6.14 or later has it)",
    );
  }
  if (!enableUring) {
    return unavailable(
      `it is disabled in this kernel (as root, run 'echo Y > ${PARAMETER}')`,
    );
  }
  switch (refused) {
    case null:
      return { available: true };
    case ERRNO.ENOSYS:
      return unavailable("this kernel or sandbox has no io_uring");
    case ERRNO.EPERM:
    case ERRNO.EACCES:
      return unavailable(
        "this process may not use io_uring (see sysctl kernel.io_uring_disabled, or the sandbox)",
      );
    case ERRNO.EINVAL:
      return unavailable(
        "the io_uring of this kernel has no 128-byte submissions",
      );
    case ERRNO.ENOMEM:
      return unavailable(
        "there is not enough memory for an io_uring (see ulimit -l)",
      );
    default:
      return unavailable(
        `an io_uring cannot be created: ${errnoName(refused)}`,
      );
  }
}

/**
 * The number of ring queues that the kernel requires: one for each possible CPU,
 * /sys/devices/system/cpu/possible.
 *
 * @throws {SystemError} If /sys is not mounted.
 */
export function possibleCpus(): number {
  return countCpus(readText("/sys/devices/system/cpu/possible").trim());
}

/**
 * Counts the CPUs of a list.
 *
 * @param list A list such as `0-3,8`.
 */
export function countCpus(list: string): number {
  return list.split(",").reduce((sum, range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return sum + last - first + 1;
  }, 0);
}

/**
 * Makes a connection use /dev/fuse although FUSE_OVER_IO_URING was negotiated.
 * This is possible until every ring queue has an entry.
 *
 * @param fd A descriptor of the connection.
 * @throws {SystemError} If no io_uring can be created.
 */
export function declineUring(fd: number): void {
  const ring = new IoUring(1);
  try {
    //= fs/fuse/dev_uring.c fuse_uring_cmd(): a REGISTER that fails ends
    //= io_uring for the connection, and wakes up callers that wait for its
    //= queues.
    ring.sqes[SQE.OP] = IORING_OP.URING_CMD;
    ring.sqes[SQE.FD] = fd;
    ring.sqes[SQE.OFF] = FUSE_IO_URING_CMD.REGISTER;
    ring.push(0);
    ring.enter(1);
  } finally {
    ring.close();
  }
}

function unavailable(reason: string): UringProbe {
  return { available: false, reason };
}

/**
 * Creates and closes an io_uring with 128-byte submissions.
 *
 * @returns The errno of creating it, `null` if that succeeded.
 */
export function ioUringRefusal(): number | null {
  try {
    new IoUring(1).close();
    return null;
  } catch (error) {
    if (error instanceof SystemError) return error.errno;
    throw error;
  }
}
