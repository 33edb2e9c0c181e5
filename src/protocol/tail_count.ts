/**
 * How much follows the fixed struct of a request, as that struct says.
 *
 * @module
 */
import { accessors } from "./accessors.ts";
import type { StructName } from "./types.ts";

const WRITE_IN = accessors("fuse_write_in");
const SETXATTR_IN = accessors("fuse_setxattr_in");
const RETRIEVE_IN = accessors("fuse_notify_retrieve_in");
const IOCTL_IN = accessors("fuse_ioctl_in");
const BATCH_FORGET_IN = accessors("fuse_batch_forget_in");
const REMOVEMAPPING_IN = accessors("fuse_removemapping_in");

/** The field of a request's fixed struct that counts what follows it, if any. */
export function tailCountField(
  struct: StructName | undefined,
): "size" | "in_size" | "count" | null {
  switch (struct) {
    case "fuse_write_in":
    case "fuse_setxattr_in":
    case "fuse_notify_retrieve_in":
      return "size";
    case "fuse_ioctl_in":
      return "in_size";
    case "fuse_batch_forget_in":
    case "fuse_removemapping_in":
      return "count";
    default:
      return null;
  }
}

/**
 * Bytes or items that follow a request's fixed struct, as it says; 0 where it
 * has no count.
 */
export function tailCount(
  struct: StructName | undefined,
  body: DataView,
): number {
  switch (struct) {
    case "fuse_write_in":
      return WRITE_IN.get.size(body);
    case "fuse_setxattr_in":
      return SETXATTR_IN.get.size(body);
    case "fuse_notify_retrieve_in":
      return RETRIEVE_IN.get.size(body);
    case "fuse_ioctl_in":
      return IOCTL_IN.get.in_size(body);
    case "fuse_batch_forget_in":
      return BATCH_FORGET_IN.get.count(body);
    case "fuse_removemapping_in":
      return REMOVEMAPPING_IN.get.count(body);
    default:
      return 0;
  }
}
