import { ENGINES } from "../../fio/cells.ts";
import { ASSUMED_COSTS } from "../costs.ts";
import type { MachineCell } from "./cells.ts";
import type { MachineCosts } from "./costs.ts";
import { Job } from "./job.ts";
import {
  type Connection,
  ConnectionLocks,
  PendingRequests,
} from "./requests.ts";
import { Scheduler } from "./scheduler.ts";
import { Worker } from "./worker.ts";

/** What {@linkcode predict} models. */
export interface MachineModel {
  readonly cell: Pick<MachineCell, "transport" | "engine">;
  readonly queues: number;
  readonly jobs: number;
  readonly cpus: number;
  readonly costs: MachineCosts;
}

/** Microseconds of virtual time before anything is counted, and then. */
const WARM_UP_US = 20_000;
const MEASURED_US = 200_000;

/** Models a cell in virtual time; returns requests a second. */
export function predict(
  { cell: { transport, engine }, queues, jobs, cpus, costs }: MachineModel,
): number {
  const scheduler = new Scheduler(cpus, costs.idleWake);
  const { lockTransfer } = ASSUMED_COSTS;
  const connection: Connection = {
    transport,
    scheduler,
    pending: new PendingRequests(transport, cpus, queues),
    locks: new ConnectionLocks(),
    costs,
    // Asynchronous requests take bg_lock as well.
    lockUs: engine === "aio" ? 2 * lockTransfer : lockTransfer,
  };
  for (let index = 0; index < queues; index++) {
    new Worker(connection, index, index % cpus);
  }
  const running = Array.from(
    { length: jobs },
    (_, index) =>
      new Job(connection, {
        cpu: index % cpus,
        depth: ENGINES[engine].depth,
        clientUs: costs.client[engine],
      }),
  );
  const ended = () => running.reduce((sum, job) => sum + job.ended, 0);
  const { engine: time } = scheduler;
  while (time.now < WARM_UP_US && time.step());
  const [start, before] = [time.now, ended()];
  while (time.now < start + MEASURED_US && time.step());
  return (ended() - before) / (time.now - start) * 1e6;
}
