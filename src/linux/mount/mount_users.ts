/**
 * Users of a mount, and how a message names them.
 *
 * @module
 */

/**
 * Something that uses a mount.
 *
 * @category Sessions
 */
export type MountUser =
  | {
    /** A process. */
    readonly kind: "process";
    /** Its id. */
    readonly pid: number;
    /** Its name: /proc/PID/comm. */
    readonly name: string;
    /** By an open file, a memory mapping, or its working or root directory. */
    readonly how: "descriptor" | "mapping" | "directory";
  }
  | {
    /** A loop device. */
    readonly kind: "loop";
    /** Its path, such as `/dev/loop0`. */
    readonly device: string;
    /** What uses the loop device, such as `ext4 mounted on /mnt`. */
    readonly usedAs: readonly string[];
  }
  | {
    /** A mount on a directory of this mount. */
    readonly kind: "mount";
    /** Its type and mount point, such as `tmpfs mounted on /mnt/tmp`. */
    readonly name: string;
  };

/**
 * What uses a mount.
 *
 * @category Sessions
 */
export interface MountUsers {
  /** Those that were found. */
  readonly users: readonly MountUser[];
  /** Whether there are processes that this user may not examine. */
  readonly hidden: boolean;
}

/** How many users a sentence names. */
const NAMED_MAX = 8;

/**
 * Names the users of a mount in a phrase such as `fio (process 12) and /dev/loop0
 * (ext4 mounted on /mnt)`.
 */
export function describeUsers({ users, hidden }: MountUsers): string {
  const phrases = users.slice(0, NAMED_MAX).map(describeUser);
  const more = users.length - phrases.length;
  if (more > 0) phrases.push(`${more} more`);
  if (phrases.length === 0) {
    return hidden
      ? "processes that this user may not examine"
      : "something that cannot be found, such as the kernel's NFS server";
  }
  if (hidden) {
    phrases.push("perhaps processes that this user may not examine");
  }
  return listing(phrases);
}

function describeUser(user: MountUser): string {
  switch (user.kind) {
    case "process":
      return `${user.name} (process ${user.pid})`;
    case "loop":
      return user.usedAs.length === 0
        ? user.device
        : `${user.device} (${user.usedAs.join(", ")})`;
    case "mount":
      return user.name;
  }
}

function listing(phrases: readonly string[]): string {
  if (phrases.length < 2) return phrases.join();
  return `${phrases.slice(0, -1).join(", ")} and ${phrases.at(-1)}`;
}
