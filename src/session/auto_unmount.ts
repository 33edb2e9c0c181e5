import { UserError } from "../base/user_error.ts";
import type { FuseMount } from "../linux/mount/fuse_mount.ts";
import {
  startUnmountHelper,
  type UnmountHelper,
} from "../linux/mount/unmount_helper.ts";
import { hasCapSysAdmin } from "../linux/syscall/process.ts";
import { checkChoice } from "./check_value.ts";
import { Session } from "./session.ts";
import type { SessionParts } from "./session_parts.ts";

/**
 * Whether a mount ends with the program, even if that is killed: `on`, `off`, or
 * `auto` for `on` as root.
 *
 * @category Mounting
 */
export type AutoUnmount = "auto" | "on" | "off";

/** Choices of automatic unmounting. */
export const AUTO_UNMOUNTS: readonly AutoUnmount[] = ["auto", "on", "off"];

/**
 * Decides before the mount whether a small process will unmount it.
 *
 * @throws {UserError} If that was requested, and this user may not unmount.
 */
export function planAutoUnmount(choice: AutoUnmount): boolean {
  checkChoice(choice, AUTO_UNMOUNTS, "autoUnmount");
  if (choice === "off") return false;
  if (hasCapSysAdmin()) return true;
  if (choice === "auto") return false;
  throw new UserError(
    "Cannot unmount automatically: it needs CAP_SYS_ADMIN; set autoUnmount to auto or off (a dead mount is removed by the next mount there, or by 'fusermount3 -u')",
  );
}

/**
 * Parts of a session whose mount ends with this process.
 *
 * @param parts The parts; their mount is served, or the path of its mount point
 * is only looked up.
 * @param choice The request.
 * @throws {UserError} If it cannot be, and `choice` is `on`; the mount has ended.
 */
export async function withAutoUnmount(
  parts: SessionParts & { readonly mount: FuseMount },
  choice: AutoUnmount,
  notice: (text: string) => void,
): Promise<SessionParts> {
  let helper: UnmountHelper | null;
  try {
    helper = startAutoUnmount(parts.mount, choice, notice);
  } catch (error) {
    await new Session(parts).close();
    throw error;
  }
  if (helper === null) return parts;
  const release = async () => {
    await parts.release();
    helper.end();
  };
  return { ...parts, release };
}

/**
 * Starts a process that waits for the end of this one, and then unmounts.
 *
 * @param choice The request: without umount(8), `auto` does without.
 * @param notice Receives a sentence if there is no such process.
 */
function startAutoUnmount(
  { id, connection: minor, path: mountPoint }: FuseMount,
  choice: AutoUnmount,
  notice: (text: string) => void,
): UnmountHelper | null {
  try {
    return startUnmountHelper({
      mount: { id, minor, mountPoint },
      files: [],
      insecurePath: true,
      advice: "set autoUnmount to off",
    });
  } catch (error) {
    if (choice === "on" || !(error instanceof UserError)) throw error;
    notice(`The mount stays if this program is killed: ${error.message}`);
    return null;
  }
}
