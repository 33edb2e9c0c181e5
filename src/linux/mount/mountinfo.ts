/**
 * What is mounted where: /proc/self/mountinfo, proc_pid_mountinfo(5).
 *
 * @module
 */

import { readText } from "../syscall/text_file.ts";

/** The file system type of this program's mounts; `fuse.` and the subtype. */
export const OWN_TYPE = "fuse.mqfuse";

/** One line of /proc/self/mountinfo. */
export interface Mount {
  /** The mount's number, unique while it lasts. */
  readonly id: number;
  /** The number of the mount that it lies on. */
  readonly parent: number;
  /** Major number of the file system's `st_dev`; 0 for FUSE. */
  readonly major: number;
  /** Minor number of `st_dev`; for FUSE the connection's number. */
  readonly minor: number;
  /** Where it lies, absolute, seen from this process's root. */
  readonly mountPoint: string;
  /** File system type, with the subtype: `ext4`, `fuse.mqfuse`. */
  readonly type: string;
  /** What it was mounted from: a device, or what the server calls it. */
  readonly source: string;
}

/**
 * The mounts that this process sees, in the kernel's order.
 *
 * @throws {SystemError} If /proc is not mounted.
 */
export function readMounts(): Mount[] {
  return parseMountinfo(readText("/proc/self/mountinfo"));
}

/**
 * Takes the text of a mountinfo file apart.
 *
 * @param text The whole file; lines that have not its form are left out.
 */
export function parseMountinfo(text: string): Mount[] {
  return text.split("\n").flatMap(parseLine);
}

/**
 * The topmost mount whose mount point is a path: the one that opening the path
 * leads to. A mount hidden by another on a directory above does not count.
 *
 * @param path An absolute path without symbolic links in its directories.
 * @param mounts The mounts to search; those of this process.
 * @returns `null` if nothing is mounted at the very path.
 */
export function findMount(
  path: string,
  mounts: readonly Mount[] = readMounts(),
): Mount | null {
  let current = rootOf(mounts);
  for (const prefix of prefixesOf(path)) {
    for (;;) {
      const above = mounts.find((mount) =>
        mount.parent === current?.id && mount.mountPoint === prefix &&
        mount !== current
      );
      if (above === undefined) break;
      current = above;
    }
  }
  return current?.mountPoint === path ? current : null;
}

function rootOf(mounts: readonly Mount[]): Mount | undefined {
  const ids = new Set(mounts.map((mount) => mount.id));
  return mounts.find((mount) =>
    mount.mountPoint === "/" &&
    (!ids.has(mount.parent) || mount.parent === mount.id)
  );
}

function prefixesOf(path: string): string[] {
  const prefixes = ["/"];
  for (let at = path.indexOf("/", 1); at > 0; at = path.indexOf("/", at + 1)) {
    prefixes.push(path.slice(0, at));
  }
  if (path !== "/") prefixes.push(path);
  return prefixes;
}

// 36 35 98:0 /root /point rw,noatime shared:1 - ext4 /dev/sda rw,errors=remount-ro
// with any number of optional fields before the hyphen.
function parseLine(line: string): Mount[] {
  const fields = line.split(" ");
  const hyphen = fields.indexOf("-", 6);
  const device = /^(\d+):(\d+)$/.exec(fields[2] ?? "");
  const type = fields[hyphen + 1];
  if (hyphen < 0 || device === null || type === undefined) return [];
  return [{
    id: Number(fields[0]),
    parent: Number(fields[1]),
    major: Number(device[1]),
    minor: Number(device[2]),
    mountPoint: unescape(fields[4] ?? ""),
    type: unescape(type),
    source: unescape(fields[hyphen + 2] ?? ""),
  }];
}

// The kernel writes space, tab, newline, backslash and # as \ooo, each one
// byte of ASCII: seq_escape of show_mountinfo().
function unescape(field: string): string {
  return field.replace(
    /\\([0-7]{3})/g,
    (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
