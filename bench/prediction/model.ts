import { BackgroundCount } from "./background.ts";
import { ASSUMED_CORES, ASSUMED_COSTS, DEVICE_PARALLELISM } from "./costs.ts";
import type { AssumedCosts, FittedCosts } from "./costs.ts";
import { Device } from "./device.ts";
import { Dispatch, type PredictionPolicy } from "./dispatch.ts";
import { Engine } from "./engine.ts";
import { FITTED_COSTS } from "./fitted.ts";
import { Job } from "./job.ts";
import { SharedState, SleepLock } from "./locks.ts";
import { RandomTimes } from "./random_times.ts";
import type { Workload } from "./seed_table.ts";
import { Server } from "./server.ts";
import { Cores, type Machine } from "./thread.ts";

/** What is to be simulated beside the workload. */
export interface ModelOptions {
  /** Where chance comes from; the same numbers give the same result. */
  readonly seed?: number;
  /** CPUs. */
  readonly cores?: number;
  /** How requests find their queue. */
  readonly policy?: PredictionPolicy;
  /** Requests of each asynchronous job in flight; the seed's 16. */
  readonly iodepth?: number;
  /** `fc->max_background`; QEMU's 65535. */
  readonly maxBackground?: number;
  /** Whether writes share the inode's lock: FOPEN_PARALLEL_DIRECT_WRITES. */
  readonly parallelWrites?: boolean;
  /** Requests to measure, after a warm-up. */
  readonly requests?: number;
  /** Costs that were fitted. */
  readonly fitted?: FittedCosts;
  /** Costs that are taken as given. */
  readonly assumed?: AssumedCosts;
}

/** What came out. */
export interface ModelResult {
  /** Thousands of requests a second. */
  readonly kiops: number;
  /** Wake-ups of server threads that found nothing, a request. */
  readonly wastedWakes: number;
  /** Reads that found nothing, a request. */
  readonly emptyReads: number;
  /** Requests of each server thread. */
  readonly taken: readonly number[];
}

/** Requests until a simulation is in full swing, beside those in flight. */
const WARM_UP = 500;

/** Simulates a workload in virtual time. */
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
  const dispatch = new Dispatch(machine, { policy, threads, rings: cores });
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
  // why: what all jobs sent at the start must be far behind what is measured
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
    wastedWakes: servers.reduce((sum, { wasted }) => sum + wasted, 0) / total,
    taken: servers.map(({ taken }) => taken),
  };
}

/** What sharing the inode's lock costs a writer beside others. */
function sharedLockCpu(workload: Workload, assumed: AssumedCosts): number {
  const shares = workload.direction === "write" && workload.numjobs > 1;
  return shares ? 2 * assumed.atomicTransfer : 0;
}

function deviceLatency(workload: Workload, fitted: FittedCosts): number {
  if (workload.direction === "write") return fitted.writeLatency;
  if (workload.pattern === "rand") return fitted.randReadLatency;
  return workload.numjobs > 1 ? fitted.mixedReadLatency : fitted.seqReadLatency;
}
