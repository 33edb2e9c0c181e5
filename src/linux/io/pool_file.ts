/**
 * Files of this process's own mounts.
 *
 * Whoever waits for a file system that the same process serves must not hold
 * up a thread that the serving needs: each call waits in a thread of Deno's
 * pool.
 *
 * @module
 */

import { cString, pointerOf } from "../syscall/ffi_values.ts";
import { UserError } from "../../base/user_error.ts";
import { AT_FDCWD, OPEN } from "../syscall/descriptor.ts";
import { type Libc, libc } from "../syscall/libc.ts";

/** An open file, for reading and writing. */
export class PoolFile {
  /** Its path. */
  readonly path: string;
  readonly #fd: number;
  readonly #libc: Libc = libc();

  private constructor(path: string, fd: number) {
    this.path = path;
    this.#fd = fd;
  }

  /**
   * Opens an existing file.
   *
   * @param path Its path.
   * @throws {UserError} If it cannot be opened; why is lost in the other thread.
   */
  static async open(path: string): Promise<PoolFile> {
    const name = cString(path);
    const flags = OPEN.RDWR | OPEN.CLOEXEC;
    const fd = await libc().openat_nonblocking(AT_FDCWD, name, flags, 0);
    if (fd < 0) throw new UserError(`Cannot open ${path}`);
    return new PoolFile(path, fd);
  }

  /**
   * pread(2) of a whole buffer.
   *
   * @throws {UserError} If it fails or comes to the end of the file.
   */
  async read(buffer: Uint8Array, position: number): Promise<void> {
    const { pread_nonblocking: pread } = this.#libc;
    const at = BigInt(position);
    const size = BigInt(buffer.byteLength);
    const count = await pread(this.#fd, pointerOf(buffer), size, at);
    this.#check("read", count, buffer, position);
  }

  /**
   * pwrite(2) of a whole buffer.
   *
   * @throws {UserError} If it fails or writes less.
   */
  async write(buffer: Uint8Array, position: number): Promise<void> {
    const { pwrite_nonblocking: pwrite } = this.#libc;
    const at = BigInt(position);
    const size = BigInt(buffer.byteLength);
    const count = await pwrite(this.#fd, pointerOf(buffer), size, at);
    this.#check("write", count, buffer, position);
  }

  /** close(2). */
  async close(): Promise<void> {
    await this.#libc.close_nonblocking(this.#fd);
  }

  // Its use of the buffer keeps that alive until the call has returned.
  #check(what: string, count: number, buffer: Uint8Array, at: number): void {
    if (count === buffer.byteLength) return;
    const result = count < 0 ? "it failed" : `only ${count} were done`;
    throw new UserError(
      `Cannot ${what} ${buffer.byteLength} bytes at ${at} of ${this.path}: ${result}`,
    );
  }
}
