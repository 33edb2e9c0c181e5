import { runFio } from "../../fio/fio.ts";
import type { Guard } from "../../servers/guard.ts";
import {
  type RunningServer,
  startServer,
} from "../../servers/running_server.ts";
import {
  cellsOf,
  clientCpuOf,
  loadOf,
  type MachineCell,
  type Placement,
  serverOf,
  type Transport,
} from "./cells.ts";
import type { MachineRun } from "./results.ts";

/** A measurement of the cells of some transports. */
export interface MachinePlan {
  readonly transports: readonly Transport[];
  readonly rounds: number;
  /** Milliseconds of a run. */
  readonly runtimeMs: number;
  /** A directory for mount points. */
  readonly directory: string;
  readonly guard: Guard;
  /** Cancels the measurement. */
  readonly signal: AbortSignal;
  /** A run begins. */
  readonly onRun: (what: string) => void;
  /** A run has ended. */
  readonly onDone: () => void;
}

/** Bytes of the null image. */
const SIZE = 2 ** 30;
const PLACEMENTS = ["together", "apart", "free"] as const;

/**
 * Measures all cells, each round every cell once, so that a drift of the
 * machine affects all alike.
 *
 * @throws If a server or fio fails, or it is cancelled; everything that it
 * started has ended then.
 */
export async function measureMachine(plan: MachinePlan): Promise<MachineRun[]> {
  const servers = new Map<string, RunningServer>();
  const runs: MachineRun[] = [];
  try {
    for (const transport of plan.transports) {
      for (const placement of PLACEMENTS) {
        plan.onRun(`starting ${transport} ${placement}`);
        const server = await start(transport, placement, plan);
        servers.set(`${transport} ${placement}`, server);
      }
    }
    for (let round = 0; round < plan.rounds; round++) {
      for (const cell of plan.transports.flatMap(cellsOf)) {
        const { transport, placement, pattern, engine } = cell;
        plan.onRun(`${transport} ${placement} ${pattern} ${engine}`);
        const server = servers.get(`${transport} ${placement}`)!;
        runs.push(await measureCell(cell, server, plan));
        plan.onDone();
      }
    }
  } finally {
    await Promise.all([...servers.values()].map((each) => each.stop()));
  }
  return runs;
}

async function start(
  transport: Transport,
  placement: Placement,
  plan: MachinePlan,
): Promise<RunningServer> {
  const base = `${plan.directory}/${transport}-${placement}`;
  try {
    return await startServer(serverOf(transport, placement), {
      driver: "null",
      image: "",
      size: SIZE,
      mountpoint: `${base}.img`,
      socket: `${base}.socket`,
      deno: Deno.execPath(),
      peers: {},
    }, plan);
  } catch (error) {
    plan.signal.throwIfAborted();
    const why = (error as Error).message;
    throw new Error(`Cannot serve ${transport} ${placement}: ${why}`);
  }
}

async function measureCell(
  cell: MachineCell,
  server: RunningServer,
  { runtimeMs, directory, signal }: MachinePlan,
): Promise<MachineRun> {
  const cpu = clientCpuOf(cell.placement);
  const before = server.threadTimes();
  const figures = await runFio(loadOf(cell), server.path, {
    size: SIZE,
    runtimeMs,
    isDirect: true,
    directory,
    signal,
    ...cpu === undefined ? {} : { cpu },
  });
  let serverNs = 0;
  for (const [thread, ns] of server.threadTimes()) {
    serverNs += ns - (before.get(thread) ?? 0);
  }
  const { iops, requests, clientUs, switches } = figures;
  return {
    ...cell,
    iops,
    clientUs,
    serverUs: serverNs / 1000 / requests,
    switches,
  };
}
