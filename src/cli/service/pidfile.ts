import { ERRNO } from "../../base/errno.ts";
import { UserError } from "../../base/user_error.ts";
import { closeDescriptor, OPEN } from "../../linux/syscall/descriptor.ts";
import {
  conflictingLock,
  LOCK_TYPE,
  setFileLock,
} from "../../linux/syscall/file_lock.ts";
import { othersCanWrite } from "../../linux/syscall/path_safety.ts";
import type { DirectoryEntry } from "../../linux/syscall/directory_entry.ts";
import { findEntry } from "../../linux/syscall/path_walk.ts";
import { type FileStatus, statxDescriptor } from "../../linux/syscall/statx.ts";
import { libc } from "../../linux/syscall/libc.ts";
import { modeMask } from "../../linux/syscall/process.ts";
import { SystemError } from "../../linux/syscall/system_error.ts";
import { readStart, writeText } from "../../linux/syscall/text_file.ts";

/** More than the digits of any process id. */
const LONGEST_TEXT = 32;
const WHOLE_FILE = { start: 0, length: 0 } as const;
// Until this process has locked the file, no other user can open and lock it.
const MODE_AT_FIRST = 0o600;
const MODE = 0o644;

/**
 * A file with this process's id, for scripts and service managers.
 *
 * Its process keeps it locked, as QEMU does (qemu_write_pidfile()): a file
 * without a lock was left by a process that has died, even if another process
 * has the same number by now.
 */
export class Pidfile {
  readonly #path: string;
  readonly #entry: DirectoryEntry;
  /** A file that a dead process left; locked, so that one start replaces it. */
  #stale: number | null;
  /** The file that was written. */
  #own: number | null = null;

  /**
   * Checks the path and a file that is there; writes nothing yet.
   *
   * @param path The path of the file.
   * @param insecurePath Whether other users may change a part of the path.
   * @throws {UserError} If it must not be replaced, or other users can change
   * the path.
   */
  constructor(path: string, insecurePath: boolean = false) {
    this.#path = path;
    const action = `use ${path} as the pidfile`;
    this.#entry = findEntry(path, { action, insecurePath });
    try {
      this.#stale = openStale(this.#entry, path);
    } catch (error) {
      this.#entry.close();
      throw error;
    }
  }

  /**
   * Writes the file; replaces one whose process has died.
   *
   * @throws {UserError} If it cannot be written, or has been made meanwhile.
   */
  write(): void {
    if (this.#stale !== null) this.#replaceStale(this.#stale);
    const fd = this.#create();
    try {
      if (setFileLock(fd, LOCK_TYPE.WRITE, WHOLE_FILE) < 0) {
        throw refusal(
          this.#path,
          "its file system has no locks; choose a file on another one",
        );
      }
      writeText(fd, `${Deno.pid}\n`, this.#path);
      // As far as it is possible: some file systems have no modes.
      libc().fchmod(fd, MODE & ~modeMask());
      this.#own = fd;
    } catch (error) {
      if (this.#entry.leadsTo(fd)) this.#entry.remove();
      closeDescriptor(fd);
      throw error;
    }
  }

  /** Removes the file, unless it has been replaced or changed. */
  remove(): void {
    const own = this.#own;
    if (own !== null) {
      const isOurs = this.#entry.leadsTo(own) &&
        readStart(own, LONGEST_TEXT, this.#path) === `${Deno.pid}\n`;
      if (isOurs) this.#entry.remove();
    }
    this.close();
  }

  /** Leaves the file as it is. */
  close(): void {
    for (const fd of [this.#own, this.#stale]) {
      if (fd !== null) closeDescriptor(fd);
    }
    this.#own = this.#stale = null;
    this.#entry.close();
  }

  /** Removes the stale file, unless another start has replaced it meanwhile. */
  #replaceStale(stale: number): void {
    if (this.#entry.leadsTo(stale)) this.#entry.remove();
    closeDescriptor(stale);
    this.#stale = null;
  }

  #create(): number {
    const flags = OPEN.RDWR | OPEN.CREAT | OPEN.EXCL;
    return this.#entry.open(flags, {
      mode: MODE_AT_FIRST,
      label: `the pidfile ${this.#path}`,
      advice: (error) =>
        error === ERRNO.EEXIST
          ? "another process has just made it; end that process or choose another file"
          : undefined,
    });
  }
}

/**
 * Opens and locks a file that a dead process left.
 *
 * @returns `null` if there is no file.
 * @throws {UserError} If it must not be replaced.
 */
function openStale(entry: DirectoryEntry, path: string): number | null {
  const fd = openExisting(entry, path);
  if (fd === null) return null;
  try {
    const status = statxDescriptor(fd);
    if (typeof status === "number" || status.kind !== "file") {
      throw notPlain(path);
    }
    const text = readStart(fd, LONGEST_TEXT, path).trim();
    if (status.size > LONGEST_TEXT || !/^\d{0,10}$/.test(text)) {
      throw refusal(
        path,
        "it exists and holds no process id; remove it or choose another",
      );
    }
    if (isHeld(fd, status)) {
      const who = text === "" ? "another process" : `process ${text}`;
      throw refusal(
        path,
        `${who} uses it; end that process or choose another file`,
      );
    }
    return fd;
  } catch (error) {
    closeDescriptor(fd);
    throw error;
  }
}

function openExisting(entry: DirectoryEntry, path: string): number | null {
  try {
    // Without waiting for the other end of a named pipe.
    return entry.open(OPEN.RDWR | OPEN.NONBLOCK | OPEN.NOCTTY, {
      label: `the pidfile ${path}`,
    });
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    if (error.errno === ERRNO.ENOENT) return null;
    throw NOT_PLAIN.has(error.errno) ? notPlain(path) : error;
  }
}

/** What open(2) returns for a link, a directory, a socket, a device. */
const NOT_PLAIN: ReadonlySet<number> = new Set([
  ERRNO.ELOOP,
  ERRNO.EISDIR,
  ERRNO.ENXIO,
  ERRNO.ENODEV,
]);

/** Whether a live process keeps the file locked; takes the lock otherwise. */
function isHeld(fd: number, status: FileStatus): boolean {
  const result = setFileLock(fd, LOCK_TYPE.WRITE, WHOLE_FILE);
  if (result !== -ERRNO.EAGAIN || othersCanWrite(status)) return false;
  // Any user who may read the file may set a read lock, but not while the
  // process that wrote it holds its write lock. So a read lock is no sign of it.
  return conflictingLock(fd, LOCK_TYPE.WRITE, WHOLE_FILE) !== LOCK_TYPE.READ;
}

function notPlain(path: string): UserError {
  return refusal(path, "it exists and is not a plain file; choose another");
}

function refusal(path: string, reason: string): UserError {
  return new UserError(`Cannot use ${path} as the pidfile: ${reason}`);
}
