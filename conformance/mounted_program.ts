import { O } from "../src/base/file_flags.ts";
import { PATH_MAX } from "../src/base/limits.ts";
import { decodeName } from "../src/base/name_bytes.ts";
import { nanosecondsOf, secondsOf } from "../src/base/timespec.ts";
import { AT_FDCWD, OPEN } from "../src/linux/syscall/descriptor.ts";
import { cString } from "../src/linux/syscall/ffi_values.ts";
import { libc } from "../src/linux/syscall/libc.ts";
import { AT } from "../src/linux/syscall/statx.ts";
import { calling, checked, statusOf } from "./mounted_call.ts";
import { MountedDirectory, MountedFile } from "./mounted_file.ts";
import type { Program, Status } from "./program.ts";

// <linux/stat.h>: instead of nanoseconds.
const UTIME_NOW = 0x3fff_ffffn;
const UTIME_OMIT = 0x3fff_fffen;
const TIMESPEC_SIZE = 16;

/**
 * A program that uses a real mount. Its calls block the thread, so this must not
 * be the thread that serves the mount.
 */
export class MountedProgram implements Program {
  readonly #root: string;

  /** Starts at a directory: an absolute path, or a relative one. */
  constructor(root: string) {
    this.#root = root;
  }

  open(
    path: string,
    flags: number = O.RDONLY,
    mode: number = 0o666,
  ): Promise<MountedFile> {
    return calling(() => new MountedFile(this.#open(path, flags, mode)));
  }

  opendir(path: string): Promise<MountedDirectory> {
    const flags = O.RDONLY | OPEN.DIRECTORY;
    return calling(() => new MountedDirectory(this.#open(path, flags, 0)));
  }

  stat(path: string): Promise<Status> {
    return calling(() => statusOf(this.#path(path), 0));
  }

  lstat(path: string): Promise<Status> {
    return calling(() => statusOf(this.#path(path), AT.SYMLINK_NOFOLLOW));
  }

  async truncate(path: string, size: number): Promise<void> {
    // The same SETATTR, but open(2) says EISDIR as truncate(2) does.
    const file = await this.open(path, O.WRONLY);
    try {
      await file.ftruncate(size);
    } finally {
      await file.close();
    }
  }

  chmod(path: string, mode: number): Promise<void> {
    return this.#do(
      (libc, name) => libc.fchmodat(AT_FDCWD, name, mode, 0),
      path,
    );
  }

  chown(path: string, uid: number, gid: number): Promise<void> {
    return this.#do(
      (libc, name) => libc.fchownat(AT_FDCWD, name, uid >>> 0, gid >>> 0, 0),
      path,
    );
  }

  utimens(
    path: string,
    atime: bigint | "now" | null,
    mtime: bigint | "now" | null,
  ): Promise<void> {
    const times = new DataView(new ArrayBuffer(2 * TIMESPEC_SIZE));
    setTime(times, 0, atime);
    setTime(times, TIMESPEC_SIZE, mtime);
    return this.#do(
      (libc, name) => libc.utimensat(AT_FDCWD, name, times, 0),
      path,
    );
  }

  mkdir(path: string, mode: number = 0o777): Promise<void> {
    return this.#do((libc, name) => libc.mkdirat(AT_FDCWD, name, mode), path);
  }

  mknod(path: string, mode: number, rdev: number = 0): Promise<void> {
    const device = BigInt(rdev);
    return this.#do(
      (libc, name) => libc.mknodat(AT_FDCWD, name, mode, device),
      path,
    );
  }

  symlink(target: string, path: string): Promise<void> {
    return this.#do(
      (libc, name) => libc.symlinkat(cString(target), AT_FDCWD, name),
      path,
    );
  }

  readlink(path: string): Promise<string> {
    return calling(() => {
      const target = new Uint8Array(PATH_MAX);
      const { readlinkat } = libc();
      const name = cString(this.#path(path));
      const size = BigInt(target.length);
      const length = checked(readlinkat(AT_FDCWD, name, target, size));
      return decodeName(target.slice(0, length));
    });
  }

  link(from: string, to: string): Promise<void> {
    return this.#do(
      (libc, old, name) => libc.linkat(AT_FDCWD, old, AT_FDCWD, name!, 0),
      from,
      to,
    );
  }

  unlink(path: string): Promise<void> {
    return this.#do((libc, name) => libc.unlinkat(AT_FDCWD, name, 0), path);
  }

  rmdir(path: string): Promise<void> {
    const flags = AT.REMOVEDIR;
    return this.#do((libc, name) => libc.unlinkat(AT_FDCWD, name, flags), path);
  }

  rename(from: string, to: string, flags: number = 0): Promise<void> {
    return this.#do(
      (libc, old, name) =>
        libc.renameat2(AT_FDCWD, old, AT_FDCWD, name!, flags),
      from,
      to,
    );
  }

  getxattrInto(
    path: string,
    name: string,
    size: number,
  ): Promise<Uint8Array | number> {
    return intoBuffer(size, (value, size) => {
      const at = Deno.UnsafePointer.of(value);
      return libc().getxattr(this.#name(path), cString(name), at, size);
    });
  }

  listxattrInto(path: string, size: number): Promise<Uint8Array | number> {
    return intoBuffer(size, (list, size) => {
      return libc().listxattr(this.#name(path), list, size);
    });
  }

  setxattr(
    path: string,
    name: string,
    value: Uint8Array,
    flags: number = 0,
  ): Promise<void> {
    const bytes = value.slice();
    const size = BigInt(bytes.length);
    return this.#do(
      (libc, path) => libc.setxattr(path, cString(name), bytes, size, flags),
      path,
    );
  }

  removexattr(path: string, name: string): Promise<void> {
    return this.#do(
      (libc, path) => libc.removexattr(path, cString(name)),
      path,
    );
  }

  #open(path: string, flags: number, mode: number): number {
    const all = flags | O.CLOEXEC;
    return checked(libc().openat(AT_FDCWD, this.#name(path), all, mode));
  }

  async #do(
    call: (
      symbols: ReturnType<typeof libc>,
      path: Uint8Array<ArrayBuffer>,
      other?: Uint8Array<ArrayBuffer>,
    ) => number,
    path: string,
    other: string = path,
  ): Promise<void> {
    await calling(() =>
      checked(call(libc(), this.#name(path), this.#name(other)))
    );
  }

  #name(path: string): Uint8Array<ArrayBuffer> {
    return cString(this.#path(path));
  }

  #path(path: string): string {
    return path === "" ? this.#root : `${this.#root}/${path}`;
  }
}

function setTime(
  times: DataView,
  at: number,
  time: bigint | "now" | null,
): void {
  const isTime = typeof time === "bigint";
  const special = time === null ? UTIME_OMIT : UTIME_NOW;
  times.setBigInt64(at, isTime ? secondsOf(time) : 0n, true);
  const nanoseconds = isTime ? BigInt(nanosecondsOf(time)) : special;
  times.setBigInt64(at + 8, nanoseconds, true);
}

/** Reads into a buffer; without one, the size is the result. */
function intoBuffer(
  size: number,
  call: (buffer: Uint8Array<ArrayBuffer>, size: bigint) => number,
): Promise<Uint8Array | number> {
  return calling(() => {
    const buffer = new Uint8Array(size);
    const length = checked(call(buffer, BigInt(size)));
    return size === 0 ? length : buffer.subarray(0, length);
  });
}
