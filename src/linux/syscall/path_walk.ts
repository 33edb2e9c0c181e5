/**
 * Looking a path up once, directory by directory, and using descriptors from
 * then on: a path that is looked up twice may lead to two files.
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";
import { PATH_MAX } from "../../base/limits.ts";
import {
  closeDescriptor,
  OPEN,
  openDescriptor,
  pathOfDescriptor,
} from "./descriptor.ts";
import { DirectoryEntry } from "./directory_entry.ts";
import { cString, textOf } from "./ffi_values.ts";
import { errno, libc } from "./libc.ts";
import { findWeakness, type Weakness, weaknessError } from "./path_safety.ts";
import { readLink } from "./paths.ts";
import { AT, type FileStatus, statxDescriptor } from "./statx.ts";
import { SystemError } from "./system_error.ts";

/** The most symbolic links on a path: MAXSYMLINKS of the kernel. */
const LINKS_MAX = 40;
const PROC_SUPER_MAGIC = 0x9fa0;
const STRUCT_STATFS_SIZE = 120;

/** How a path is looked up. */
export interface PathRules {
  /** What is being done, for refusals: follows "Cannot". */
  readonly action: string;
  /**
   * The same for failed system calls; if left out, finding the directory of the
   * path.
   */
  readonly opening?: string;
  /**
   * Whether to accept parts of the path that other users can change, no if left
   * out. A symbolic link that they can change is never followed.
   */
  readonly insecurePath?: boolean | undefined;
  /** Whether to follow a symbolic link that is the last part; no if left out. */
  readonly follow?: boolean;
  /** What to do about an error number of openat(2). */
  readonly advice?: (errno: number) => string | undefined;
}

/**
 * Finds an entry of a directory by its path. Each directory on the path is
 * opened once, relative to the one before it; each part is refused if other
 * users can change it, unless the rules accept that. No file is opened, so that
 * no server of a file system that is mounted at the path is involved.
 *
 * @param path A path; the entry need not exist, its directory must.
 * @param rules How to look it up.
 * @throws {SystemError} EPERM if other users can change a part of the path;
 * ELOOP for too many symbolic links, or one that other users can change; ENOENT,
 * ENOTDIR, EACCES.
 */
export function findEntry(path: string, rules: PathRules): DirectoryEntry {
  if (path === "") throw lookupError(path, rules, ERRNO.ENOENT);
  const start = path.startsWith("/") ? "" : readLink("/proc/self/cwd");
  const walk = new Walk(path, rules);
  try {
    return walk.find(partsOf(`${start}/${path}`));
  } catch (error) {
    walk.close();
    throw error;
  }
}

/** A look-up under way: the directory that it has reached. */
class Walk {
  readonly #path: string;
  readonly #rules: PathRules;
  #fd: number;
  #links = 0;
  #followed = false;
  /** Whether the last part was a link of /proc/PID. */
  #jumped = false;

  constructor(path: string, rules: PathRules) {
    this.#path = path;
    this.#rules = rules;
    this.#fd = openDescriptor("/", OPEN.PATH | OPEN.DIRECTORY);
  }

  /** Closes the directory. */
  close(): void {
    closeDescriptor(this.#fd);
  }

  find(path: readonly string[]): DirectoryEntry {
    let parts = path;
    for (;;) {
      const [part, ...rest] = parts;
      if (part === undefined) return this.#itself();
      const isLast = rest.length === 0;
      if (part === "..") {
        this.#enter(this.#open(part, OPEN.DIRECTORY));
        parts = rest;
        continue;
      }
      this.#jumped = false;
      const found = this.#look(part, isLast);
      if (found === null) return this.#entry(part, null);
      const { fd, link } = found;
      if (link !== null) {
        if (isLast) this.#followed = true;
        parts = [...partsOf(link), ...rest];
        if (link.startsWith("/")) this.#enter(openDescriptor("/", OPEN.PATH));
      } else if (isLast) {
        return this.#entry(part, fd);
      } else {
        this.#enter(fd);
        parts = rest;
      }
    }
  }

  #entry(name: string, fd: number | null): DirectoryEntry {
    const directory = this.#fd;
    const parent = readLink(pathOfDescriptor(directory));
    const path = this.#jumped && fd !== null
      ? readLink(pathOfDescriptor(fd))
      : name === "."
      ? parent
      : join(parent, name);
    const followed = this.#followed;
    return new DirectoryEntry({ directory, name, fd, path, followed });
  }

