import { FileCalls } from "./_real_file_calls.ts";
import { stat, statfs } from "./_stat.ts";
import type { Argument, Syscall } from "./_syscalls.ts";
import type { StepTime } from "./step.ts";

const AT_FDCWD = -100;
/** O_RDONLY, O_NONBLOCK, O_DIRECTORY, O_CLOEXEC: as opendir(3) does. */
const OPEN_DIRECTORY = 0o4000 | 0o200000 | 0o2000000;
const CREATE_MODE = 0o600;
const STATX_BASIC_AND_BTIME = 0xfff;
const PATH_MAX = 4096;
const UTIME_NOW = 0x3fff_ffffn;
const UTIME_OMIT = 0x3fff_fffen;
const NS_PER_S = 1_000_000_000n;

/** System calls on a real mount. */
export class RealCalls extends FileCalls {
  readonly #root: string;

  /**
   * Prepares for a script.
   *
   * @param root The mountpoint: a file, or a directory.
   * @param call What makes system calls.
   * @param memory Memory for data, which begins at a page.
   */
  constructor(root: string, call: Syscall, memory: Uint8Array<ArrayBuffer>) {
    super(call, memory);
    this.#root = root;
    call("umask", 0o022);
  }

  /** Becomes root again and closes what a script left open. */
  override finish(): void {
    this.become(0, 0);
    super.finish();
  }

  open(as: string, path: string, flags: number, mode: number = CREATE_MODE) {
    const where = this.#path(path);
    this.files.set(as, this.call("openat", AT_FDCWD, where, flags, mode));
  }

  stat(path: string) {
    return stat(this.call, "stat", this.#path(path));
  }

  lstat(path: string) {
    return stat(this.call, "lstat", this.#path(path));
  }

  statx(path: string) {
    const buffer = new Uint8Array(256);
    const mask = STATX_BASIC_AND_BTIME;
    this.call("statx", AT_FDCWD, this.#path(path), 0, mask, buffer);
    return Number(new DataView(buffer.buffer).getBigUint64(40, true));
  }

  statfs(path: string) {
    return statfs(this.call, "statfs", this.#path(path));
  }

  access(path: string, mode: number) {
    return this.call("access", this.#path(path), mode);
  }

  chmod(path: string, mode: number) {
    return this.call("chmod", this.#path(path), mode);
  }

  chown(path: string, uid: number, gid: number) {
    return this.call("chown", this.#path(path), uid, gid);
  }

  truncate(path: string, size: number) {
    return this.call("truncate", this.#path(path), size);
  }

  utimens(path: string, atime: StepTime, mtime: StepTime) {
    const times = new BigInt64Array([atime, mtime].flatMap(timespec));
    return this.call("utimensat", AT_FDCWD, this.#path(path), times, 0);
  }

  setxattr(path: string, name: string, value: string, flags: number) {
    const bytes = new TextEncoder().encode(value);
    const where = this.#path(path);
    const { length } = bytes;
    return this.call("setxattr", where, text(name), bytes, length, flags);
  }

  getxattr(path: string, name: string, size: number) {
    return this.#value(size, "getxattr", this.#path(path), text(name));
  }

  listxattr(path: string, size: number) {
    return this.#value(size, "listxattr", this.#path(path));
  }

  removexattr(path: string, name: string) {
    return this.call("removexattr", this.#path(path), text(name));
  }

  mkdir(path: string, mode: number) {
    return this.call("mkdir", this.#path(path), mode);
  }

  rmdir(path: string) {
    return this.call("rmdir", this.#path(path));
  }

  mknod(path: string, mode: number, rdev: number) {
    return this.call("mknod", this.#path(path), mode, rdev);
  }

  unlink(path: string) {
    return this.call("unlink", this.#path(path));
  }

  link(from: string, to: string) {
    return this.call("link", this.#path(from), this.#path(to));
  }

  symlink(target: string, path: string) {
    return this.call("symlink", text(target), this.#path(path));
  }

  readlink(path: string) {
    const { memory } = this;
    const size = this.call("readlink", this.#path(path), memory, PATH_MAX);
    return new TextDecoder().decode(memory.subarray(0, size));
  }

  rename(from: string, to: string) {
    return this.call("rename", this.#path(from), this.#path(to));
  }

  renameat2(from: string, to: string, flags: number) {
    const [source, target] = [this.#path(from), this.#path(to)];
    return this.call("renameat2", AT_FDCWD, source, AT_FDCWD, target, flags);
  }

  opendir(as: string, path: string) {
    this.open(as, path, OPEN_DIRECTORY);
    stat(this.call, "fstat", this.fd(as));
  }

  getdents(directory: string, size: number) {
    const { memory } = this;
    const read = this.call("getdents64", this.fd(directory), memory, size);
    return entriesOf(memory.subarray(0, read));
  }

  seekdir(directory: string, offset: number) {
    return this.lseek(directory, offset, 0);
  }

  closedir(directory: string) {
    return this.close(directory);
  }

  fsyncdir(directory: string) {
    return this.fsync(directory);
  }

  become(uid: number, gid: number) {
    // In the other order, an ordinary user could not change the group.
    this.call("setresuid", 0, 0, 0);
    this.call("setresgid", gid, gid, 0);
    return this.call("setresuid", uid, uid, 0);
  }

  sleep(ms: number) {
    return new Promise<void>((resolve) => setTimeout(resolve, ms));
  }

  #path(path: string): Uint8Array<ArrayBuffer> {
    return text(path === "" ? this.#root : `${this.#root}/${path}`);
  }

  #value(
    size: number,
    call: "getxattr" | "listxattr",
    ...which: Argument[]
  ): unknown {
    const { memory } = this;
    const length = this.call(call, ...which, size === 0 ? 0 : memory, size);
    if (size === 0) return length;
    return new TextDecoder().decode(memory.subarray(0, length));
  }
}

/** Text with the NUL that the kernel expects. */
function text(value: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${value}\0`);
}

function timespec(time: StepTime): [bigint, bigint] {
  if (time === "now") return [0n, UTIME_NOW];
  if (time === "omit") return [0n, UTIME_OMIT];
  return [BigInt(time) / NS_PER_S, BigInt(time) % NS_PER_S];
}

/** Names and types of `struct linux_dirent64`. */
function entriesOf(bytes: Uint8Array<ArrayBuffer>): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const entries: string[] = [];
  for (let at = 0; at < bytes.length; at += view.getUint16(at + 16, true)) {
    const end = bytes.indexOf(0, at + 19);
    const name = new TextDecoder().decode(bytes.subarray(at + 19, end));
    entries.push(`${name} ${view.getUint8(at + 18)}`);
  }
  return entries;
}
