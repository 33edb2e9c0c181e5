/**
 * What to do when FUSE cannot be had: said wherever it turns out.
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";

/** What to do in a container, for errors of the device and of mounting. */
export const ADVICE_ON_CONTAINERS =
  "in a container: start it with --device /dev/fuse --cap-add SYS_ADMIN";

/**
 * What to do when /dev/fuse cannot be opened.
 *
 * @param errno The error number of open(2).
 */
export function adviceOnDevice(errno: number): string | undefined {
  switch (errno) {
    case ERRNO.ENOENT:
    case ERRNO.ENODEV:
    case ERRNO.ENXIO:
      return `load the kernel's module with 'modprobe fuse'; ${ADVICE_ON_CONTAINERS}`;
    case ERRNO.EACCES:
      return "let users open it, as root: 'chmod 0666 /dev/fuse'";
    case ERRNO.EPERM:
      return ADVICE_ON_CONTAINERS;
    default:
      return undefined;
  }
}
