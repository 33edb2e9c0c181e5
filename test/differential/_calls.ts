/**
 * Carries out steps on a real mount, one system call each.
 *
 * @module
 */
import {
  addressOf,
  type Argument,
  CallError,
  type SYS,
  type Syscall,
} from "./_syscalls.ts";
import { submit } from "./_aio.ts";
import { stat, statfs } from "./_stat.ts";
import {
  bytesOf,
  type CallName,
  digest,
  type Step,
  type StepOf,
  type StepResult,
  type StepTime,
} from "./step.ts";

const AT_FDCWD = -100;
const LOCK_EX_NB = 6;
const LOCK_UN = 8;
const STATX_BASIC_AND_BTIME = 0xfff;
const UTIME_NOW = 0x3fff_ffffn;
const UTIME_OMIT = 0x3fff_fffen;
const NS_PER_S = 1_000_000_000n;

/** Calls that open, close and move data; the others ask and set. */
type DataCall =
  | "open"
  | "dup"
  | "close"
  | "pread"
  | "read"
  | "pwrite"
  | "write"
  | "preadv"
  | "pwritev"
  | "aio"
  | "copy"
  | "mmap"
  | "load"
  | "munmap";

/** Text as the kernel wants it. */
function text(value: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${value}\0`);
}

/** What carries out the steps of one script. */
export class Calls {
  readonly #path: Uint8Array<ArrayBuffer>;
  readonly #files: Map<string, number> = new Map();
  readonly #maps: Map<string, { at: bigint; size: number }> = new Map();
  readonly #call: Syscall;
  /** Memory that begins at a page: how a transfer is split depends on it. */
  readonly #pages: Uint8Array<ArrayBuffer>;

  /**
   * Prepares for a script.
   *
   * @param path The mounted file.
   * @param call What makes system calls.
   * @param pages Memory for data, which begins at a page.
   */
  constructor(
    path: string,
    call: Syscall,
    pages: Uint8Array<ArrayBuffer>,
  ) {
    this.#path = text(path);
    this.#call = call;
    this.#pages = pages;
  }

  /** Carries out a step. */
  async run(step: Step): Promise<StepResult> {
    try {
      if (step.call === "sleep") {
        await new Promise((resolve) => setTimeout(resolve, step.ms));
        return {};
      }
      return this.#run(step);
    } catch (error) {
      if (error instanceof CallError) return { errno: error.message };
      throw error;
    }
  }

  /** Closes what a script left open. */
  finish(): void {
    this.#call("setresuid", 0, 0, 0);
    this.#call("setresgid", 0, 0, 0);
    for (const { at, size } of this.#maps.values()) {
      this.#call("munmap", at, size);
    }
    for (const fd of this.#files.values()) this.#call("close", fd);
  }

  #run(step: StepOf<Exclude<CallName, "sleep">>): StepResult {
    switch (step.call) {
      case "open":
        this.#files.set(
          step.as,
          this.#call("openat", AT_FDCWD, this.#path, step.flags, 0o600),
        );
        return {};
      case "dup":
        this.#files.set(step.as, this.#call("dup", this.#fd(step)));
        return {};
      case "close": {
        const fd = this.#fd(step);
        this.#files.delete(step.file);
        return this.#plain("close", fd);
      }
      case "pread":
      case "read":
        return this.#read(step);
      case "pwrite":
      case "write":
        return this.#write(step);
      case "preadv":
      case "pwritev":
        return this.#vector(step);
      case "aio":
        return submit(this.#call, this.#fd(step), step.parts, this.#pages);
      case "copy":
        return this.#plain(
          "copy_file_range",
          this.#files.get(step.from)!,
          0,
          this.#files.get(step.to)!,
          0,
          step.size,
          0,
        );
      case "mmap":
      case "load":
      case "munmap":
        return this.#map(step);
      default:
        return this.#attributes(step);
    }
  }

  #fd({ file }: { file: string }): number {
    const fd = this.#files.get(file);
    if (fd === undefined) throw new CallError("EBADF");
    return fd;
  }

  #plain(name: keyof typeof SYS, ...args: Argument[]): StepResult {
    const value = this.#call(name, ...args);
    return value === 0 ? {} : { value };
  }

  #read(step: StepOf<"pread" | "read">): StepResult {
    const skew = step.call === "pread" ? step.skew ?? 0 : 0;
    const into = this.#pages.subarray(skew, skew + step.size);
    const value = step.call === "read"
      ? this.#call("read", this.#fd(step), into, step.size)
      : this.#call("pread64", this.#fd(step), into, step.size, step.offset);
    return { value, data: digest(into.subarray(0, value)) };
  }

  #write(step: StepOf<"pwrite" | "write">): StepResult {
    const { size } = step;
    const from = this.#pages.subarray(0, size);
    from.set(bytesOf(step.fill, size));
    return step.call === "write"
      ? { value: this.#call("write", this.#fd(step), from, size) }
      : {
        value: this.#call("pwrite64", this.#fd(step), from, size, step.offset),
      };
  }

  #vector(step: StepOf<"preadv" | "pwritev">): StepResult {
    const iovec = new BigUint64Array(step.sizes.length * 2);
    let at = 0;
    for (const [i, size] of step.sizes.entries()) {
      const piece = this.#pages.subarray(at, at + size);
      iovec.set([addressOf(piece), BigInt(size)], i * 2);
      at += size;
    }
    const { length } = step.sizes;
    const fd = this.#fd(step);
    if (step.call === "pwritev") {
      this.#pages.set(bytesOf(step.fill, at));
      return {
        value: this.#call("pwritev", fd, iovec, length, step.offset, 0),
      };
    }
    const value = this.#call("preadv", fd, iovec, length, step.offset, 0);
    return { value, data: digest(this.#pages.subarray(0, value)) };
  }

  #map(step: StepOf<"mmap" | "load" | "munmap">): StepResult {
    if (step.call === "mmap") {
      const flags = step.shared ? 1 : 2;
      const fd = this.#fd(step);
      const at = BigInt(this.#call("mmap", 0, step.size, 1, flags, fd, 0));
      this.#maps.set(step.as, { at, size: step.size });
      return {};
    }
    const map = this.#maps.get(step.map);
    if (map === undefined) throw new CallError("EFAULT");
    if (step.call === "munmap") {
      this.#maps.delete(step.map);
      return this.#plain("munmap", map.at, map.size);
    }
    const pointer = Deno.UnsafePointer.create(map.at + BigInt(step.offset))!;
    const seen = Deno.UnsafePointerView.getArrayBuffer(pointer, step.size);
    return { data: digest(new Uint8Array(seen)) };
  }

  #attributes(
    step: StepOf<Exclude<CallName, DataCall | "sleep">>,
  ): StepResult {
    const path = this.#path;
    switch (step.call) {
      case "fsync":
      case "fdatasync":
        return this.#plain(step.call, this.#fd(step));
      case "flock":
        return this.#plain("flock", this.#fd(step), LOCK_EX_NB);
      case "funlock":
        return this.#plain("flock", this.#fd(step), LOCK_UN);
      case "ftruncate":
        return this.#plain("ftruncate", this.#fd(step), step.size);
      case "fchmod":
        return this.#plain("fchmod", this.#fd(step), step.mode);
      case "fallocate": {
        const { mode, offset, size } = step;
        return this.#plain("fallocate", this.#fd(step), mode, offset, size);
      }
      case "lseek":
        return {
          value: this.#call("lseek", this.#fd(step), step.offset, step.whence),
        };
      case "stat":
        return stat(this.#call, "stat", path);
      case "fstat":
        return stat(this.#call, "fstat", this.#fd(step));
      case "statx": {
        const buffer = new Uint8Array(256);
        this.#call("statx", AT_FDCWD, path, 0, STATX_BASIC_AND_BTIME, buffer);
        return {
          size: Number(new DataView(buffer.buffer).getBigUint64(40, true)),
        };
      }
      case "statfs":
        return statfs(this.#call, "statfs", path);
      case "fstatfs":
        return statfs(this.#call, "fstatfs", this.#fd(step));
      case "truncate":
        return this.#plain("truncate", path, step.size);
      case "chmod":
        return this.#plain("chmod", path, step.mode);
      case "chown":
        return this.#plain("chown", path, step.uid, step.gid);
      case "utimens":
        return this.#utimens(step);
      case "access":
        return this.#plain("access", path, step.mode);
      case "getxattr":
        return this.#plain("getxattr", path, text(step.name), 0, 0);
      case "listxattr":
        return this.#plain("listxattr", path, 0, 0);
      case "setxattr": {
        const value = text(step.value);
        const { length } = value;
        return this.#plain("setxattr", path, text(step.name), value, length, 0);
      }
      case "become":
        // access(2) goes by the real user, the others by the effective one.
        this.#call("setresgid", step.gid, step.gid, -1);
        return this.#plain("setresuid", step.uid, step.uid, -1);
    }
  }

  #utimens({ atime, mtime }: StepOf<"utimens">): StepResult {
    const times = new BigInt64Array(4);
    for (const [i, time] of [atime, mtime].entries()) {
      times.set(timespec(time), i * 2);
    }
    return this.#plain("utimensat", AT_FDCWD, this.#path, times, 0);
  }
}

function timespec(time: StepTime): [bigint, bigint] {
  if (time === "now") return [0n, UTIME_NOW];
  if (time === "omit") return [0n, UTIME_OMIT];
  return [BigInt(time) / NS_PER_S, BigInt(time) % NS_PER_S];
}
