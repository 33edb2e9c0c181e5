/**
 * Carries out steps in the simulator.
 *
 * @module
 */
import { errnoName } from "../../src/base/errno.ts";
import { SimClient, type SimMount } from "../../sim/vfs/sim_client.ts";
import type { Clock as SimClock } from "../../sim/determinism/clock.ts";
import type { SimStat } from "../../sim/vfs/inode.ts";
import type { SimTime } from "../../sim/vfs/setattr.ts";
import type { SimMapping } from "../../sim/vfs/mapping.ts";
import { SimError } from "../../sim/kernel/call.ts";
import type { SimFile } from "../../sim/vfs/sim_file.ts";
import type { SimStatfs } from "../../sim/vfs/statfs.ts";
import {
  bytesOf,
  digest,
  type Step,
  type StepOf,
  type StepResult,
  type StepTime,
  timeText,
} from "./step.ts";

const PID = 1000;

/** A clock that a script can have go on. */
export interface Clock extends SimClock {
  sleep(ms: number): Promise<void>;
}

/** Calls on an open file; the others go by the path. */
type FileCall =
  | "dup"
  | "mmap"
  | "close"
  | "fsync"
  | "fdatasync"
  | "fstat"
  | "fstatfs"
  | "flock"
  | "funlock"
  | "ftruncate"
  | "fchmod"
  | "fallocate"
  | "lseek"
  | "pread"
  | "pwrite"
  | "read"
  | "write"
  | "preadv"
  | "pwritev"
  | "aio";

/** What carries out the steps of one script. */
export class SimCalls {
  readonly #mount: SimMount;
  readonly #clock: Clock;
  readonly #files: Map<string, SimFile> = new Map();
  readonly #maps: Map<string, SimMapping> = new Map();
  #client: SimClient;

  /** Prepares for a script. */
  constructor(mount: SimMount, clock: Clock) {
    this.#mount = mount;
    this.#clock = clock;
    this.#client = new SimClient(mount, { uid: 0, gid: 0, pid: PID });
  }

  /** Carries out a step. */
  async run(step: Step): Promise<StepResult> {
    try {
      return await this.#run(step);
    } catch (error) {
      if (!(error instanceof SimError)) throw error;
      return { errno: errnoName(error.errno) };
    }
  }

