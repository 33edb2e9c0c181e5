/**
 * What a simulation is told and what it tells.
 *
 * @module
 */
import type { Backend } from "../../src/backends/backend.ts";
import type { QueueTotals } from "../../src/queue/queue_statistics.ts";
import type { RequestQueue } from "../../src/queue/request_queue.ts";
import type { RequestHandler } from "../../src/queue/serve.ts";
import type { FaultName, FaultRates } from "../faults/faults.ts";
import type { SimKernel } from "../vfs/sim_kernel.ts";
import type { ClientPlan } from "./client_plan.ts";
import type { PolicyName } from "../kernel/policy.ts";

/** What things take, in microseconds of virtual time. */
export interface SimCosts {
  /** A request in the server's thread. */
  readonly serverUs: number;
  /** Each KiB that a request moves. */
  readonly kibUs: number;
  /** A step in its client's thread. */
  readonly clientUs: number;
  /** A reader's waking up, at least and at most. */
  readonly wakeUs: readonly [number, number];
  /** A call of the backend. */
  readonly backendUs: number;
}

/** All that a run depends on; plain data. */
export interface SimulationPlan {
  /** Where all chance comes from. */
  readonly seed: number;
  /** Queues of the connection. */
  readonly queues: number;
  /** Requests that a queue may have outstanding. */
  readonly capacity: number;
  /** Who gets which request; `uring` for an io_uring's queues by CPU. */
  readonly policy: PolicyName | "uring";
  /** CPUs of the machine. */
  readonly cores: number;
  /** What things take. */
  readonly costs: SimCosts;
  /** Size of the disk in bytes. */
  readonly size: number;
  /** Whether the disk can grow. */
  readonly growable: boolean;
  /** Whether it is the null disk, whose bytes are all zero. */
  readonly isNull: boolean;
  /** Seconds that the kernel waits for a reply at most; 0 for ever. */
  readonly requestTimeout: number;
  /** What goes wrong, and how often. */
  readonly rates: FaultRates;
  /** What the clients do. */
  readonly clients: readonly ClientPlan[];
}

/** Ways to look into a run and to break it; not part of a plan. */
export interface SimulationHooks {
  /** Whether the lines of the log are kept. */
  readonly keepsLog?: boolean;
  /** Puts something between queue and server: a broken one, for instance. */
  readonly around?: (
    queue: RequestQueue,
    kernel: SimKernel,
    index: number,
  ) => RequestQueue;
  /** Puts something before the export. */
  readonly handler?: (inner: RequestHandler) => RequestHandler;
  /** Puts something before the backend. */
  readonly backend?: (inner: Backend) => Backend;
  /** Hears how many steps have ended. */
  readonly onProgress?: (steps: number) => void;
}

/** How a run ended. */
export interface SimulationOutcome {
  /** What went wrong in one sentence, `null` if nothing did. */
  readonly failure: string | null;
  /** Microseconds of virtual time until the clients were done. */
  readonly virtualUs: number;
  /** Steps of clients that ended. */
  readonly steps: number;
  /** How many of them with an error. */
  readonly errors: number;
  /** What each queue did. */
  readonly queues: readonly QueueTotals[];
  /** Readers that were woken and found nothing. */
  readonly spuriousWakeups: number;
  /** How often each fault was injected. */
  readonly faults: Readonly<Partial<Record<FaultName, number>>>;
  /** How many events there were. */
  readonly events: number;
  /** A number that two runs share only if they are the same. */
  readonly logHash: string;
  /** The log's lines, if they were kept. */
  readonly log: readonly string[];
}
