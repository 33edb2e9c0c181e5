/**
 * Files whose system calls run in other threads.
 *
 * A process that accesses a file system that it serves itself needs them: a
 * blocked thread could not serve the request that it waits for.
 *
 * @module
 */

import { UserError } from "../../base/user_error.ts";
import { AT_FDCWD, OPEN } from "../syscall/descriptor.ts";
import { cString } from "../syscall/ffi_values.ts";
import { libc } from "../syscall/libc.ts";
import { strerror } from "../syscall/system_error.ts";
import { readInPool, writeInPool } from "./pool_calls.ts";

/** A file that is open for reading and writing. */
export class PoolFile {
  /** Its path. */
  readonly path: string;
  readonly #fd: number;

  private constructor(path: string, fd: number) {
    this.path = path;
    this.#fd = fd;
  }

  /**
   * Opens an existing file.
   *
   * @param path Its path.
   * @throws {UserError} If it cannot be opened. The errno is lost, because the
   * call runs in another thread.
   */
  static async open(path: string): Promise<PoolFile> {
    const name = cString(path);
    const flags = OPEN.RDWR | OPEN.CLOEXEC;
    const fd = await libc().openat_nonblocking(AT_FDCWD, name, flags, 0);
    if (fd < 0) throw new UserError(`Cannot open ${path}`);
    return new PoolFile(path, fd);
  }

  /**
   * Fills a whole buffer by pread(2).
   *
   * @throws {UserError} If it fails or reaches the end of the file.
   */
  async read(buffer: Uint8Array, position: number): Promise<void> {
    const count = await readInPool(this.#fd, buffer, position);
    this.#check("read", count, buffer, position);
  }

  /**
   * Writes a whole buffer by pwrite(2).
   *
   * @throws {UserError} If it fails or writes only a part.
   */
  async write(buffer: Uint8Array, position: number): Promise<void> {
    const count = await writeInPool(this.#fd, buffer, position);
    this.#check("write", count, buffer, position);
  }

  /** Closes the file. */
  async close(): Promise<void> {
    await libc().close_nonblocking(this.#fd);
  }

  #check(what: string, count: number, buffer: Uint8Array, at: number): void {
    if (count === buffer.byteLength) return;
    const result = count < 0
      ? strerror(-count)
      : `only ${count} were transferred`;
    throw new UserError(
      `Cannot ${what} ${buffer.byteLength} bytes at ${at} of ${this.path}: ${result}`,
    );
  }
}
