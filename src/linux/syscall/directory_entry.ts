/**
 * An entry of a directory: what a path led to when it was looked up, used by
 * descriptors.
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";
import {
  closeDescriptor,
  OPEN,
  openDescriptor,
  type OpenOptions,
} from "./descriptor.ts";
import { cString } from "./ffi_values.ts";
import { errno, libc } from "./libc.ts";
import { AT, statxDescriptor } from "./statx.ts";
import { SystemError } from "./system_error.ts";

type EntryParts = "directory" | "name" | "fd" | "path" | "followed";

/** An entry of a directory, which was found by its path. */
export class DirectoryEntry implements Disposable {
  /** An O_PATH descriptor of the directory. */
  readonly directory: number;
  /** The name in that directory; "." for the root directory itself. */
  readonly name: string;
  /** An O_PATH descriptor of the file when it was found; `null` for none. */
  readonly fd: number | null;
  /** The absolute path, without symbolic links. */
  readonly path: string;
  /** Whether a symbolic link that was the last part has been followed. */
  readonly followed: boolean;
  #closed = false;

  /** Wraps descriptors, and closes them. */
  constructor(parts: Pick<DirectoryEntry, EntryParts>) {
    this.directory = parts.directory;
    this.name = parts.name;
    this.fd = parts.fd;
    this.path = parts.path;
    this.followed = parts.followed;
  }

  /**
   * Opens the file that has this name now. A symbolic link is not followed.
   *
   * @param flags Flags of open(2).
   * @throws {SystemError} With the errno of openat.
   */
  open(flags: number, options: Omit<OpenOptions, "directory"> = {}): number {
    return openDescriptor(this.name, flags | OPEN.NOFOLLOW, {
      label: this.path,
      ...options,
      directory: this.directory,
    });
  }

  /** Whether the name stands for the file that a descriptor is open on. */
  leadsTo(fd: number): boolean {
    const now = this.#handle();
    if (now === null) return false;
    try {
      const [one, other] = [now, fd].map((each) =>
        statxDescriptor(each, AT.STATX_DONT_SYNC)
      );
      return typeof one === "object" && typeof other === "object" &&
        one.inode === other.inode && one.device === other.device;
    } finally {
      closeDescriptor(now);
    }
  }

  /**
   * Removes the name: unlinkat(2).
   *
   * @returns False if there was none.
   * @throws {SystemError} With any errno of unlinkat but ENOENT.
   */
  remove(): boolean {
    if (libc().unlinkat(this.directory, cString(this.name), 0) === 0) {
      return true;
    }
    const error = errno();
    if (error === ERRNO.ENOENT) return false;
    const action = `remove ${this.path}`;
    throw new SystemError({ call: "unlinkat", action, errno: error });
  }

  /** Closes the descriptors. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeDescriptor(this.directory);
    if (this.fd !== null) closeDescriptor(this.fd);
  }

  /** Closes the descriptors. */
  [Symbol.dispose](): void {
    this.close();
  }

  #handle(): number | null {
    const name = cString(this.name);
    const flags = OPEN.PATH | OPEN.NOFOLLOW | OPEN.CLOEXEC;
    const fd = libc().openat(this.directory, name, flags, 0);
    return fd < 0 ? null : fd;
  }
}
