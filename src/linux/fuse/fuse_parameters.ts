/**
 * The kernel's settings for FUSE.
 *
 * @module
 */

import { resultOrNull } from "../syscall/system_error.ts";
import { readText } from "../syscall/text_file.ts";

/** The kernel's settings for FUSE; `null` for one that cannot be read. */
export interface FuseParameters {
  /** /sys/module/fuse/parameters/enable_uring: whether io_uring is enabled. */
  readonly enableUring: boolean | null;
  /** /proc/sys/fs/fuse/max_pages_limit: largest request in pages. */
  readonly maxPagesLimit: number | null;
  /**
   * /sys/module/fuse/parameters/max_user_bgreq: most background requests of a
   * connection whose server lacks CAP_SYS_ADMIN.
   */
  readonly maxUserBackground: number | null;
  /**
   * /sys/module/fuse/parameters/max_user_congthresh: at how many background
   * requests such a connection counts as congested.
   */
  readonly maxUserCongestion: number | null;
}

/** Reads the kernel's settings for FUSE. */
export function fuseParameters(): FuseParameters {
  const module = "/sys/module/fuse/parameters";
  const uring = setting(`${module}/enable_uring`);
  return {
    enableUring: uring === null ? null : uring === "Y",
    maxPagesLimit: numberSetting("/proc/sys/fs/fuse/max_pages_limit"),
    maxUserBackground: numberSetting(`${module}/max_user_bgreq`),
    maxUserCongestion: numberSetting(`${module}/max_user_congthresh`),
  };
}

function numberSetting(path: string): number | null {
  const text = setting(path);
  return text === null ? null : Number(text);
}

function setting(path: string): string | null {
  return resultOrNull(() => readText(path).trim());
}
