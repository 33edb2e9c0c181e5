/**
 * The server of a simulation: the real serve loop and export over a backend and
 * queues with faults and CPU time.
 *
 * @module
 */
import type { Backend } from "../../src/backends/backend.ts";
import {
  createMemoryDisk,
  MemoryBackend,
} from "../../src/backends/protocols/memory.ts";
import { NullBackend } from "../../src/backends/protocols/null.ts";
import {
  BlockExport,
  exportCapabilities,
} from "../../src/export/block_export.ts";
import type { ExportRules } from "../../src/export/export_context.ts";
import { ExportState } from "../../src/export/export_state.ts";
import type { Exchange } from "../../src/protocol/exchange.ts";
import type { WantedCapabilities } from "../../src/protocol/init.ts";
import { OPCODES } from "../../src/protocol/opcodes.ts";
import type { QueueStatistics } from "../../src/queue/queue_statistics.ts";
import type { RequestQueue } from "../../src/queue/request_queue.ts";
import type { RequestHandler } from "../../src/queue/request_handler.ts";
import type { Cores, VirtualClock } from "../determinism/clock.ts";
import type { EventLog } from "../determinism/event_log.ts";
import type { FaultDice } from "../faults/faults.ts";
import { FaultyBackend } from "../faults/faulty_backend.ts";
import { FaultyQueue } from "../faults/faulty_queue.ts";
import { TimedQueue } from "../faults/timed_queue.ts";
import type { ReplyChecker } from "../oracle/reply_checker.ts";
import type { SimKernel } from "../vfs/sim_kernel.ts";
import {
  maxPayloadOf,
  type SimulationHooks,
  type SimulationPlan,
} from "./simulation_plan.ts";
import type { TimelineRecorder } from "./timeline.ts";
import { serveInThread, type ThreadServer } from "./thread_server.ts";

/** How long a hung Worker's queue stays open, in microseconds. */
const HANG_US = 20_000;
/** Longer than any request timeout, so that the kernel gives up first. */
const LONG_HANG_US = 180e6;

/** The options of a {@linkcode SimulatedExport}. */
export interface SimulatedExportOptions {
  /** The plan that is simulated. */
  readonly plan: SimulationPlan;
  /** Replacements of parts, for tests. */
  readonly hooks: SimulationHooks;
  /** The kernel that sends the requests. */
  readonly kernel: SimKernel;
  /** Passes time in the backend. */
  readonly clock: VirtualClock;
  /** The CPUs that the queues' threads run on. */
  readonly cores: Cores;
  /** Which faults happen. */
  readonly dice: FaultDice;
  /** Records queues that are closed. */
  readonly log: EventLog;
  /** Receives the ids of replies that a fault has corrupted. */
  readonly checker: ReplyChecker;
  /** Counts the requests of each queue. */
  readonly statistics: QueueStatistics;
  /** Notes when the queues' threads work, if anything does. */
  readonly recorder: TimelineRecorder | null;
}

/** An export whose backend and queues fail as the dice say. */
export class SimulatedExport {
  readonly #options: SimulatedExportOptions;
  readonly #backend: FaultyBackend;

  /** Opens the disk; requests are served after {@linkcode start}. */
  constructor(options: SimulatedExportOptions) {
    const { plan, clock, dice } = options;
    this.#options = options;
    this.#backend = new FaultyBackend(diskOf(plan, options.hooks), {
      clock,
      dice,
      serviceUs: plan.costs.backendUs,
    });
  }

  /** Backend calls that have not been answered. */
  get inFlight(): number {
    return this.#backend.inFlight;
  }

  /** Answers INIT, then serves every queue. */
  async start(): Promise<ThreadServer> {
    const { plan, hooks, kernel, statistics, cores } = this.#options;
    const { recorder } = this.#options;
    const { size, growable } = plan;
    // As QEMU does, because clients truncate disks of fixed size too.
    const rules: ExportRules = {
      writable: true,
      growable,
      allowOther: true,
      ...growable ? {} : { truncate: "as-qemu" },
    };
    const owner = { mode: 0o600, uid: 0, gid: 0 };
    const state = ExportState.create({ size, ...owner, oneThread: true });
    const wrap = hooks.handler ?? ((same: RequestHandler) => same);
    return await serveInThread(kernel, {
      wanted: wantedBy(plan, exportCapabilities(rules)),
      statistics,
      drainMs: 0,
      handler: () =>
        wrap(new BlockExport({ backend: this.#backend, state, rules })),
      around: (queue, index) => {
        const faulty = this.#withFaults(queue, index);
        const broken = hooks.around?.(faulty, kernel, index) ?? faulty;
        const cost = (exchange: Exchange) => costOf(plan, exchange);
        return new TimedQueue(broken, cores, cost, (unique, us) => {
          recorder?.worked(unique, us);
        });
      },
    });
  }

  #withFaults(queue: RequestQueue, index: number): FaultyQueue {
    const { plan, kernel, clock, dice, checker } = this.#options;
    return new FaultyQueue(queue, {
      index,
      clock,
      dice,
      hangUs: plan.requestTimeout > 0 ? LONG_HANG_US : HANG_US,
      queues: plan.queues,
      write: (index, message) => kernel.write(index, message),
      isOnly: ({ request }) =>
        kernel.processing === 1 &&
        request.opcode !== OPCODES.INTERRUPT.opcode,
      kill: (index) => this.#kill(index),
      onDefect: (unique) => checker.tolerate(unique),
    });
  }

  /** Closes a queue, unless it is the last one. */
  #kill(index: number): boolean {
    const { kernel, log } = this.#options;
    const open = kernel.openQueues;
    if (open.length < 2 || !open.includes(index)) return false;
    log.add(`close ${index}`);
    kernel.close(index);
    return true;
  }
}

function diskOf(
  { size, growable, isNull }: SimulationPlan,
  hooks: SimulationHooks,
): Backend {
  const wrap = hooks.backend ?? ((same: Backend) => same);
  return wrap(
    isNull
      ? new NullBackend(size)
      : new MemoryBackend(createMemoryDisk(size, { growable })),
  );
}

function wantedBy(
  plan: SimulationPlan,
  wanted: WantedCapabilities,
): WantedCapabilities {
  const { policy, requestTimeout } = plan;
  const flags = [...wanted.flags];
  if (policy === "uring") flags.push("OVER_IO_URING");
  if (requestTimeout > 0) flags.push("REQUEST_TIMEOUT");
  return { ...wanted, flags, requestTimeout, maxWrite: maxPayloadOf(plan) };
}

function costOf({ costs }: SimulationPlan, { request }: Exchange): number {
  return costs.serverUs + costs.kibUs * request.length / 1024;
}

/** Whether a client maps the file, so that pages it reads may be kept. */
