/**
 * examples/memory.ts in the simulator: served by the real serve loop, used by paths.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { MemoryFs } from "../../examples/memory.ts";
import { FileSystemHandler } from "../../src/filesystem/file_system_handler.ts";
import { FILE_SYSTEM_FLAGS } from "../../src/filesystem/init_flags.ts";
import type { InitFlagName } from "../../src/protocol/flags.ts";
import type { OpcodeName } from "../../src/protocol/opcodes.ts";
import type { TraceRecord } from "../../src/protocol/trace_record.ts";
import { TraceQueue } from "../../src/queue/trace_queue.ts";
import type { TakenRequest } from "../../sim/kernel/dispatch.ts";
import { SimKernel } from "../../sim/vfs/sim_kernel.ts";
import {
  serveInThread,
  type ThreadServer,
} from "../../sim/workload/thread_server.ts";
import { TreeClient } from "../../sim/directories/tree_client.ts";
import { FakeClock } from "./_fake_clock.ts";
import { SimTree } from "../../sim/directories/sim_tree.ts";

/** The flags that `mountFileSystem` requests. */
const FLAGS: readonly InitFlagName[] = [
  "ASYNC_READ",
  "BIG_WRITES",
  "MAX_PAGES",
  "PARALLEL_DIROPS",
  ...FILE_SYSTEM_FLAGS,
];
const MAX_WRITE = 128 * 1024;

/** A mounted file system in memory. */
export class SimulatedMemory {
  readonly fs: MemoryFs;
  readonly handler: FileSystemHandler<MemoryFs["root"], void>;
  readonly clock = new FakeClock();
  readonly kernel: SimKernel;
  readonly tree: SimTree;
  /** Every message, in the order in which the server saw it. */
  readonly records: TraceRecord[] = [];
  readonly #taken: OpcodeName[] = [];
  #server: ThreadServer | null = null;

  private constructor(queues: number, now?: () => bigint) {
    const start = 1_700_000_000_000_000_000n;
    now ??= () => start + BigInt(Math.round(this.clock.now * 1000));
    this.fs = new MemoryFs(now);
    this.handler = new FileSystemHandler(this.fs, { now });
    this.kernel = new SimKernel({
      queues,
      maxRead: MAX_WRITE,
      allowOther: true,
      clock: this.clock,
      onTaken: ({ call }: TakenRequest) => this.#taken.push(call.opcode),
    });
    this.tree = new SimTree(this.kernel, { clock: this.clock });
  }

  /** Mounts an empty one. `now` is its time; default: the kernel's. */
  static async mount(
    queues: number = 1,
    now?: () => bigint,
  ): Promise<SimulatedMemory> {
    const made = new SimulatedMemory(queues, now);
    made.#server = await serveInThread(made.kernel, {
      wanted: {
        flags: FLAGS,
        maxWrite: MAX_WRITE,
        maxBackground: 64,
        congestionThreshold: 48,
      },
      handler: () => made.handler,
      around: (queue, index) =>
        new TraceQueue(queue, (record) => made.records.push(record), { index }),
    });
    await made.kernel.initialised;
    made.requests();
    return made;
  }

  /** A client program. */
  client(pid: number = 1000, uid: number = 0, gid: number = 0): TreeClient {
    return new TreeClient(this.tree, { uid, gid, pid });
  }

  /** The opcodes that were sent since the last call. */
  requests(): OpcodeName[] {
    return this.#taken.splice(0);
  }

  /** Waits until no request is outstanding. */
  async quiet(): Promise<void> {
    for (let turns = 0; turns < 4 || this.kernel.outstanding > 0; turns++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /**
   * Unmounts, once every file is closed, and requires that both sides agree on
   * the lookup counts.
   */
  async end(): Promise<void> {
    await this.quiet();
    this.tree.dropCaches();
    await this.quiet();
    assertEquals([...this.tree.lookups.keys()], [1n], "inodes are kept");
    assertEquals(this.handler.nodes, 1, "nodes are kept");
    assertEquals(this.handler.handles, 0, "handles are kept");
    this.tree.unmount();
    await this.#server!.ended;
    assertEquals(this.kernel.violations, []);
    assertEquals(this.kernel.outstanding, 0);
  }
}
