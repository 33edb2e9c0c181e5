/**
 * Whether FUSE over io_uring can be had, before the kernel is told so.
 *
 * @module
 */

import { fuseParameters } from "./fuse_parameters.ts";
import { readText } from "../syscall/text_file.ts";
import { ERRNO } from "../../base/errno.ts";
import { FUSE_IO_URING_CMD } from "../../protocol/device.ts";
import { IoUring, SQE } from "../io/io_uring.ts";
import { SystemError } from "../syscall/system_error.ts";

const PARAMETER = "/sys/module/fuse/parameters/enable_uring";
const OP_URING_CMD = 46;

/** Whether FUSE over io_uring can be had, and if not, why. */
export type UringProbe =
  | { readonly available: true }
  | { readonly available: false; readonly reason: string };

/** What {@linkcode judgeUring} goes by. */
export interface UringFacts {
  /** The kernel's setting; `null` where it has none. */
  readonly enableUring: boolean | null;
  /** The error number with which a ring was refused; `null` if it was not. */
  readonly refused: number | null;
}

/**
 * Looks whether FUSE over io_uring can be had here: the kernel's setting, and
 * whether this process may make a ring. Changes nothing.
 */
export function probeUring(): UringProbe {
  const { enableUring } = fuseParameters();
  const refused = enableUring === true ? ioUringRefusal() : null;
  return judgeUring({ enableUring, refused });
}

/** Says what the facts mean. */
export function judgeUring({ enableUring, refused }: UringFacts): UringProbe {
  if (enableUring === null) {
    return no(
      "this kernel has no FUSE over io_uring, which Linux 6.14 brought",
    );
  }
  if (!enableUring) {
    return no(
      `it is off in this kernel; root can switch it on with 'echo Y > ${PARAMETER}'`,
    );
  }
  switch (refused) {
    case null:
      return { available: true };
    case ERRNO.ENOSYS:
      return no("this kernel has no io_uring, or a sandbox hides it");
    case ERRNO.EPERM:
    case ERRNO.EACCES:
      return no(
        "io_uring is not permitted to this process (kernel.io_uring_disabled, or a sandbox)",
      );
    case ERRNO.EINVAL:
      return no("this kernel's io_uring has no 128-byte submissions");
    case ERRNO.ENOMEM:
      return no("there is not enough memory for an io_uring (RLIMIT_MEMLOCK)");
    default:
      return no(`an io_uring cannot be made (error ${refused})`);
  }
}

/**
 * How many ring queues the kernel wants: one for each CPU that there may ever
 * be, /sys/devices/system/cpu/possible.
 *
 * @throws {SystemError} If /sys is not mounted.
 */
export function possibleCpus(): number {
  return countCpus(readText("/sys/devices/system/cpu/possible").trim());
}

/**
 * Counts a list of CPUs.
 *
 * @param list Such as `0-3,8`.
 */
export function countCpus(list: string): number {
  return list.split(",").reduce((sum, range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return sum + last - first + 1;
  }, 0);
}

/**
 * Makes a connection that has agreed to io_uring go by /dev/fuse after all.
 * Possible until every ring queue has an entry; from then on nothing changes.
 *
 * @param fd A descriptor of the connection.
 * @throws {SystemError} If no ring can be made.
 */
export function declineUring(fd: number): void {
  const ring = new IoUring(1);
  try {
    //= fs/fuse/dev_uring.c fuse_uring_cmd(): a REGISTER that fails ends
    //= io_uring for the connection and wakes whoever waits for its queues.
    ring.sqes[SQE.OP] = OP_URING_CMD;
    ring.sqes[SQE.FD] = fd;
    ring.sqes[SQE.OFF] = FUSE_IO_URING_CMD.REGISTER;
    ring.push(0);
    ring.enter(1);
  } finally {
    ring.close();
  }
}

function no(reason: string): UringProbe {
  return { available: false, reason };
}

/**
 * The error number with which this process is refused an io_uring with 128-byte
 * submissions; `null` if it is granted one.
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
