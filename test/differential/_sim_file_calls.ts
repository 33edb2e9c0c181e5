import type { SimStat } from "../../sim/vfs/inode.ts";
import type { SimMapping } from "../../sim/vfs/mapping.ts";
import type { SimFile } from "../../sim/vfs/sim_file.ts";
import type { SimStatfs } from "../../sim/vfs/statfs.ts";
import { SimError } from "../../sim/kernel/call.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { type AioPart, bytesOf, type Calls, digest, timeText } from "./step.ts";

/** System calls on open files in the simulator. */
export class SimFileCalls implements Calls {
  /** Open files. */
  protected readonly files: Map<string, SimFile> = new Map();
  readonly #maps: Map<string, SimMapping> = new Map();

  /** Closes what a script left open. */
  async finish(): Promise<void> {
    for (const file of this.files.values()) await file.close();
  }

  dup(as: string, file: string) {
    this.files.set(as, this.file(file).dup());
  }

  close(file: string) {
    const opened = this.file(file);
    this.files.delete(file);
    return done(opened.close());
  }

  async read(file: string, size: number) {
    const into = new Uint8Array(size);
    return readResult(await this.file(file).read(into), into);
  }

  write(file: string, size: number, fill: number) {
    return this.file(file).write(bytesOf(fill, size));
  }

  async pread(file: string, size: number, offset: number) {
    const into = new Uint8Array(size);
    return readResult(await this.file(file).pread(into, offset), into);
  }

  pwrite(file: string, size: number, offset: number, fill: number) {
    return this.file(file).pwrite(bytesOf(fill, size), offset);
  }

  async preadv(file: string, sizes: number[], offset: number) {
    const whole = new Uint8Array(sum(sizes));
    const pieces = piecesOf(whole, sizes);
    return readResult(await this.file(file).preadv(pieces, offset), whole);
  }

  pwritev(file: string, sizes: number[], offset: number, fill: number) {
    const whole = bytesOf(fill, sum(sizes));
    return this.file(file).pwritev(piecesOf(whole, sizes), offset);
  }

  /** io_submit(2) and waiting for all: parts are sent one after another. */
  async aio(file: string, parts: readonly AioPart[]) {
    const opened = this.file(file);
    const result: Record<string, string | number> = {};
    const transfer = async (part: AioPart, i: number) => {
      const bytes = part.write
        ? bytesOf(part.fill ?? 0, part.size)
        : new Uint8Array(part.size);
      const moved = part.write
        ? await opened.aioWrite(bytes, part.offset)
        : await opened.aioRead(bytes, part.offset);
      result[`part${i}`] = moved;
      if (!part.write) result[`data${i}`] = digest(bytes.subarray(0, moved));
    };
    const running: Promise<void>[] = [];
    for (const [i, part] of parts.entries()) {
      running.push(transfer(part, i));
      // Lets it be sent before the next one begins.
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(running);
    return Object.fromEntries(Object.entries(result).sort());
  }

  mmap(as: string, file: string, _size: number, shared: boolean) {
    this.#maps.set(as, this.file(file).mmap(shared));
  }

  async load(map: string, offset: number, size: number) {
    const into = new Uint8Array(size);
    await this.#maps.get(map)!.read(into, offset);
    return digest(into);
  }

  munmap(map: string) {
    return done(this.#maps.get(map)!.munmap());
  }

  lseek(file: string, offset: number, whence: number) {
    return this.file(file).lseek(offset, whence);
  }

  fsync(file: string) {
    return done(this.file(file).fsync());
  }

  fdatasync(file: string) {
    return done(this.file(file).fdatasync());
  }

  async fstat(file: string) {
    return statResult(await this.file(file).fstat());
  }

  async fstatfs(file: string) {
    return statfsResult(await this.file(file).fstatfs());
  }

  flock(file: string) {
    this.file(file).flock("exclusive");
    return 0;
  }

  funlock(file: string) {
    this.file(file).flock("none");
    return 0;
  }

  ftruncate(file: string, size: number) {
    return done(this.file(file).ftruncate(size));
  }

  fchmod(file: string, mode: number) {
    return done(this.file(file).fchmod(mode));
  }

  fallocate(file: string, mode: number, offset: number, size: number) {
    return done(this.file(file).fallocate(mode, offset, size));
  }

  /** An open file. */
  protected file(name: string): SimFile {
    const file = this.files.get(name);
    if (file === undefined) throw new SimError("use a file", ERRNO.EBADF);
    return file;
  }
}

/** The result of a system call that returns 0. */
export async function done(call: Promise<void>): Promise<number> {
  await call;
  return 0;
}

/** The fields of stat(2) that are compared. */
export function statResult(stat: SimStat) {
  return {
    size: stat.size,
    blocks: stat.blocks,
    blockSize: stat.blockSize,
    mode: stat.mode.toString(8),
    uid: stat.uid,
    gid: stat.gid,
    atime: timeText(stat.atime),
    mtime: timeText(stat.mtime),
  };
}

/** The fields of statfs(2) that are compared. */
export function statfsResult(stat: SimStatfs) {
  const { blockSize, blocks, free, available, files, nameMax } = stat;
  return { blockSize, blocks, free, available, files, nameMax };
}

function readResult(count: number, into: Uint8Array) {
  return [count, digest(into.subarray(0, count))];
}

function sum(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}

function piecesOf(whole: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  let at = 0;
  return sizes.map((size) => whole.subarray(at, at += size));
}
