import { O } from "../../src/base/file_flags.ts";
import { CheckedFile } from "../oracle/checked_file.ts";
import { SimClient, type SimMount } from "../vfs/sim_client.ts";
import type { VirtualClock } from "../determinism/clock.ts";
import type { Cores } from "../determinism/clock.ts";
import type { DiskModel } from "../oracle/disk_model.ts";
import type { ClientPlan, Step } from "./client_plan.ts";
import { FIRST_PID } from "./timeline.ts";
import { SimError } from "../kernel/call.ts";
import type { SimFile } from "../vfs/sim_file.ts";

/** The options of an {@linkcode Actor}. */
export interface ActorOptions {
  /** Its number. */
  readonly index: number;
  /** The mounted file. */
  readonly mount: SimMount;
  /** The model of the disk. */
  readonly model: DiskModel;
  /** Passes time while the process thinks. */
  readonly clock: VirtualClock;
  /** The CPUs that it runs on. */
  readonly cores: Cores;
  /** Microseconds of CPU time a step; 0 for none. */
  readonly clientUs: number;
  /** Whether a step may fail with an error number. */
  readonly mayFail: (step: Step, errno: number) => boolean;
  /** Called when a step ends, with a count or a negative errno. */
  readonly onStep: (actor: number, step: Step, result: number) => void;
}

/** A process that carries out its plan. */
export class Actor {
  /** The process. */
  readonly client: SimClient;
  /** The number of steps that have ended. */
  done = 0;
  readonly #options: ActorOptions;
  readonly #plan: ClientPlan;
  #file: SimFile | null = null;
  #next = 0;

  /** Makes the process of a plan. */
  constructor(plan: ClientPlan, options: ActorOptions) {
    this.#plan = plan;
    this.#options = options;
    const pid = FIRST_PID + options.index;
    const who = { uid: 0, gid: 0, pid };
    this.client = new SimClient(options.mount, who);
  }

  /** Carries out all steps; rejects if the disk or an error is wrong. */
  async run(): Promise<void> {
    this.#file = await this.#opened();
    const { depth } = this.#plan;
    const loops = Array.from({ length: depth }, () => this.#loop());
    await Promise.all(loops);
    await this.#close();
  }

  async #loop(): Promise<void> {
    const { clientUs, cores } = this.#options;
    const { steps } = this.#plan;
    while (this.#next < steps.length && !this.client.signals.killed) {
      const step = steps[this.#next++]!;
      if (clientUs > 0) await cores.busy(clientUs);
      await this.#try(step);
    }
  }

  async #try(step: Step): Promise<void> {
    const { index, onStep, mayFail } = this.#options;
    let result;
    try {
      this.#file ??= await this.#opened();
      result = this.#file === null ? 0 : await this.#do(step, this.#file);
    } catch (error) {
      if (!(error instanceof SimError)) throw error;
      if (!mayFail(step, error.errno)) {
        const what = JSON.stringify(step);
        throw new Error(`Client ${index} cannot do ${what}: ${error.message}`);
      }
      result = -error.errno;
    }
    this.done++;
    onStep(index, step, result);
  }

  async #opened(): Promise<SimFile | null> {
    try {
      return await this.client.open(O.RDWR);
    } catch (error) {
      const isLegal = error instanceof SimError &&
        this.#options.mayFail({ do: "reopen" }, error.errno);
      if (!isLegal) throw error;
      return null;
    }
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    if (file === null) return;
    try {
      await file.close();
    } catch (error) {
      const isLegal = error instanceof SimError &&
        this.#options.mayFail({ do: "reopen" }, error.errno);
      if (!isLegal) throw error;
    }
  }

  async #do(step: Step, file: SimFile): Promise<number> {
    const { model, clock, mount } = this.#options;
    const checked = new CheckedFile(file, model);
    switch (step.do) {
      case "read":
        return await checked.pread(new Uint8Array(step.size), step.at);
      case "aioRead":
        return await checked.aioRead(new Uint8Array(step.size), step.at);
      case "write":
        return await checked.pwrite(bytesOf(step), step.at);
      case "aioWrite":
        return await checked.aioWrite(bytesOf(step), step.at);
      case "append":
        return await this.#append(bytesOf(step));
      case "mapRead":
      case "mapWrite":
        return await this.#map(step, file);
      case "zero":
      case "punch":
        await checked.zero(step.at, step.size, { unmap: step.do === "punch" });
        return 0;
      case "fallocate":
        await checked.reserve(step.at, step.size);
        return 0;
      case "truncate":
        await checked.resize(step.size, () => this.client.truncate(step.size));
        return 0;
      case "ftruncate":
        await checked.ftruncate(step.size);
        return 0;
      case "lseek":
        return await file.lseek(step.at, step.whence);
      case "chmod":
        await this.client.chmod(step.mode);
        return 0;
      case "stat":
        return (await this.client.stat()).size;
      case "statfs":
        return (await this.client.statfs()).blockSize;
      case "fsync":
        await file.fsync();
        return 0;
      case "reopen":
        // Other steps in flight use the old file.
        if (this.#plan.depth > 1) return 0;
        await this.#close();
        this.#file = mount.attached ? await this.#opened() : null;
        return 0;
      case "dup":
        await file.dup().close();
        return 0;
      case "think":
        await clock.sleep(step.us);
        return 0;
    }
  }

  /** Appends; no other process changes the size, so the end is known. */
  async #append(bytes: Uint8Array): Promise<number> {
    const { model, mount } = this.#options;
    const file = await this.client.open(O.RDWR | O.APPEND);
    // A failed write may have moved the end unknown to the kernel, and a
    // GETATTR that overlapped a write is not cached.
    let at;
    do at = (await this.client.stat()).size; while (
      at !== mount.inode.stat.size
    );
    const checked = new CheckedFile(file, model);
    try {
      return await checked.write(bytes, at, () => file.pwrite(bytes, 0));
    } finally {
      await file.close();
    }
  }

  /** Maps the file, reads or writes, and unmaps. */
  async #map(
    step: Step & { at: number; size: number },
    file: SimFile,
  ): Promise<number> {
    const { model } = this.#options;
    const mapping = file.mmap(true);
    try {
      if (step.do === "mapRead") {
        const into = new Uint8Array(step.size);
        const read = model.beginRead(step.at, step.size);
        let ok = false;
        try {
          await mapping.read(into, step.at);
          ok = true;
        } finally {
          model.endRead(read, ok ? into : null);
        }
        return step.size;
      }
      const bytes = bytesOf(step);
      const checked = new CheckedFile(file, model);
      return await checked.write(bytes, step.at, async () => {
        await mapping.write(bytes, step.at);
        await mapping.msync();
        return bytes.length;
        // Its pages stay in the cache and may be written back with others.
      }, true);
    } finally {
      await mapping.munmap();
    }
  }
}

/** The bytes that a step writes, different for each step. */
function bytesOf(step: Step): Uint8Array {
  if (!("mark" in step)) throw new TypeError(`Cannot write by ${step.do}`);
  const words = new Int32Array(Math.ceil(step.size / 4));
  words.fill(step.mark | 1);
  return new Uint8Array(words.buffer, 0, step.size);
}
