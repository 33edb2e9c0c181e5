/**
 * The names of users and groups: passwd(5) and group(5). Accounts that only a
 * name service knows are shown by their number.
 *
 * @module
 */

import { resultOrNull } from "./system_error.ts";
import { readText } from "./text_file.ts";

/**
 * The name of a user.
 *
 * @param uid The number of the user.
 * @returns The number as text if it has no name.
 */
export function userName(uid: number): string {
  return users().find((user) => user.uid === uid)?.name ?? String(uid);
}

/**
 * The name of a group.
 *
 * @param gid The number of the group.
 * @returns The number as text if it has no name.
 */
export function groupName(gid: number): string {
  return groupLines(gid)[0]?.[0] ?? String(gid);
}

/**
 * The number of a user; `null` if there is none of that name.
 */
export function userNamed(name: string): number | null {
  return users().find((user) => user.name === name)?.uid ?? null;
}

/**
 * The number of a group; `null` if there is none of that name.
 */
export function groupNamed(name: string): number | null {
  const line = linesOf("/etc/group").find((fields) => fields[0] === name);
  return line === undefined ? null : Number(line[2]);
}

/**
 * The users in a group: those whose own group it is, and those that its line of
 * /etc/group lists.
 *
 * @param gid The number of the group.
 * @returns Their numbers; `null` if they cannot all be told.
 */
export function usersInGroup(gid: number): number[] | null {
  const all = users();
  const lines = groupLines(gid);
  if (lines.length === 0) return null;
  const found = all.filter((user) => user.gid === gid).map(({ uid }) => uid);
  for (const name of lines.flatMap((line) => (line[3] ?? "").split(","))) {
    if (name === "") continue;
    const user = all.find((each) => each.name === name);
    if (user === undefined) return null;
    found.push(user.uid);
  }
  return found;
}

interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

function users(): User[] {
  return linesOf("/etc/passwd").map(([name = "", , uid, gid]) => ({
    name,
    uid: Number(uid),
    gid: Number(gid),
  }));
}

function groupLines(gid: number): string[][] {
  return linesOf("/etc/group").filter((fields) => Number(fields[2]) === gid);
}

function linesOf(path: string): string[][] {
  const text = resultOrNull(() => readText(path)) ?? "";
  return text.split("\n").filter((line) => line.includes(":"))
    .map((line) => line.split(":"));
}
