/**
 * Archives as trees: files that are read only, by ranges.
 *
 * @module
 */
import { UserError } from "../../base/user_error.ts";
import type { FileSystem } from "../../filesystem/file_system.ts";
import {
  closeDescriptor,
  OPEN,
  openDescriptor,
} from "../../linux/syscall/descriptor.ts";
import { BufferPointers } from "../../linux/syscall/ffi_values.ts";
import { errno, libc } from "../../linux/syscall/libc.ts";
import { statxDescriptor } from "../../linux/syscall/statx.ts";
import { SystemError } from "../../linux/syscall/system_error.ts";
import type { MirrorMountOptions } from "../../session/mount_mirror.ts";
import type { Session } from "../../session/session.ts";
import type { ByteSource } from "../../trees/byte_source.ts";
import { mountTree } from "./mount_tree.ts";

/** Mounts a ZIP archive, which this thread serves. */
export function mountZip(
  path: string,
  mountpoint: string,
  options: MirrorMountOptions,
): Promise<Session> {
  return mountArchive(path, mountpoint, options, async (source) => {
    const { fromZip } = await import("../../trees/zip/mod.ts");
    return await fromZip(source);
  });
}

/** Mounts a tar archive, which this thread serves. */
export function mountTar(
  path: string,
  mountpoint: string,
  options: MirrorMountOptions,
): Promise<Session> {
  return mountArchive(path, mountpoint, options, async (source) => {
    const { fromTar } = await import("../../trees/tar/mod.ts");
    return await fromTar(source);
  });
}

/** Mounts an archive; its file stays open as long as it is mounted. */
async function mountArchive<N extends object, H>(
  path: string,
  mountpoint: string,
  options: MirrorMountOptions,
  read: (source: ByteSource) => Promise<FileSystem<N, H>>,
): Promise<Session> {
  using undo = new DisposableStack();
  const source = undo.use(new ArchiveFile(path));
  const fs = await read(source).catch((error) => {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`Cannot mount ${path}: ${error.message}`, {
      cause: error,
    });
  });
  const session = await mountTree(fs, path, mountpoint, options);
  undo.move();
  void session.closed.then(() => source[Symbol.dispose]());
  return session;
}

/** A file of this machine that is read at any offset. */
class ArchiveFile implements ByteSource, Disposable {
  readonly size: number;
  readonly #path: string;
  readonly #fd: number;
  readonly #pointers: BufferPointers = new BufferPointers();

  constructor(path: string) {
    this.#path = path;
    this.#fd = openDescriptor(path, OPEN.RDONLY | OPEN.NONBLOCK);
    const status = statxDescriptor(this.#fd);
    const isFile = typeof status !== "number" && status.kind === "file";
    if (!isFile) {
      closeDescriptor(this.#fd);
      throw new UserError(`Cannot mount ${path}: it is not a plain file`);
    }
    this.size = status.size;
  }

  read(into: Uint8Array, offset: number): number {
    const pointer = this.#pointers.of(into);
    const length = BigInt(into.byteLength);
    const read = libc().pread(this.#fd, pointer, length, BigInt(offset));
    if (read >= 0) return read;
    throw new SystemError({
      call: "pread",
      action: `read ${this.#path}`,
      errno: errno(),
    });
  }

  [Symbol.dispose](): void {
    closeDescriptor(this.#fd);
  }
}
