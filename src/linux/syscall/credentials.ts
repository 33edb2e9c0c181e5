/**
 * The user and groups of this process, and giving up those of root: setresuid(2).
 *
 * @module
 */

import { UserError } from "../../base/user_error.ts";
import { accountNumber, ownGroup } from "./accounts.ts";
import { listDirectory } from "./directory.ts";
import { errno, libc } from "./libc.ts";
import { keepParentEndSignal } from "./parent.ts";
import { hasCapability } from "./process.ts";
import { SystemError } from "./system_error.ts";
import { readText } from "./text_file.ts";

/** A user and a group without names: what a process runs as. */
export interface Identity {
  /** The number of the user. */
  readonly uid: number;
  /** The number of the group. */
  readonly gid: number;
}

const NEEDED = ["SETUID", "SETGID", "SYS_ADMIN"] as const;

/**
 * Requires that this process may become another user and unmount afterwards.
 *
 * @throws {UserError} If it lacks a capability.
 */
export function requireRoot(): void {
  const missing = NEEDED.find((name) => !hasCapability(name));
  if (missing === undefined) return;
  throw new UserError(
    `Cannot run as another user: this process lacks CAP_${missing}; start it as root, or leave user and group out`,
  );
}

/**
 * Looks up a user and a group in the databases of the system.
 *
 * @param user The name or number of a user.
 * @param group The name or number of a group; the user's own one by default.
 * @throws {UserError} If there is none of that name, if a number has no entry and
 * `group` is left out, or if the user is root.
 */
export function lookUpIdentity(user: string, group?: string): Identity {
  const uid = accountNumber(user, "user", `Cannot run as user ${user}`);
  if (uid === 0) {
    throw new UserError(
      `Cannot give up the rights of root to run as ${user}: that is root; choose another user, or leave user out`,
    );
  }
  const gid = group === undefined
    ? ownGroup(uid)
    : accountNumber(group, "group", `Cannot run as group ${group}`);
  if (gid !== null) return { uid, gid };
  throw new UserError(
    `Cannot run as user ${user}: the user database has no entry for it that names its group; give a group too`,
  );
}

/**
 * Makes every thread of this process run as a user, for good: it loses its
 * supplementary groups and all capabilities. The C library changes all of its
 * threads, and the kernel makes new ones like those that start them.
 *
 * Open descriptors, locks and mounts stay. The process is not dumpable from now
 * on, so that other processes of the user cannot take its descriptors.
 *
 * @throws {SystemError} With the errno of setgroups(2), setresgid(2), setresuid(2).
 * @throws {UserError} If a thread has kept other rights.
 */
export function becomeUser({ uid, gid }: Identity): void {
  const { setgroups, setresgid, setresuid } = libc();
  // In this order, because a user may not change its groups.
  keepParentEndSignal(() => {
    check("setgroups", setgroups(0n, null));
    check("setresgid", setresgid(gid, gid, gid));
    check("setresuid", setresuid(uid, uid, uid));
  });
  const rest = threadStates().find((status) =>
    !hasOnly(status, "Uid", uid) || !hasOnly(status, "Gid", gid) ||
    !/^Groups:\s*$/m.test(status) || !/^CapPrm:\s*0+$/m.test(status)
  );
  if (rest === undefined) return;
  const name = /^Name:\s*(.*)$/m.exec(rest)?.[1] ?? "unknown";
  throw new UserError(
    `Cannot give up the rights of root: the thread ${name} keeps some of them; start the program without securebits (capsh --secbits=0), or leave user out`,
  );
}

function check(call: string, result: number): void {
  if (result === 0) return;
  throw new SystemError({
    call,
    action: "give up the rights of root",
    errno: errno(),
  });
}

/** proc_pid_status(5) of each thread of this process. */
function threadStates(): string[] {
  const tasks = "/proc/self/task";
  return listDirectory(tasks).flatMap((task) => {
    try {
      return [readText(`${tasks}/${task}/status`)];
    } catch (error) {
      // The thread has ended since.
      if (error instanceof SystemError) return [];
      throw error;
    }
  });
}

/** Whether the real, effective, saved and file system ids are all this one. */
function hasOnly(status: string, field: "Uid" | "Gid", id: number): boolean {
  return new RegExp(`^${field}:(\\s+${id}){4}$`, "m").test(status);
}