  /** Closes what a script left open. */
  async finish(): Promise<void> {
    for (const file of this.#files.values()) await file.close();
  }

  async #run(step: Step): Promise<StepResult> {
    switch (step.call) {
      case "open":
        this.#files.set(step.as, await this.#client.open(step.flags));
        return {};
      case "stat":
        return statResult(await this.#client.stat());
      case "statx":
        return { size: (await this.#client.statx()).size };
      case "statfs":
        return statfsResult(await this.#client.statfs());
      case "listxattr":
        return value(await this.#client.listxattr());
      case "truncate":
        return nothing(await this.#client.truncate(step.size));
      case "chmod":
        return nothing(await this.#client.chmod(step.mode));
      case "chown":
        return nothing(await this.#client.chown(step.uid, step.gid));
      case "utimens": {
        const { atime, mtime } = step;
        const times = [timeOf(atime), timeOf(mtime)] as const;
        return nothing(await this.#client.utimens(...times));
      }
      case "access":
        return nothing(await this.#client.access(step.mode));
      case "getxattr":
        return value(await this.#client.getxattr(step.name));
      case "setxattr": {
        const bytes = new TextEncoder().encode(`${step.value}\0`);
        return nothing(await this.#client.setxattr(step.name, bytes));
      }
      case "load": {
        const into = new Uint8Array(step.size);
        await this.#maps.get(step.map)!.read(into, step.offset);
        return { data: digest(into) };
      }
      case "munmap":
        return nothing(await this.#maps.get(step.map)!.munmap());
      case "copy":
        return { errno: "not in the simulator" };
      case "become":
        this.#client = new SimClient(this.#mount, {
          uid: step.uid,
          gid: step.gid,
          pid: PID,
        });
        return {};
      case "sleep":
        return nothing(await this.#clock.sleep(step.ms));
      default:
        return await this.#onFile(step);
    }
  }

  async #onFile(step: StepOf<FileCall>): Promise<StepResult> {
    const file = this.#files.get(step.file);
    if (file === undefined) return { errno: "EBADF" };
    switch (step.call) {
      case "dup":
        this.#files.set(step.as, file.dup());
        return {};
      case "mmap":
        this.#maps.set(step.as, file.mmap(step.shared));
        return {};
      case "close":
        this.#files.delete(step.file);
        return nothing(await file.close());
      case "fsync":
      case "fdatasync":
        return nothing(await file[step.call]());
      case "fstat":
        return statResult(await file.fstat());
      case "fstatfs":
        return statfsResult(await file.fstatfs());
      case "flock":
        return nothing(file.flock("exclusive"));
      case "funlock":
        return nothing(file.flock("none"));
      case "ftruncate":
        return nothing(await file.ftruncate(step.size));
      case "fchmod":
        return nothing(await file.fchmod(step.mode));
      case "fallocate":
        return nothing(
          await file.fallocate(step.mode, step.offset, step.size),
        );
      case "lseek":
        return { value: await file.lseek(step.offset, step.whence) };
      case "aio":
        return await submit(file, step);
      default:
        return await transfer(file, step);
    }
  }
}

async function transfer(
  file: SimFile,
  step: StepOf<
    "pread" | "pwrite" | "read" | "write" | "preadv" | "pwritev"
  >,
): Promise<StepResult> {
  switch (step.call) {
    case "pwrite":
      return {
        value: await file.pwrite(bytesOf(step.fill, step.size), step.offset),
      };
    case "write":
      return { value: await file.write(bytesOf(step.fill, step.size)) };
    case "pwritev": {
      const whole = bytesOf(step.fill, sum(step.sizes));
      const pieces = piecesOf(whole, step.sizes);
      return { value: await file.pwritev(pieces, step.offset) };
    }
    case "preadv": {
      const whole = new Uint8Array(sum(step.sizes));
      const pieces = piecesOf(whole, step.sizes);
      return readResult(await file.preadv(pieces, step.offset), whole);
    }
    case "pread": {
      const into = new Uint8Array(step.size);
      return readResult(await file.pread(into, step.offset), into);
    }
    case "read": {
      const into = new Uint8Array(step.size);
      return readResult(await file.read(into), into);
    }
  }
}

/** io_submit(2), then waiting for all: parts are sent one after another. */
async function submit(
  file: SimFile,
  { parts }: StepOf<"aio">,
): Promise<StepResult> {
  const result: Record<string, string | number> = {};
  const running: Promise<void>[] = [];
  for (const [i, part] of parts.entries()) {
    const bytes = part.write
      ? bytesOf(part.fill ?? 0, part.size)
      : new Uint8Array(part.size);
    running.push((async () => {
      const moved = part.write
        ? await file.aioWrite(bytes, part.offset)
        : await file.aioRead(bytes, part.offset);
      result[`part${i}`] = moved;
      if (!part.write) result[`data${i}`] = digest(bytes.subarray(0, moved));
    })());
    // Lets it be sent before the next one is looked at.
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(running);
  return result;
}

function sum(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}

function piecesOf(whole: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  let at = 0;
  return sizes.map((size) => whole.subarray(at, at += size));
}

function nothing(_: void): StepResult {
  return {};
}

function value(result: number): StepResult {
  return result === 0 ? {} : { value: result };
}

function readResult(count: number, into: Uint8Array): StepResult {
  return { value: count, data: digest(into.subarray(0, count)) };
}

function statResult(stat: SimStat): StepResult {
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

function statfsResult(stat: SimStatfs): StepResult {
  const { blockSize, blocks, free, available, files, nameMax } = stat;
  return { blockSize, blocks, free, available, files, nameMax };
}

function timeOf(time: StepTime): SimTime {
  if (time === "omit") return null;
  return time === "now" ? time : BigInt(time);
}
