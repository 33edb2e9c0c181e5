import { UserError } from "../../base/user_error.ts";
import type { FileSystem } from "../../filesystem/file_system.ts";
import { NodeFileSystem } from "./node_file_system.ts";
import type { NodeFsPromises } from "./node_fs.ts";

/**
 * Options of {@linkcode fromNodeFs}.
 *
 * @category Trees
 */
export interface NodeFsOptions {
  /** The path of the directory that is shown; `/` if left out. */
  readonly root?: string;
}

/** What a method of a file system needs of the object, all or one of a list. */
const NEEDED: readonly (readonly [
  method: keyof FileSystem<object>,
  ...needs: readonly (readonly (keyof NodeFsPromises)[])[],
])[] = [
  ["readlink", ["readlink"]],
  ["setattr", ["truncate", "chmod", "chown", "lchown", "utimes", "lutimes"]],
  ["create", ["open"]],
  ["mknod", ["open"]],
  ["write", ["open"]],
  ["mkdir", ["mkdir"]],
  ["symlink", ["symlink"]],
  ["link", ["link"]],
  ["unlink", ["unlink"]],
  ["rmdir", ["rmdir"]],
  ["rename", ["rename"]],
  ["statfs", ["statfs"]],
];

/**
 * Any object like `node:fs/promises` as a file system: `node:fs` itself, memfs,
 * `@zenfs/core`, a unionfs, or your own. Methods that it lacks fail as programs
 * expect; it must have `lstat()`, `readdir()`, and `open()` or `readFile()`.
 *
 * - Nodes are found by path. What is renamed or removed through the mount while
 *   it is open stays reachable, if the object's own open files do.
 * - New files get the mode that the program asks for; the umask of this process
 *   has no effect. They belong to the program's user, if this process may give
 *   files away.
 * - What such objects cannot do: extended attributes, devices and FIFOs, holes,
 *   exchanging two names, names that are not UTF-8 (EILSEQ), and times that are
 *   more exact than a number of seconds can tell, 0.3 microseconds at present.
 *
 * Faults of libraries show through. memfs 4.80 does not let a directory be
 * removed in which a rename has replaced a file (ENOTEMPTY), and its chown()
 * changes the time of modification. `@zenfs/core` 2.7 in memory loses the data of
 * files that are removed or replaced while they are open, and shows old bytes
 * where a file was truncated and written again; it refuses to replace an empty
 * directory, keeps no times before 1970, and takes a backslash for a slash.
 * Deno's `node:fs` sets times to milliseconds, and none before 1970.
 *
 * @example A directory of the host, by `node:fs`
 * ```ts ignore
 * import fs from "node:fs";
 * import { fromNodeFs, mountFileSystem } from "@mqfuse/mqfuse/fs";
 *
 * const tree = fromNodeFs(fs, { root: "/srv/data" });
 * await mountFileSystem(tree, "mnt", { signals: true });
 * ```
 *
 * @example An object with a few methods of its own
 * ```ts
 * import { fromNodeFs } from "@mqfuse/mqfuse/fs";
 * import { S_IF } from "@mqfuse/mqfuse/protocol";
 * import { simulate } from "@mqfuse/mqfuse/sim";
 * import { assertEquals } from "@std/assert";
 *
 * const fs = fromNodeFs({
 *   lstat: (path: string) =>
 *     Promise.resolve({
 *       mode: path === "/" ? S_IF.DIR | 0o755 : S_IF.REG | 0o444,
 *       size: path.length,
 *     }),
 *   readdir: () => Promise.resolve(["a"]),
 *   readFile: (path: string) => Promise.resolve(new TextEncoder().encode(path)),
 * });
 *
 * await using simulation = await simulate(fs);
 * const opened = await simulation.client().open("any");
 * const bytes = new Uint8Array(10);
 * assertEquals(await opened.pread(bytes, 0), 4);
 * await opened.close();
 * ```
 *
 * @param fs The object, or one that has it as `promises`.
 * @throws {UserError} If it lacks what cannot be done without.
 * @category Trees
 */
export function fromNodeFs(
  fs: object,
  options: NodeFsOptions = {},
): FileSystem<object> {
  const promises = promisesOf(fs);
  const made = new NodeFileSystem(promises, rootOf(options.root ?? "/"));
  for (const [method, ...needs] of NEEDED) {
    const isThere = needs.every((names) =>
      names.some((name) => has(promises, name))
    );
    if (!isThere) Object.defineProperty(made, method, { value: undefined });
  }
  return made as unknown as FileSystem<object>;
}

function promisesOf(fs: object): NodeFsPromises {
  const promises = (fs as { promises?: object }).promises ?? fs;
  const candidate = promises as NodeFsPromises;
  const isEnough = has(candidate, "lstat") && has(candidate, "readdir") &&
    (has(candidate, "open") || has(candidate, "readFile"));
  if (isEnough) return candidate;
  throw new UserError(
    "Cannot use the object as a file system: it needs lstat(), readdir(), and " +
      "open() or readFile(), which return promises, as node:fs/promises has them",
  );
}

function has(fs: NodeFsPromises, name: keyof NodeFsPromises): boolean {
  return typeof fs[name] === "function";
}

/** The root without slashes at its end. */
function rootOf(root: string): string {
  if (root.startsWith("/")) return root.replace(/\/+$/, "") || "/";
  throw new UserError(
    `Cannot use ${root} (root): expected a path from the root of the object`,
  );
}
