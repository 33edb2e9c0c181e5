import { median } from "../../report/statistics.ts";
import type { Engine, Pattern } from "../../fio/cells.ts";
import type { Transport } from "./cells.ts";
import type { MachineRun } from "./results.ts";
import type { IdleWake } from "./scheduler.ts";

/** The costs of one transport and pattern, in microseconds. */
export interface MachineCosts {
  /** CPU time of a request in fio and its system calls, without sleeping. */
  readonly client: Readonly<Record<Engine, number>>;
  /** The server's CPU time of a request, without fetching and sleeping. */
  readonly server: number;
  /** The server's CPU time to fetch a batch, of one request or of many. */
  readonly fetch: number;
  /** CPU time of fio to sleep and wake up. */
  readonly sleep: number;
  /** Further CPU time of fio if the server ran on another CPU. */
  readonly clientCrossing: number;
  /** Further CPU time of the server if fio ran on another CPU. */
  readonly serverCrossing: number;
  /** What it costs to wake an idle CPU. */
  readonly idleWake: IdleWake;
}

/** A cost that comes out lower, because of noise, counts as this. */
const LEAST_US = 0.05;

/** The median of the figures of a cell. */
export interface CellFigures {
  readonly iops: number;
  readonly clientUs: number;
  readonly serverUs: number;
  readonly switches: number;
}

/**
 * The medians of the runs that a test selects.
 *
 * @throws {Error} If there are none.
 */
export function figuresOf(
  runs: readonly MachineRun[],
  isMeant: (run: MachineRun) => boolean,
): CellFigures {
  const meant = runs.filter(isMeant);
  if (meant.length === 0) {
    throw new Error("The results lack a cell; measure again");
  }
  const of = (key: keyof CellFigures) => median(meant.map((run) => run[key]));
  return {
    iops: of("iops"),
    clientUs: of("clientUs"),
    serverUs: of("serverUs"),
    switches: of("switches"),
  };
}

/**
 * The costs that follow from the cells with one queue and one job; other runs
 * are not looked at.
 *
 * @throws {Error} If one of these cells is missing.
 */
export function costsOf(
  runs: readonly MachineRun[],
  transport: Transport,
  pattern: Pattern,
): MachineCosts {
  const figures = (placement: "together" | "apart", engine: Engine) =>
    figuresOf(
      runs,
      (run) =>
        run.transport === transport && run.pattern === pattern &&
        run.placement === placement && run.engine === engine,
    );
  const aio = figures("together", "aio");
  const sync = figures("together", "sync");
  const apart = figures("apart", "aio");
  // A batch ends when the job, which has got all of its replies, sleeps.
  const rounds = Math.min(aio.switches, 0.9);
  const fetch = atLeast((sync.serverUs - aio.serverUs) / (1 - rounds));
  // The client sleeps and wakes as the server does.
  const sleep = Math.min(fetch, sync.clientUs / 2);
  const server = atLeast(aio.serverUs - rounds * fetch);
  const client = {
    aio: atLeast(aio.clientUs - rounds * sleep),
    sync: atLeast(sync.clientUs - sleep),
  };
  const clientCrossing = atLeast(
    apart.clientUs - client.aio - apart.switches * sleep,
  );
  const serverCrossing = atLeast(
    apart.serverUs - server - apart.switches * fetch,
  );
  const crossing = clientCrossing + serverCrossing;
  return {
    client,
    server,
    fetch,
    sleep,
    clientCrossing,
    serverCrossing,
    idleWake: idleWakeOf(figures("apart", "sync"), {
      cpu: sync.clientUs + sync.serverUs + crossing,
    }),
  };
}

/**
 * Apart from its client and without polling, a server sleeps once a request, and
 * so does the client: two wake-ups of an idle CPU.
 */
function idleWakeOf(apart: CellFigures, busy: { cpu: number }): IdleWake {
  const cpu = apart.clientUs + apart.serverUs;
  return {
    cpu: atLeast((cpu - busy.cpu) / 2),
    latency: Math.max(0, (1e6 / apart.iops - cpu) / 2),
  };
}

function atLeast(us: number): number {
  return Math.max(LEAST_US, us);
}