  /** The directory itself, as an entry of the one above it. */
  #itself(): DirectoryEntry {
    const path = readLink(pathOfDescriptor(this.#fd));
    if (path === "/") {
      return this.#entry(".", openDescriptor(path, OPEN.PATH));
    }
    // A path of names only, without links.
    this.#enter(openDescriptor("/", OPEN.PATH | OPEN.DIRECTORY));
    return this.find(partsOf(path));
  }

  /**
   * Opens and checks an entry.
   *
   * @returns `null` if it does not exist and need not; `link` is the target of
   * a symbolic link to follow, whose descriptor is closed then.
   */
  #look(
    name: string,
    isLast: boolean,
  ): { fd: number; link: string | null } | null {
    const fd = this.#openEntry(name, isLast);
    try {
      const status = fd === null
        ? null
        : statxDescriptor(fd, AT.NO_AUTOMOUNT | AT.STATX_DONT_SYNC);
      // A server of FUSE that does not let this user in. While it is mounted,
      // the entry cannot be renamed.
      if (typeof status === "number") return { fd: fd!, link: null };
      const isLink = status?.kind === "symlink" &&
        (!isLast || this.#rules.follow === true);
      this.#check(name, status, isLink);
      if (fd === null) return null;
      return isLink ? this.#follow(name, fd) : { fd, link: null };
    } catch (error) {
      if (fd !== null) closeDescriptor(fd);
      throw error;
    }
  }

  #openEntry(name: string, isLast: boolean): number | null {
    const { openat } = libc();
    const flags = OPEN.PATH | OPEN.NOFOLLOW | OPEN.CLOEXEC;
    const bytes = cString(name);
    // O_DIRECTORY makes an automounter mount what belongs there.
    let fd = isLast ? -1 : openat(this.#fd, bytes, flags | OPEN.DIRECTORY, 0);
    if (isLast || fd < 0 && errno() === ERRNO.ENOTDIR) {
      fd = openat(this.#fd, bytes, flags, 0);
    }
    if (fd >= 0) return fd;
    const error = errno();
    if (isLast && error === ERRNO.ENOENT) return null;
    throw this.#error(error);
  }

  #check(name: string, entry: FileStatus | null, isLink: boolean): void {
    const status = statxDescriptor(this.#fd, AT.STATX_DONT_SYNC);
    if (typeof status === "number") throw this.#error(-status);
    const weakness = findWeakness({ fd: this.#fd, status }, name, entry);
    if (weakness === null) return;
    const { action, insecurePath = false } = this.#rules;
    if (!insecurePath) throw weaknessError(action, weakness);
    if (isLink) throw weaknessError(action, linkWeakness(weakness));
  }

  #follow(name: string, fd: number): { fd: number; link: string | null } {
    if (++this.#links > LINKS_MAX) throw this.#error(ERRNO.ELOOP);
    // What a link of /proc/PID leads to need not have the path that it shows.
    if (isProc(this.#fd)) {
      const target = this.#open(name, 0);
      this.#jumped = true;
      closeDescriptor(fd);
      return { fd: target, link: null };
    }
    const link = readLinkAt(fd);
    if (link === null) throw this.#error(errno());
    closeDescriptor(fd);
    return { fd: -1, link };
  }

  #open(name: string, flags: number): number {
    const fd = libc().openat(
      this.#fd,
      cString(name),
      flags | OPEN.PATH | OPEN.CLOEXEC,
      0,
    );
    if (fd < 0) throw this.#error(errno());
    return fd;
  }

  #error(error: number): SystemError {
    return lookupError(this.#path, this.#rules, error);
  }

  #enter(fd: number): void {
    closeDescriptor(this.#fd);
    this.#fd = fd;
  }
}

function partsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

function join(directory: string, name: string): string {
  return directory === "/" ? `/${name}` : `${directory}/${name}`;
}

function linkWeakness({ reason }: Weakness): Weakness {
  return {
    reason: `${reason}, and it is a symbolic link, which may lead anywhere`,
    advice: "give the path that the link leads to",
  };
}

function lookupError(
  path: string,
  { opening, advice }: PathRules,
  error: number,
): SystemError {
  return new SystemError({
    call: "openat",
    action: opening ?? `find the directory of ${path}`,
    errno: error,
    advice: advice?.(error) ?? adviceOnLookup(error),
  });
}

function adviceOnLookup(error: number): string | undefined {
  switch (error) {
    case ERRNO.ENOENT:
      return "check the path, or create the directory with 'mkdir -p'";
    case ERRNO.EACCES:
      return "grant this user the permission to search its directories, or run as a user who has it";
    default:
      return undefined;
  }
}

function isProc(fd: number): boolean {
  const status = new DataView(new ArrayBuffer(STRUCT_STATFS_SIZE));
  return libc().fstatfs(fd, status) === 0 &&
    status.getUint32(0, true) === PROC_SUPER_MAGIC;
}

function readLinkAt(fd: number): string | null {
  const target = new Uint8Array(PATH_MAX);
  const size = BigInt(target.byteLength);
  const length = libc().readlinkat(fd, cString(""), target, size);
  return length < 0 ? null : textOf(target, length);
}
