import { bytesOfName } from "../../src/protocol/text.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { SimError } from "../../sim/kernel/call.ts";
import type { TreeClient } from "../../sim/directories/tree_client.ts";
import type { SimDirectory } from "../../sim/directories/readdir.ts";
import type { SimulatedMemory } from "../filesystem/_simulated_memory.ts";
import {
  done,
  SimFileCalls,
  statfsResult,
  statResult,
} from "./_sim_file_calls.ts";

const PID = 1000;
const DECODER = new TextDecoder();

/** System calls on a simulated file system in memory. */
export class SimTreeCalls extends SimFileCalls {
  readonly #mounted: SimulatedMemory;
  readonly #directories: Map<string, SimDirectory> = new Map();
  #client: TreeClient;

  /** Prepares for a script. */
  constructor(mounted: SimulatedMemory) {
    super();
    this.#mounted = mounted;
    this.#client = mounted.client(PID);
  }

  override async finish(): Promise<void> {
    await super.finish();
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
    return statfsResult(await this.#client.statfs(path));
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

  async open(as: string, path: string, flags: number, mode = 0o600) {
    this.files.set(as, await this.#client.open(path, flags, mode));
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

  #directory(name: string): SimDirectory {
    const directory = this.#directories.get(name);
    if (directory === undefined) {
      throw new SimError("use a directory", ERRNO.EBADF);
    }
    return directory;
  }
}

function valueOf(value: Uint8Array | number): unknown {
  return typeof value === "number" ? value : DECODER.decode(value);
}
