/**
 * Limits on the number of threads that are no resource limits of a process: those
 * of its cgroups and of the whole system.
 *
 * @module
 */

import { resultOrNull } from "./system_error.ts";
import { readText } from "./text_file.ts";

/** A limit on threads that has been reached. */
export interface TaskLimit {
  /** The file that holds it. */
  readonly path: string;
  /** Its value. */
  readonly max: number;
}

/**
 * The cgroup whose `pids.max` allows this process no further thread: its own or
 * one above it.
 *
 * @returns `null` if no cgroup that can be read is full.
 */
export function fullCgroup(): TaskLimit | null {
  const groups = resultOrNull(() => readText("/proc/self/cgroup")) ?? "";
  const mounts = resultOrNull(() => readText("/proc/self/mountinfo")) ?? "";
  const group = groupPath(groups);
  if (group === null) return null;
  const root = pidsRoot(mounts, group.version);
  if (root === null) return null;
  for (let path = group.path; path !== ""; path = parentOf(path)) {
    const directory = `${root}${path === "/" ? "" : path}`;
    const max = numberIn(`${directory}/pids.max`);
    const current = numberIn(`${directory}/pids.current`);
    if (max !== null && current !== null && current >= max) {
      return { path: `${directory}/pids.max`, max };
    }
  }
  return null;
}

/**
 * `kernel.threads-max`: the most threads of the whole system.
 *
 * @throws {SystemError} If /proc is not mounted.
 */
export function threadsMax(): { readonly max: number } {
  return { max: Number(readText("/proc/sys/kernel/threads-max")) };
}

/**
 * The path of the cgroup that limits threads: of the controller `pids` of
 * version 1, or of version 2.
 */
function groupPath(text: string): { version: 1 | 2; path: string } | null {
  const first = /^\d+:(?:[^:]*,)?pids(?:,[^:]*)?:(.*)$/m.exec(text);
  if (first !== null) return { version: 1, path: first[1]! };
  const second = /^0::(.*)$/m.exec(text);
  return second === null ? null : { version: 2, path: second[1]! };
}

/** Where cgroups are mounted; `null` if they are not. */
function pidsRoot(mountinfo: string, version: 1 | 2): string | null {
  for (const line of mountinfo.split("\n")) {
    const [left = "", right = ""] = line.split(" - ");
    const [type, , options = ""] = right.split(" ");
    const matches = version === 2
      ? type === "cgroup2"
      : type === "cgroup" && options.split(",").includes("pids");
    if (matches) return left.split(" ")[4] ?? null;
  }
  return null;
}

/** The cgroup above one; "" above the root. */
function parentOf(path: string): string {
  if (path === "/") return "";
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

/** The number in a file; `null` if there is none, such as in "max". */
function numberIn(path: string): number | null {
  const text = resultOrNull(() => readText(path).trim());
  return text !== null && /^\d+$/.test(text) ? Number(text) : null;
}
