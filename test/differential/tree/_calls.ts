import { stat, statfs } from "../_stat.ts";
import { type Argument, CallError, type Syscall } from "../_syscalls.ts";
import { bytesOf, digest, type StepResult } from "../step.ts";
import type { TreeCalls } from "./step.ts";

const AT_FDCWD = -100;
/** O_RDONLY, O_NONBLOCK, O_DIRECTORY, O_CLOEXEC: as opendir(3) does. */
const OPEN_DIRECTORY = 0o4000 | 0o200000 | 0o2000000;
const BUFFER_SIZE = 1 << 17;

/** Carries out the steps of one script on a real mount. */
export class RealTreeCalls implements TreeCalls {
  readonly #root: string;
  readonly #call: Syscall;
  readonly #files: Map<string, number> = new Map();
  readonly #buffer = new Uint8Array(BUFFER_SIZE);

  constructor(root: string, call: Syscall) {
    this.#root = root;
    this.#call = call;
    call("umask", 0o022);
  }

  /** Closes what a script left open, and becomes root again. */
  finish(): void {
    this.become(0, 0);
    for (const fd of this.#files.values()) this.#call("close", fd);
    this.#files.clear();
  }

  mkdir(path: string, mode: number) {
    return this.#call("mkdir", this.#path(path), mode);
  }

  rmdir(path: string) {
    return this.#call("rmdir", this.#path(path));
  }

  unlink(path: string) {
    return this.#call("unlink", this.#path(path));
  }

  link(from: string, to: string) {
    return this.#call("link", this.#path(from), this.#path(to));
  }

  symlink(target: string, path: string) {
    return this.#call("symlink", text(target), this.#path(path));
  }

  readlink(path: string) {
    const buffer = this.#buffer;
    const size = this.#call("readlink", this.#path(path), buffer, 4096);
    return new TextDecoder().decode(buffer.subarray(0, size));
  }

  mknod(path: string, mode: number, rdev: number) {
    return this.#call("mknod", this.#path(path), mode, rdev);
  }

  rename(from: string, to: string) {
    return this.#call("rename", this.#path(from), this.#path(to));
  }

  renameat2(from: string, to: string, flags: number) {
    const [source, target] = [this.#path(from), this.#path(to)];
    return this.#call("renameat2", AT_FDCWD, source, AT_FDCWD, target, flags);
  }

  stat(path: string) {
    return this.#stat("stat", this.#path(path));
  }

  lstat(path: string) {
    return this.#stat("lstat", this.#path(path));
  }

  access(path: string, mode: number) {
    return this.#call("access", this.#path(path), mode);
  }

  chmod(path: string, mode: number) {
    return this.#call("chmod", this.#path(path), mode);
  }

  chown(path: string, uid: number, gid: number) {
    return this.#call("chown", this.#path(path), uid, gid);
  }

  truncate(path: string, size: number) {
    return this.#call("truncate", this.#path(path), size);
  }

  statfs(path: string) {
    return statfs(this.#call, "statfs", this.#path(path));
  }

  setxattr(path: string, name: string, value: string, flags: number) {
    const bytes = new TextEncoder().encode(value);
    const where = this.#path(path);
    const { length } = bytes;
    return this.#call("setxattr", where, text(name), bytes, length, flags);
  }

  getxattr(path: string, name: string, size: number) {
    const where = this.#path(path);
    return this.#value(size, "getxattr", where, text(name));
  }

  listxattr(path: string, size: number) {
    return this.#value(size, "listxattr", this.#path(path));
  }

  removexattr(path: string, name: string) {
    return this.#call("removexattr", this.#path(path), text(name));
  }

  open(as: string, path: string, flags: number, mode: number) {
    const where = this.#path(path);
    this.#files.set(as, this.#call("openat", AT_FDCWD, where, flags, mode));
  }

  read(file: string, size: number) {
    const buffer = this.#buffer;
    const read = this.#call("read", this.#fd(file), buffer, size);
    return [read, digest(buffer.subarray(0, read))];
  }

  write(file: string, size: number, fill: number) {
    this.#buffer.set(bytesOf(fill, size));
    return this.#call("write", this.#fd(file), this.#buffer, size);
  }

  pread(file: string, size: number, offset: number) {
    const buffer = this.#buffer;
    const read = this.#call("pread64", this.#fd(file), buffer, size, offset);
    return [read, digest(buffer.subarray(0, read))];
  }

  pwrite(file: string, size: number, offset: number, fill: number) {
    this.#buffer.set(bytesOf(fill, size));
    return this.#call("pwrite64", this.#fd(file), this.#buffer, size, offset);
  }

  fstat(file: string) {
    return this.#stat("fstat", this.#fd(file));
  }

  fsync(file: string) {
    return this.#call("fsync", this.#fd(file));
  }

  close(file: string) {
    const fd = this.#fd(file);
    this.#files.delete(file);
    return this.#call("close", fd);
  }

  opendir(as: string, path: string) {
    this.open(as, path, OPEN_DIRECTORY, 0);
    stat(this.#call, "fstat", this.#fd(as));
  }

  getdents(directory: string, size: number) {
    const buffer = this.#buffer;
    const read = this.#call("getdents64", this.#fd(directory), buffer, size);
    return entriesOf(buffer.subarray(0, read));
  }

  seekdir(directory: string, offset: number) {
    return this.#call("lseek", this.#fd(directory), offset, 0);
  }

  closedir(directory: string) {
    return this.close(directory);
  }

  fsyncdir(directory: string) {
    return this.#call("fsync", this.#fd(directory));
  }

  become(uid: number, gid: number) {
    // The other way round, a plain user could not change the group.
    this.#call("setresuid", 0, 0, 0);
    this.#call("setresgid", gid, gid, 0);
    return this.#call("setresuid", uid, uid, 0);
  }

  sleep(ms: number) {
    return new Promise<void>((resolve) => setTimeout(resolve, ms));
  }

  #path(path: string): Uint8Array<ArrayBuffer> {
    return text(`${this.#root}/${path}`);
  }

  #fd(file: string): number {
    const fd = this.#files.get(file);
    if (fd === undefined) throw new CallError("EBADF");
    return fd;
  }

  #stat(call: "stat" | "lstat" | "fstat", which: Argument): StepResult {
    return stat(this.#call, call, which);
  }

  #value(
    size: number,
    call: "getxattr" | "listxattr",
    ...which: Argument[]
  ): unknown {
    const buffer = this.#buffer;
    const length = this.#call(call, ...which, size === 0 ? 0 : buffer, size);
    if (size === 0) return length;
    return new TextDecoder().decode(buffer.subarray(0, length));
  }
}

function text(value: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${value}\0`);
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
