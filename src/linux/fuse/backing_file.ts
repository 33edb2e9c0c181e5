import { encodeStruct } from "../../protocol/codec.ts";
import { FUSE_DEV_IOC } from "../../protocol/device.ts";
import { ERRNO } from "../../base/errno.ts";
import { errno, libc } from "../syscall/libc.ts";
import { SystemError } from "../syscall/system_error.ts";

const BACKING_OPEN = BigInt(FUSE_DEV_IOC.BACKING_OPEN);

/**
 * Tells a connection of a file that the kernel may read and write by itself:
 * ioctl `FUSE_DEV_IOC_BACKING_OPEN`, fuse_backing_open() of fs/fuse/backing.c.
 * The connection keeps the file open up to its own end.
 *
 * @param device A descriptor of the connection, once INIT has been answered.
 * @param file A descriptor of a regular file.
 * @returns The `backing_id` for replies to OPEN, 1 or more.
 * @throws {SystemError} EPERM without CAP_SYS_ADMIN or where FUSE_PASSTHROUGH
 * was not agreed on, ELOOP for a file of a stacked file system, EINVAL for
 * what is no regular file.
 */
export function openBackingFile(device: number, file: number): number {
  const map = encodeStruct("fuse_backing_map", { fd: file });
  const id = libc().ioctl(device, BACKING_OPEN, map);
  if (id > 0) return id;
  const error = errno();
  throw new SystemError({
    call: "ioctl",
    action: `let the kernel use descriptor ${file} by itself`,
    errno: error,
    advice: adviceOn(error),
  });
}

function adviceOn(error: number): string | undefined {
  switch (error) {
    case ERRNO.EPERM:
      return "it needs CAP_SYS_ADMIN outside of user namespaces";
    case ERRNO.ELOOP:
      return "the image must not lie on a stacked file system such as overlayfs";
    default:
      return undefined;
  }
}
