/**
 * The names of users and groups, as the C library's name service knows them:
 * passwd(5), group(5), and whatever else nsswitch.conf(5) lists.
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";
import { UserError } from "../../base/user_error.ts";
import { cString, textAt } from "./ffi_values.ts";
import { libc } from "./libc.ts";
import { resultOrNull, SystemError } from "./system_error.ts";
import { readText } from "./text_file.ts";

/** Which of the two databases. */
export type AccountKind = "user" | "group";

/** The largest id: the one above it means "no change" to chown(2), setresuid(2). */
export const ID_MAX = 0xffff_fffe;

// struct passwd { char *pw_name, *pw_passwd; uid_t pw_uid; gid_t pw_gid; ... }
// struct group { char *gr_name, *gr_passwd; gid_t gr_gid; char **gr_mem; }
// of glibc and musl. The longer of the two has 48 bytes.
const NAME = 0;
const ID = 16;
const PW_GID = 20;
const STRUCT_BYTES = 48;

/** Room for the texts of an entry at first: a group may have many members. */
const TEXT_BYTES = 1024;
const TEXT_BYTES_MAX = 16 * 1024 * 1024;

/** What getpwnam_r(3) may return for a name that does not exist. */
const NOT_FOUND: ReadonlySet<number> = new Set([
  ERRNO.ENOENT,
  ERRNO.ESRCH,
  ERRNO.EBADF,
  ERRNO.EPERM,
]);

/**
 * The number of a user or group. Digits are always a number, as in units of
 * systemd, so that no name service has to answer.
 *
 * @param text A name or a number.
 * @param kind Which of the two.
 * @param action What it is for, for errors: "Cannot", and the name as given.
 * @throws {UserError} If there is none of that name, and it is no number.
 */
export function accountNumber(
  text: string,
  kind: AccountKind,
  action: string,
): number {
  const isNumber = /^\d+$/.test(text);
  const id = isNumber ? Number(text) : findNamed(text, kind)?.id ?? NaN;
  if (id <= ID_MAX) return id;
  throw new UserError(
    `${action}: there is no ${kind} of that name; give a name that 'getent ${
      databaseOf(kind)
    }' shows, or a number up to ${ID_MAX}`,
  );
}

/** The number of a user's own group; `null` if the user has no entry. */
export function ownGroup(uid: number): number | null {
  return findNumbered(uid, "user")?.group ?? null;
}

/** The name of a user; its number as text if it has none. */
export function userName(uid: number): string {
  return nameOf(uid, "user");
}

/** The name of a group; its number as text if it has none. */
export function groupName(gid: number): string {
  return nameOf(gid, "group");
}

/**
 * The users in a group: those whose own group it is, and those that its line of
 * /etc/group lists. A name service need not list its accounts, so a group that
 * only such a service knows may have any members.
 *
 * @param gid The number of the group.
 * @returns Their numbers; `null` if they cannot all be told.
 */
export function usersInGroup(gid: number): number[] | null {
  const lines = linesOf("/etc/group").filter((each) => Number(each[2]) === gid);
  if (lines.length === 0) return null;
  const found = linesOf("/etc/passwd")
    .filter((user) => Number(user[3]) === gid).map((user) => Number(user[2]));
  for (const name of lines.flatMap((line) => (line[3] ?? "").split(","))) {
    if (name === "") continue;
    const user = findNamed(name, "user");
    if (user === null) return null;
    found.push(user.id);
  }
  return found;
}

function linesOf(path: string): string[][] {
  const text = resultOrNull(() => readText(path)) ?? "";
  return text.split("\n").filter((line) => line.includes(":"))
    .map((line) => line.split(":"));
}

/** For messages, which a name service that fails must not keep back. */
function nameOf(id: number, kind: AccountKind): string {
  return resultOrNull(() => findNumbered(id, kind))?.name ?? String(id);
}

interface Account {
  readonly name: string;
  readonly id: number;
  /** The own group of a user. */
  readonly group: number;
}

function findNamed(name: string, kind: AccountKind): Account | null {
  const { getpwnam_r, getgrnam_r } = libc();
  const call = kind === "user" ? getpwnam_r : getgrnam_r;
  const key = cString(name);
  return find(`${kind} ${name}`, (...out) => call(key, ...out));
}

function findNumbered(id: number, kind: AccountKind): Account | null {
  const { getpwuid_r, getgrgid_r } = libc();
  const call = kind === "user" ? getpwuid_r : getgrgid_r;
  return find(`${kind} ${id}`, (...out) => call(id, ...out));
}

/** Where such a call writes: the struct, its texts, and a pointer to the struct. */
type Results = [
  struct: Uint8Array<ArrayBuffer>,
  texts: Uint8Array<ArrayBuffer>,
  textBytes: bigint,
  found: BigUint64Array<ArrayBuffer>,
];

function find(what: string, call: (...out: Results) => number): Account | null {
  const struct = new Uint8Array(STRUCT_BYTES);
  const found = new BigUint64Array(1);
  let size = TEXT_BYTES;
  for (;;) {
    const texts = new Uint8Array(size);
    const error = call(struct, texts, BigInt(size), found);
    if (error === ERRNO.ERANGE && size < TEXT_BYTES_MAX) {
      size *= 4;
      continue;
    }
    if (error !== 0 && !NOT_FOUND.has(error)) throw lookupError(what, error);
    if (error !== 0 || found[0] === 0n) return null;
    const view = new DataView(struct.buffer);
    const name = textAt(
      Deno.UnsafePointer.create(view.getBigUint64(NAME, true)),
    ) ?? "";
    // The name lies in it, so it has to live until here.
    void texts.byteLength;
    const id = view.getUint32(ID, true);
    return { name, id, group: view.getUint32(PW_GID, true) };
  }
}

function lookupError(what: string, error: number): SystemError {
  return new SystemError({
    call: "getpwnam_r",
    action: `look up ${what}`,
    errno: error,
    advice: "see nsswitch.conf(5), or give a number",
  });
}

function databaseOf(kind: AccountKind): string {
  return kind === "user" ? "passwd" : "group";
}
