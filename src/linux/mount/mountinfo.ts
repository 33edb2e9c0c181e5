/**
 * The mounts of the system: /proc/self/mountinfo, proc_pid_mountinfo(5).
 *
 * @module
 */

import { readText } from "../syscall/text_file.ts";

/** The file system type of this program's mounts: `fuse.` and the subtype. */
export const OWN_TYPE = "fuse.mqfuse";

/** One line of /proc/self/mountinfo. */
export interface Mount {
  /** The mount's id. The kernel reuses it after the mount is gone. */
  readonly id: number;
  /** The id of the parent mount. */
  readonly parent: number;
  /** The major number of `st_dev`; 0 for FUSE. */
  readonly major: number;
  /** The minor number of `st_dev`; the connection's number for FUSE. */
  readonly minor: number;
  /** Its absolute path, relative to the root directory of this process. */
  readonly mountPoint: string;
  /** The file system type with its subtype: `ext4`, `fuse.mqfuse`. */
  readonly type: string;
  /** Its source: a device, or the name that a FUSE server gives. */
  readonly source: string;
}

/**
 * Reads the mounts that this process sees, in the kernel's order.
 *
 * @throws {SystemError} If /proc is not mounted.
 */
export function readMounts(): Mount[] {
  return parseMountinfo(readText("/proc/self/mountinfo"));
}

/**
 * Parses a mountinfo file.
 *
 * @param text The whole file. Malformed lines are skipped.
 */
export function parseMountinfo(text: string): Mount[] {
  return text.split("\n").flatMap(parseLine);
}

/**
 * Finds the topmost mount at a path: the one that a program reaches by it. Mounts
 * hidden by another mount on a parent directory are ignored.
 *
 * @param path An absolute path without symbolic links in its directories.
 * @param mounts The mounts to search, those of this process by default.
 * @returns `null` if nothing is mounted at exactly this path.
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

// The kernel escapes space, tab, newline, backslash and # as \ooo:
// show_mountinfo() of fs/proc_namespace.c.
function unescape(field: string): string {
  return field.replace(
    /\\([0-7]{3})/g,
    (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
