import { encodeNotification } from "../../protocol/notifications.ts";
import { pointerOf } from "../syscall/ffi_values.ts";
import { libc } from "../syscall/libc.ts";

/**
 * Makes the kernel ask for the attributes of a node again, before a request on it
 * is answered: FUSE_NOTIFY_INVAL_INODE for attributes alone takes no lock, so
 * this thread cannot wait for itself (fuse_reverse_inval_inode() of
 * fs/fuse/inode.c). What the kernel does not know needs no notice.
 *
 * @param device A descriptor of the connection.
 * @param nodeid The node.
 */
export function invalidateAttributesNow(device: number, nodeid: number): void {
  const body = { ino: BigInt(nodeid), off: -1n, len: 0n };
  const bytes = encodeNotification("INVAL_INODE", { body });
  libc().write(device, pointerOf(bytes), BigInt(bytes.byteLength));
}
