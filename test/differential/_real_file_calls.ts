import {
  addressOf,
  type Argument,
  CallError,
  type Syscall,
} from "./_syscalls.ts";
import { submit } from "./_aio.ts";
import { stat, statfs } from "./_stat.ts";
import { type AioPart, bytesOf, type Calls, digest } from "./step.ts";

const LOCK_EX_NB = 6;
const LOCK_UN = 8;

/** System calls on open files of a real mount. */
export class FileCalls implements Calls {
  /** Open files and directories. */
  protected readonly files: Map<string, number> = new Map();
  readonly #maps: Map<string, { at: bigint; size: number }> = new Map();
  protected readonly call: Syscall;
  /** Memory that begins at a page: how a transfer is split depends on it. */
  protected readonly memory: Uint8Array<ArrayBuffer>;

  constructor(call: Syscall, memory: Uint8Array<ArrayBuffer>) {
    this.call = call;
    this.memory = memory;
  }

  /** Closes what a script left open. */
  finish(): void {
    for (const { at, size } of this.#maps.values()) {
      this.call("munmap", at, size);
    }
    for (const fd of this.files.values()) this.call("close", fd);
  }

  dup(as: string, file: string) {
    this.files.set(as, this.call("dup", this.fd(file)));
  }

  close(file: string) {
    const fd = this.fd(file);
    this.files.delete(file);
    return this.call("close", fd);
  }

  read(file: string, size: number) {
    const count = this.call("read", this.fd(file), this.memory, size);
    return [count, digest(this.memory.subarray(0, count))];
  }

  write(file: string, size: number, fill: number) {
    this.memory.set(bytesOf(fill, size));
    return this.call("write", this.fd(file), this.memory, size);
  }

  pread(file: string, size: number, offset: number, skew = 0) {
    const into = this.memory.subarray(skew, skew + size);
    const count = this.call("pread64", this.fd(file), into, size, offset);
    return [count, digest(into.subarray(0, count))];
  }

  pwrite(file: string, size: number, offset: number, fill: number) {
    this.memory.set(bytesOf(fill, size));
    return this.call("pwrite64", this.fd(file), this.memory, size, offset);
  }

  preadv(file: string, sizes: number[], offset: number) {
    const count = this.#vector("preadv", file, sizes, offset);
    return [count, digest(this.memory.subarray(0, count))];
  }

  pwritev(file: string, sizes: number[], offset: number, fill: number) {
    this.memory.set(bytesOf(fill, sizes.reduce((a, b) => a + b)));
    return this.#vector("pwritev", file, sizes, offset);
  }

  aio(file: string, parts: readonly AioPart[]) {
    return submit(this.call, this.fd(file), parts, this.memory);
  }

  copy(from: string, to: string, size: number) {
    const [source, target] = [this.fd(from), this.fd(to)];
    return this.call("copy_file_range", source, 0, target, 0, size, 0);
  }

  mmap(as: string, file: string, size: number, shared: boolean) {
    const flags = shared ? 1 : 2;
    const fd = this.fd(file);
    const at = BigInt(this.call("mmap", 0, size, 1, flags, fd, 0));
    this.#maps.set(as, { at, size });
  }

  load(map: string, offset: number, size: number) {
    const { at } = this.#map(map);
    const pointer = Deno.UnsafePointer.create(at + BigInt(offset))!;
    const bytes = Deno.UnsafePointerView.getArrayBuffer(pointer, size);
    return digest(new Uint8Array(bytes));
  }

  munmap(map: string) {
    const { at, size } = this.#map(map);
    this.#maps.delete(map);
    return this.call("munmap", at, size);
  }

  lseek(file: string, offset: number, whence: number) {
    return this.call("lseek", this.fd(file), offset, whence);
  }

  fsync(file: string) {
    return this.call("fsync", this.fd(file));
  }

  fdatasync(file: string) {
    return this.call("fdatasync", this.fd(file));
  }

  fstat(file: string) {
    return stat(this.call, "fstat", this.fd(file));
  }

  fstatfs(file: string) {
    return statfs(this.call, "fstatfs", this.fd(file));
  }

  flock(file: string) {
    return this.call("flock", this.fd(file), LOCK_EX_NB);
  }

  funlock(file: string) {
    return this.call("flock", this.fd(file), LOCK_UN);
  }

  ftruncate(file: string, size: number) {
    return this.call("ftruncate", this.fd(file), size);
  }

  fchmod(file: string, mode: number) {
    return this.call("fchmod", this.fd(file), mode);
  }

  fallocate(file: string, mode: number, offset: number, size: number) {
    return this.call("fallocate", this.fd(file), mode, offset, size);
  }

  /** The descriptor of an open file. */
  protected fd(file: string): number {
    const fd = this.files.get(file);
    if (fd === undefined) throw new CallError("EBADF");
    return fd;
  }

  #map(map: string): { at: bigint; size: number } {
    const found = this.#maps.get(map);
    if (found === undefined) throw new CallError("EFAULT");
    return found;
  }

  #vector(
    call: "preadv" | "pwritev",
    file: string,
    sizes: readonly number[],
    offset: Argument,
  ): number {
    const iovec = new BigUint64Array(sizes.length * 2);
    let at = 0;
    for (const [i, size] of sizes.entries()) {
      const piece = this.memory.subarray(at, at + size);
      iovec.set([addressOf(piece), BigInt(size)], i * 2);
      at += size;
    }
    return this.call(call, this.fd(file), iovec, sizes.length, offset, 0);
  }
}
