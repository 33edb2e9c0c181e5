/**
 * The load of the simulator's benchmark: jobs like fio's on a kernel with four
 * queues, the real serve loop and export, and all checks of a simulation.
 *
 * @module
 */
import type { Backend } from "../src/backends/backend.ts";
import {
  createMemoryDisk,
  MemoryBackend,
} from "../src/backends/protocols/memory.ts";
import { NullBackend } from "../src/backends/protocols/null.ts";
import { BlockExport, exportCapabilities } from "../src/export/block_export.ts";
import { ExportState } from "../src/export/export_state.ts";
import { O } from "../src/base/file_flags.ts";
import { CheckedFile } from "../sim/oracle/checked_file.ts";
import { ReplyChecker } from "../sim/oracle/reply_checker.ts";
import { SimClient } from "../sim/vfs/sim_client.ts";
import { SimKernel } from "../sim/vfs/sim_kernel.ts";
import { DiskModel } from "../sim/oracle/disk_model.ts";
import { Random } from "../sim/determinism/random.ts";
import {
  serveInThread,
  type ThreadServer,
} from "../sim/workload/thread_server.ts";

/** Size of the disk in bytes. */
export const LOAD_DISK_SIZE: number = 1 << 22;
/** Bytes of a transfer if the options do not say. */
const BLOCK = 4096;
const QUEUES = 4;
const JOBS = 4;
const DEPTH = 16;

/** The options of {@linkcode SimLoad.start}. */
export interface SimLoadOptions {
  /**
   * What is exported: `memory` copies every block in or out. `null` reads as
   * zeroes and discards writes, so only zeroes are written to it.
   */
  readonly backend: "null" | "memory";
  /** The share of WRITEs, from 0 to 1. */
  readonly writes: number;
  /** Bytes of each transfer; 4 KiB if left out. */
  readonly block?: number;
  /** Replaces the disk. */
  readonly around?: (disk: Backend) => Backend;
}

/**
 * Four jobs with 16 random transfers in flight each, on four queues.
 *
 * The reply to every request is checked by the kernel's rules, every byte that
 * is read by a model of the disk, and the kernel's lists are counted after each
 * transfer. Virtual time stands still, so the speed of this thread is measured.
 */
export class SimLoad {
  readonly #kernel: SimKernel;
  readonly #checker: ReplyChecker;
  readonly #server: ThreadServer;
  readonly #files: readonly CheckedFile[];
  readonly #options: SimLoadOptions;
  readonly #random: Random = new Random(1);

  private constructor(
    kernel: SimKernel,
    checker: ReplyChecker,
    server: ThreadServer,
    files: readonly CheckedFile[],
    options: SimLoadOptions,
  ) {
    this.#kernel = kernel;
    this.#checker = checker;
    this.#server = server;
    this.#files = files;
    this.#options = options;
  }

  /** Mounts, and opens the file once for each job. */
  static async start(options: SimLoadOptions): Promise<SimLoad> {
    const checker = new ReplyChecker();
    const kernel = new SimKernel({
      queues: QUEUES,
      capacity: DEPTH,
      onTaken: (taken) => checker.taken(taken),
      onReply: (reply) => checker.replied(reply),
    });
    const server = await serve(kernel, options);
    const model = new DiskModel({ size: LOAD_DISK_SIZE });
    const files: CheckedFile[] = [];
    for (let job = 0; job < JOBS; job++) {
      const client = new SimClient(kernel, { uid: 0, gid: 0, pid: 1000 + job });
      files.push(new CheckedFile(await client.open(O.RDWR), model));
    }
    return new SimLoad(kernel, checker, server, files, options);
  }

  /** Makes a number of requests in all jobs together, and waits for them. */
  async run(requests: number): Promise<void> {
    const { block = BLOCK, writes, backend } = this.#options;
    let left = requests;
    const lane = async (file: CheckedFile) => {
      const bytes = new Uint8Array(block);
      while (left-- > 0) {
        const at = this.#random.below(LOAD_DISK_SIZE / block) * block;
        if (this.#random.fraction() < writes) {
          if (backend === "memory") bytes.fill(left & 255);
          else bytes.fill(0);
          await file.aioWrite(bytes, at);
        } else await file.aioRead(bytes, at);
        const fault = this.#checker.check(this.#kernel);
        if (fault !== null) throw new Error(fault);
      }
    };
    await Promise.all(
      this.#files.flatMap((file) =>
        Array.from({ length: DEPTH }, () => lane(file))
      ),
    );
  }

  /** Unmounts, and checks that nothing is left. */
  async end(): Promise<void> {
    this.#kernel.unmount();
    await this.#server.ended;
    const fault = this.#checker.checkEnd(this.#kernel);
    if (fault !== null) throw new Error(fault);
  }
}

function serve(
  kernel: SimKernel,
  { backend, around = (disk) => disk }: SimLoadOptions,
): Promise<ThreadServer> {
  const rules = { writable: true, growable: false, allowOther: false };
  const disk = around(
    backend === "memory"
      ? new MemoryBackend(createMemoryDisk(LOAD_DISK_SIZE, { growable: false }))
      : new NullBackend(LOAD_DISK_SIZE),
  );
  const state = ExportState.create({
    size: LOAD_DISK_SIZE,
    mode: 0o600,
    uid: 0,
    gid: 0,
    oneThread: true,
  });
  return serveInThread(kernel, {
    wanted: exportCapabilities(rules),
    handler: () => new BlockExport({ backend: disk, state, rules }),
  });
}
