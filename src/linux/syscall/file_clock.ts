/**
 * The clock by which the kernel stamps files.
 *
 * @module
 */
import { timeOf } from "../../base/timespec.ts";
import { closeDescriptor } from "./descriptor.ts";
import { cString } from "./ffi_values.ts";
import { libc } from "./libc.ts";
import { statxDescriptor } from "./statx.ts";

const MFD_CLOEXEC = 1;
const CLOCK_REALTIME_COARSE = 5;

/**
 * The time that the kernel would give to a file now: current_time() of
 * fs/inode.c. It is never before a time that a file was given earlier.
 *
 * No clock tells it: it advances in ticks, but since Linux 6.13 not below the
 * fine-grained times that files were given meanwhile
 * (Documentation/filesystems/multigrain-ts.rst). So a file in memory is made,
 * and its time is taken: three system calls.
 *
 * @returns Nanoseconds since 1970.
 * @throws {UserError} If Deno may not call native code.
 * @category Times
 */
export function fileTime(): bigint {
  const fd = libc().memfd_create(cString("mqfuse-time"), MFD_CLOEXEC);
  if (fd < 0) return tickTime();
  try {
    const status = statxDescriptor(fd);
    return typeof status === "number" ? tickTime() : status.mtime;
  } finally {
    closeDescriptor(fd);
  }
}

/** The time of the last tick; where no descriptor is left, for instance. */
function tickTime(): bigint {
  const time = new BigInt64Array(new ArrayBuffer(16));
  libc().clock_gettime(CLOCK_REALTIME_COARSE, time);
  return timeOf(time[0]!, Number(time[1]!));
}
