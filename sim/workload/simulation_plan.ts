/**
 * The input and the result of a simulation.
 *
 * @module
 */
import type { Backend } from "../../src/backends/backend.ts";
import { PAGE_SIZE } from "../../src/base/limits.ts";
import { MAX_PAYLOAD } from "../../src/export/block_export.ts";
import type { QueueTotals } from "../../src/queue/queue_statistics.ts";
import type { RequestQueue } from "../../src/queue/request_queue.ts";
import type { RequestHandler } from "../../src/queue/request_handler.ts";
import type { FaultName, FaultRates } from "../faults/faults.ts";
import type { SimKernel } from "../vfs/sim_kernel.ts";
import type { ClientPlan } from "./client_plan.ts";
import type { Timeline } from "./timeline.ts";
import type { PolicyName } from "../kernel/policy.ts";

/**
 * Durations in microseconds of virtual time.
 *
 * @category Simulation
 */
export interface SimCosts {
  /** CPU time of a request in the server. */
  readonly serverUs: number;
  /** Additional CPU time for each KiB of the request. */
  readonly kibUs: number;
  /** CPU time of a step in the client. */
  readonly clientUs: number;
  /** The shortest and the longest time that a reader takes to wake up. */
  readonly wakeUs: readonly [number, number];
  /** The time of a backend call. */
  readonly backendUs: number;
}

/**
 * Everything that a run depends on, as plain data.
 *
 * @category Simulation
 */
export interface SimulationPlan {
  /** The seed of all random numbers. */
  readonly seed: number;
  /** The number of queues. */
  readonly queues: number;
  /** Requests that a queue may have in flight. */
  readonly capacity: number;
  /**
   * The policy that chooses the queue of each request; `uring` for FUSE over
   * io_uring.
   */
  readonly policy: PolicyName | "uring";
  /** The number of CPUs. */
  readonly cores: number;
  /** Durations. */
  readonly costs: SimCosts;
  /** Size of the disk in bytes. */
  readonly size: number;
  /** Whether the disk can grow. */
  readonly growable: boolean;
  /** Whether the disk is a null disk, whose bytes are always zero. */
  readonly isNull: boolean;
  /** The request timeout in seconds; 0 for none. */
  readonly requestTimeout: number;
  /** The probability of each fault. */
  readonly rates: FaultRates;
  /** The clients. */
  readonly clients: readonly ClientPlan[];
}

/**
 * Ways to watch a run and to replace parts of it; not part of a plan.
 *
 * @category Simulation
 */
export interface SimulationHooks {
  /** Whether to keep the lines of the log. */
  readonly keepsLog?: boolean;
  /** Wraps a queue, in a broken one for instance. */
  readonly around?: (
    queue: RequestQueue,
    kernel: SimKernel,
    index: number,
  ) => RequestQueue;
  /** Wraps the export. */
  readonly handler?: (inner: RequestHandler) => RequestHandler;
  /** Wraps the backend. */
  readonly backend?: (inner: Backend) => Backend;
  /** Called at the end with what happened to each request, and when. */
  readonly onTimeline?: (timeline: Timeline) => void;
  /** Called with the number of steps that have ended. */
  readonly onProgress?: (steps: number) => void;
}

/**
 * The result of a run.
 *
 * @category Simulation
 */
export interface SimulationOutcome {
  /** The first error in one sentence; `null` if there is none. */
  readonly failure: string | null;
  /** Microseconds of virtual time until all clients had finished. */
  readonly virtualUs: number;
  /** The number of steps that have ended. */
  readonly steps: number;
  /** The number of steps that ended with an error. */
  readonly errors: number;
  /** The counters of each queue. */
  readonly queues: readonly QueueTotals[];
  /** Readers that were woken and found nothing to read. */
  readonly spuriousWakeups: number;
  /** How often each fault was injected. */
  readonly faults: Readonly<Partial<Record<FaultName, number>>>;
  /** The number of events. */
  readonly events: number;
  /** A hash of all events: equal for two runs only if the runs are equal. */
  readonly logHash: string;
  /** The lines of the log, if they were kept. */
  readonly log: readonly string[];
}

/** No payload is smaller: the audit reads the disk in pieces of this size. */
const PAYLOAD_MIN = 65536;

/**
 * The largest payload that a plan needs, in bytes. The queues' buffers and
 * max_write have this size, because memory that no request uses costs time.
 */
export function maxPayloadOf({ clients }: SimulationPlan): number {
  let most = PAYLOAD_MIN;
  for (const { steps } of clients) {
    for (const step of steps) {
      if ("size" in step && "at" in step) most = Math.max(most, step.size);
    }
  }
  return Math.min(MAX_PAYLOAD, PAGE_SIZE * Math.ceil(most / PAGE_SIZE));
}
