/**
 * Who owns the exported file, and its permission bits.
 *
 * @module
 */
import { UserError } from "../base/user_error.ts";
import { accountNumber, ID_MAX } from "../linux/syscall/accounts.ts";
import type { AllowOther } from "../linux/mount/mount_by_fusermount.ts";
import { credentials } from "../linux/syscall/process.ts";

const MODE_MAX = 0o7777;
const ANY_WRITE = 0o222;
const GROUP_OR_OTHERS = 0o077;

/** What the owner and the permission bits of a file follow from. */
export interface FileAttributeOptions {
  /** The owner, or the name of one. */
  readonly uid?: number | string;
  /** The group, or the name of one. */
  readonly gid?: number | string;
  /** The permission bits. */
  readonly mode?: number;
  /** Whether programs may write. */
  readonly writable?: boolean;
  /** Whether other users have access. */
  readonly allowOther?: AllowOther;
}

/** The owner and the permission bits of a file. */
export interface FileAttributes {
  /** The owner. */
  readonly uid: number;
  /** The group. */
  readonly gid: number;
  /** The permission bits. */
  readonly mode: number;
  /** Whether the options give other users some access, or another owner. */
  readonly needsAllowOther: boolean;
}

/**
 * Checks the owner and the permission bits, and fills in the defaults: this
 * process's own user and group, and access for the owner alone.
 *
 * @throws {UserError} If they cannot be used.
 */
export function fileAttributes(options: FileAttributeOptions): FileAttributes {
  const { writable = false, allowOther } = options;
  const own = credentials();
  const uid = checkOwner(options.uid ?? own.uid, "uid");
  const gid = checkOwner(options.gid ?? own.gid, "gid");
  const mode = checkMode(options.mode ?? (writable ? 0o600 : 0o400), "mode");
  if (!writable && (mode & ANY_WRITE) !== 0) {
    throw new UserError(
      `Cannot give a read-only export the mode ${
        octal(mode)
      }: it allows writing; use ${
        octal(mode & ~ANY_WRITE)
      }, or make the export writable`,
    );
  }
  const owned = uid !== own.uid || gid !== own.gid;
  const needsAllowOther = owned || (mode & GROUP_OR_OTHERS) !== 0;
  if (needsAllowOther && allowOther === "off") {
    const what = owned ? `the owner ${uid}:${gid}` : `the mode ${octal(mode)}`;
    throw new UserError(
      `Cannot show the file with ${what}: only the user who exports it has access without allow-other; use --allow-other=on, or leave it out`,
    );
  }
  return { uid, gid, mode, needsAllowOther };
}

/**
 * What to tell the user if other users turned out to have no access.
 */
export function ownAccessNotice({ uid, gid, mode }: FileAttributes): string {
  return `The file is shown with the owner ${uid}:${gid} and the mode ${
    octal(mode)
  }, but only the user who exports it has access: allow-other is off`;
}

/**
 * Reads an owner or a group.
 *
 * @param value Its number, its digits, or its name.
 * @param kind Which of the two.
 * @param name The option's name, for the message.
 * @throws {UserError} If there is none of that name, or the number is none.
 */
export function checkOwner(
  value: number | string,
  kind: "uid" | "gid",
  name: string = kind,
): number {
  if (typeof value === "string") {
    const account = kind === "uid" ? "user" : "group";
    return accountNumber(value, account, `Cannot use ${value} (${name})`);
  }
  if (Number.isInteger(value) && value >= 0 && value <= ID_MAX) return value;
  throw new UserError(
    `Cannot use ${value} (${name}): expected a number up to ${ID_MAX}, or a name`,
  );
}

/**
 * Reads permission bits.
 *
 * @param value The bits, or their octal digits.
 * @param name The option's name, for the message.
 * @throws {UserError} If it is no number from 0 to 7777, octal.
 */
export function checkMode(value: number | string, name: string): number {
  const mode = typeof value === "number"
    ? value
    : /^[0-7]{1,5}$/.test(value)
    ? Number.parseInt(value, 8)
    : NaN;
  if (Number.isInteger(mode) && mode >= 0 && mode <= MODE_MAX) return mode;
  throw new UserError(
    `Cannot use ${value} (${name}): expected permission bits as octal digits, such as 640`,
  );
}

function octal(mode: number): string {
  return mode.toString(8).padStart(3, "0");
}
