/**
 * Scripts in the simulator: the same tree_fs, used by a simulated client.
 *
 * @module
 */
import { errnoName } from "../../../src/base/errno.ts";
import { bytesOfName } from "../../../src/protocol/text.ts";
import type { SimStat } from "../../../sim/vfs/inode.ts";
import { SimError } from "../../../sim/kernel/call.ts";
import type { SimFile } from "../../../sim/vfs/sim_file.ts";
import type { TreeClient } from "../../../sim/directories/tree_client.ts";
import type { SimDirectory } from "../../../sim/directories/readdir.ts";
import { SimulatedTree } from "../../examples/_simulated.ts";
import { bytesOf, digest, timeText } from "../step.ts";
import { START, type TreeRun } from "./compare.ts";
import {
  carryOut,
  type TreeCalls,
  type TreeScript,
  type TreeStep,
} from "./step.ts";

const PID = 1000;
const DECODER = new TextDecoder();

/** Runs a script in the simulator; `change` tries out the comparison. */
export async function runSimulatedTree(
  { steps }: TreeScript,
  change: (step: TreeStep) => TreeStep = (step) => step,
): Promise<TreeRun> {
  const mounted = await SimulatedTree.mount(1, () => START);
  const calls = new SimTreeCalls(mounted);
  const results: unknown[] = [];
  for (const step of steps) {
    try {
      results.push(await carryOut(calls, change(step)));
    } catch (error) {
      if (!(error instanceof SimError)) throw error;
      results.push(errnoName(error.errno));
    }
    // The real server has time to see what nobody waits for.
    await mounted.quiet();
  }
  await calls.finish();
  await mounted.quiet();
  const records = [...mounted.records];
  await mounted.end();
  return { records, results: JSON.parse(JSON.stringify(results)) };
}

class SimTreeCalls implements TreeCalls {
  readonly #mounted: SimulatedTree;
  readonly #files: Map<string, SimFile> = new Map();
  readonly #directories: Map<string, SimDirectory> = new Map();
  #client: TreeClient;

  constructor(mounted: SimulatedTree) {
    this.#mounted = mounted;
    this.#client = mounted.client(PID);
  }

  async finish(): Promise<void> {
    for (const file of this.#files.values()) await file.close();
    for (const directory of this.#directories.values()) directory.close();
  }

  mkdir(path: string, mode: number) {
    return done(this.#client.mkdir(path, mode));
  }

  rmdir(path: string) {
    return done(this.#client.rmdir(path));
  }

  unlink(path: string) {
    return done(this.#client.unlink(path));
  }

  link(from: string, to: string) {
    return done(this.#client.link(from, to));
  }

  symlink(target: string, path: string) {
    return done(this.#client.symlink(target, path));
  }

  readlink(path: string) {
    return this.#client.readlink(path);
  }

  mknod(path: string, mode: number, rdev: number) {
    return done(this.#client.mknod(path, mode, rdev));
  }

  rename(from: string, to: string) {
    return done(this.#client.rename(from, to));
  }

  renameat2(from: string, to: string, flags: number) {
    return done(this.#client.rename(from, to, flags));
  }

  async stat(path: string) {
    return statResult(await this.#client.stat(path));
  }

  async lstat(path: string) {
    return statResult(await this.#client.lstat(path));
  }

  access(path: string, mode: number) {
    return done(this.#client.access(path, mode));
  }

  chmod(path: string, mode: number) {
    return done(this.#client.chmod(path, mode));
  }

  chown(path: string, uid: number, gid: number) {
    return done(this.#client.chown(path, uid, gid));
  }

  truncate(path: string, size: number) {
    return done(this.#client.truncate(path, size));
  }

  async statfs(path: string) {
    const { blocks, free, available, ...rest } = await this.#client
      .statfs(path);
    const { files, blockSize, nameMax } = rest;
    return { blockSize, blocks, free, available, files, nameMax };
  }

  setxattr(path: string, name: string, value: string, flags: number) {
    const bytes = new TextEncoder().encode(value);
    return done(this.#client.setxattr(path, name, bytes, flags));
  }

  async getxattr(path: string, name: string, size: number) {
    return valueOf(await this.#client.getxattrInto(path, name, size));
  }

  async listxattr(path: string, size: number) {
    return valueOf(await this.#client.listxattrInto(path, size));
  }

  removexattr(path: string, name: string) {
    return done(this.#client.removexattr(path, name));
  }

  async open(as: string, path: string, flags: number, mode: number) {
    this.#files.set(as, await this.#client.open(path, flags, mode));
  }

  async read(file: string, size: number) {
    const into = new Uint8Array(size);
    const read = await this.#file(file).read(into);
    return [read, digest(into.subarray(0, read))];
  }

  write(file: string, size: number, fill: number) {
    return this.#file(file).write(bytesOf(fill, size));
  }

  async pread(file: string, size: number, offset: number) {
    const into = new Uint8Array(size);
    const read = await this.#file(file).pread(into, offset);
    return [read, digest(into.subarray(0, read))];
  }

  pwrite(file: string, size: number, offset: number, fill: number) {
    return this.#file(file).pwrite(bytesOf(fill, size), offset);
  }

  async fstat(file: string) {
    return statResult(await this.#file(file).fstat());
  }

  fsync(file: string) {
    return done(this.#file(file).fsync());
  }

  close(file: string) {
    const opened = this.#file(file);
    this.#files.delete(file);
    return done(opened.close());
  }

  async opendir(as: string, path: string) {
    this.#directories.set(as, await this.#client.opendir(path));
  }

  async getdents(directory: string, size: number) {
    const some = await this.#directory(directory).read(size);
    return some.map(({ name, type }) =>
      `${DECODER.decode(bytesOfName(name))} ${type}`
    );
  }

  seekdir(directory: string, offset: number) {
    this.#directory(directory).seek(BigInt(offset));
    return offset;
  }

  closedir(directory: string) {
    this.#directory(directory).close();
    this.#directories.delete(directory);
    return 0;
  }

  fsyncdir(directory: string) {
    return done(this.#directory(directory).fsync());
  }

  become(uid: number, gid: number) {
    this.#client = this.#mounted.client(PID, uid, gid);
    return 0;
  }

  sleep(ms: number) {
    this.#mounted.clock.now += ms * 1000;
  }

  #file(name: string): SimFile {
    const file = this.#files.get(name);
    if (file === undefined) throw new SimError("use a file", 9);
    return file;
  }

  #directory(name: string): SimDirectory {
    const directory = this.#directories.get(name);
    if (directory === undefined) throw new SimError("use a directory", 9);
    return directory;
  }
}

/** What a system call returns that has nothing to tell. */
async function done(call: Promise<void>): Promise<number> {
  await call;
  return 0;
}

function valueOf(value: Uint8Array | number): unknown {
  return typeof value === "number" ? value : DECODER.decode(value);
}

function statResult(stat: SimStat) {
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
