import { BackgroundCount } from "./dispatch.ts";
import { ASSUMED_CORES, ASSUMED_COSTS, DEVICE_PARALLELISM } from "./costs.ts";
import type { AssumedCosts, FittedCosts } from "./costs.ts";
import { Device } from "./device.ts";
import { Dispatch, type PredictionPolicy } from "./dispatch.ts";
import { Engine } from "./engine.ts";
import { FITTED_COSTS } from "./costs.ts";
import { Job } from "./job.ts";
import { SharedState, SleepLock } from "./locks.ts";
import { RandomTimes } from "./engine.ts";
import type { Workload } from "./measured.ts";
import { Server } from "./server.ts";
import { Cores, type Machine } from "./thread.ts";

/** The options of {@linkcode simulate}. */
export interface ModelOptions {
  /** The seed of all random numbers; 1 if left out. */
  readonly seed?: number;
  /** The number of CPUs. */
  readonly cores?: number;
  /** The policy; "herd" if left out, because QEMU's threads poll. */
  readonly policy?: PredictionPolicy;
  /**
   * Requests of each asynchronous job in flight; 16 if left out, as measured.
   */
  readonly iodepth?: number;
  /** `fc->max_background`; QEMU's 65535 if left out. */
  readonly maxBackground?: number;
  /** Whether writes share the inode's lock: FOPEN_PARALLEL_DIRECT_WRITES. */
  readonly parallelWrites?: boolean;
  /** The number of requests to measure, after a warm-up. */
  readonly requests?: number;
  /** The fitted costs. */
  readonly fitted?: FittedCosts;
  /** The assumed costs. */
  readonly assumed?: AssumedCosts;
}

/** The result of {@linkcode simulate}. */
export interface ModelResult {
  /** Thousands of requests a second. */
  readonly kiops: number;
  /** Spurious wake-ups of server threads, a request. */
  readonly spuriousWakeups: number;
  /** Reads that found nothing, a request. */
  readonly emptyReads: number;
  /** The number of requests of each server thread. */
  readonly taken: readonly number[];
}

/** Requests of the warm-up, in addition to those in flight. */
const WARM_UP = 500;

/** Models a workload in virtual time. */
export function simulate(
  workload: Workload,
  options: ModelOptions = {},
): ModelResult {
  const {
    seed = 1,
    cores = ASSUMED_CORES,
    policy = "herd",
    iodepth = 16,
    maxBackground = 65535,
    parallelWrites = true,
    requests = 4000,
    fitted = FITTED_COSTS,
    assumed = ASSUMED_COSTS,
  } = options;
  const { threads, numjobs } = workload;
  const machine: Machine = {
    engine: new Engine(),
    cores: new Cores(cores),
    random: new RandomTimes(seed),
    costs: assumed,
  };
  const dispatch = new Dispatch(machine, {
    policy,
    threads,
    ringQueues: cores,
  });
  const background = workload.mode === "aio"
    ? new BackgroundCount(maxBackground)
    : undefined;
  const write = workload.direction === "write";
  const inodeLock = write && !parallelWrites ? new SleepLock() : undefined;
  let ended = 0;
  for (let index = 0; index < numjobs; index++) {
    new Job(machine, {
      dispatch,
      background,
      inodeLock,
      index,
      iodepth: background ? iodepth : 1,
      threads,
      clientCpu: fitted.clientCpu + sharedLockCpu(workload, assumed),
      onEnd: () => ended++,
    });
  }
  const file = workload.backend === "file";
  const latency = deviceLatency(workload, fitted);
  const device = file
    ? new Device(machine, latency, DEVICE_PARALLELISM)
    : undefined;
  const shared = new SharedState();
  const servers = Array.from(
    { length: threads },
    (_, index) =>
      new Server(machine, {
        dispatch,
        background,
        device,
        shared,
        index,
        threads,
        protocolCpu: write ? fitted.serverWriteCpu : fitted.serverReadCpu,
        fileCpu: write ? fitted.fileWriteCpu : fitted.fileReadCpu,
      }),
  );
  const { engine } = machine;
  // why: the burst of requests at the start must have no effect on the result
  const inFlight = numjobs * (background ? iodepth : 1);
  const warmUp = WARM_UP + 10 * inFlight;
  const measured = Math.max(requests, 20 * inFlight);
  while (ended < warmUp && engine.step());
  const start = engine.now;
  const before = ended;
  while (ended < before + measured && engine.step());
  const total = servers.reduce((sum, { taken }) => sum + taken, 0);
  return {
    kiops: 1000 * (ended - before) / (engine.now - start),
    emptyReads: servers.reduce((sum, { emptyReads }) => sum + emptyReads, 0) /
      total,
    spuriousWakeups: servers.reduce((sum, { spurious }) => sum + spurious, 0) /
      total,
    taken: servers.map(({ taken }) => taken),
  };
}

/** CPU time that a shared inode lock costs a writer beside others. */
function sharedLockCpu(workload: Workload, assumed: AssumedCosts): number {
  const shares = workload.direction === "write" && workload.numjobs > 1;
  return shares ? 2 * assumed.atomicTransfer : 0;
}

function deviceLatency(workload: Workload, fitted: FittedCosts): number {
  if (workload.direction === "write") return fitted.writeLatency;
  if (workload.pattern === "rand") return fitted.randReadLatency;
  return workload.numjobs > 1 ? fitted.mixedReadLatency : fitted.seqReadLatency;
}
