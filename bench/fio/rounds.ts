import type { Cell, Driver } from "./cells.ts";
import type { ServerKind, ServerSetup } from "./servers.ts";
import { type FioTimes, runFio } from "./fio.ts";
import type { Sample } from "./results.ts";
import { type RunningServer, startServer } from "./running_server.ts";

/** A measurement. */
export interface Plan {
  readonly cells: readonly Cell[];
  readonly servers: readonly ServerKind[];
  readonly rounds: number;
  readonly times: FioTimes;
  /** The setup of the servers; mount points and sockets are added. */
  readonly setup: Omit<ServerSetup, "driver" | "mountpoint" | "socket">;
  /** An empty directory for mount points, sockets and files of fio. */
  readonly directory: string;
  /** Cancels the measurement. */
  readonly signal: AbortSignal;
  /** No cell begins after this time of performance.now(), in milliseconds. */
  readonly deadline: number;
}

/** Callbacks for the progress of a measurement. */
export interface Listener {
  /** A run begins: "null:read:aio:1 qemu-t2". */
  readonly onRun: (what: string) => void;
  /** A run has ended; `null` if it failed or was left out. */
  readonly onSample: (sample: Sample | null) => void;
  /** All runs of a cell have ended. */
  readonly onCell: (cell: Cell) => void;
  /** Something failed or was left out. */
  readonly onNote: (note: string) => void;
}

/** The number of fio runs of a plan. */
export function countRuns({ cells, servers, rounds }: Plan): number {
  return cells.reduce(
    (sum, cell) => sum + rounds * serversFor(cell.driver, servers).length,
    0,
  );
}

function serversFor(
  driver: Driver,
  servers: readonly ServerKind[],
): ServerKind[] {
  return servers.filter(({ drivers }) => drivers.includes(driver));
}

/**
 * The order of a round. Each round begins with another item, so that none is
 * always at the same position.
 */
export function rotate<T>(items: readonly T[], round: number): T[] {
  const first = items.length === 0 ? 0 : round % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}

/**
 * Measures all cells of a plan. All servers of one kind of export are mounted
 * at once, and all are idle except the one being measured. Each round of a cell
 * measures every server, so that a drift of the machine affects all alike.
 *
 * @param plan The measurement.
 * @param listener Callbacks.
 * @throws If it is cancelled; everything that it started has ended then.
 */
export async function measure(plan: Plan, listener: Listener): Promise<void> {
  for (const driver of ["null", "file"] as const) {
    const cells = plan.cells.filter((cell) => cell.driver === driver);
    if (cells.length === 0 || isLate(plan)) continue;
    const running: RunningServer[] = [];
    try {
      await startAll(driver, plan, { running, listener });
      for (const cell of cells) {
        if (isLate(plan)) break;
        await measureCell(cell, running, plan, listener);
        listener.onCell(cell);
      }
    } finally {
      await Promise.all(running.map((server) => server.stop()));
    }
  }
}

function isLate({ deadline }: Plan): boolean {
  return performance.now() >= deadline;
}

async function startAll(
  driver: Driver,
  plan: Plan,
  { running, listener }: { running: RunningServer[]; listener: Listener },
): Promise<void> {
  const { directory, signal } = plan;
  for (const kind of serversFor(driver, plan.servers)) {
    listener.onRun(`starting ${kind.name}`);
    const base = `${directory}/${driver}-${kind.name}`;
    const setup: ServerSetup = {
      ...plan.setup,
      driver,
      mountpoint: `${base}.img`,
      socket: `${base}.socket`,
    };
    try {
      running.push(await startServer(kind, setup, { directory, signal }));
    } catch (error) {
      signal.throwIfAborted();
      const why = (error as Error).message;
      listener.onNote(`${kind.name} (${driver}) was left out: ${why}`);
    }
  }
}

async function measureCell(
  cell: Cell,
  running: RunningServer[],
  plan: Plan,
  listener: Listener,
): Promise<void> {
  const expected = serversFor(cell.driver, plan.servers).length;
  for (let round = 0; round < plan.rounds; round++) {
    for (let i = running.length; i < expected; i++) listener.onSample(null);
    for (const server of rotate(running, round)) {
      const { name } = server.kind;
      listener.onRun(`${cell.name} ${name}`);
      try {
        listener.onSample(await measureOne(cell, server, plan));
      } catch (error) {
        plan.signal.throwIfAborted();
        listener.onSample(null);
        const why = (error as Error).message;
        listener.onNote(`${name} failed in ${cell.name}: ${why}`);
        await restart(server, running, plan, listener);
      }
    }
  }
}

/** Restarts a server that failed, or leaves it out from now on. */
async function restart(
  server: RunningServer,
  running: RunningServer[],
  { directory, signal }: Plan,
  listener: Listener,
): Promise<void> {
  const { kind, setup, stop } = server;
  const at = running.indexOf(server);
  await stop();
  try {
    running[at] = await startServer(kind, setup, { directory, signal });
  } catch (error) {
    running.splice(at, 1);
    signal.throwIfAborted();
    const why = (error as Error).message;
    listener.onNote(`${kind.name} was left out after that: ${why}`);
  }
}

async function measureOne(
  cell: Cell,
  server: RunningServer,
  { times, setup, directory, signal }: Plan,
): Promise<Sample> {
  const before = server.cpuSeconds();
  const { requests, ...figures } = await runFio(cell, server.path, {
    size: setup.size,
    times,
    directory,
    signal,
  });
  const after = server.cpuSeconds();
  // fio does not count the requests of its ramp, which cost CPU time as well.
  const all = requests * (1 + times.rampMs / times.runtimeMs);
  const serverUs = before === null || after === null
    ? null
    : (after - before) * 1e6 / all;
  return {
    cell: cell.name,
    server: server.kind.name,
    ...figures,
    serverUs,
  };
}
