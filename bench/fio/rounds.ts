import type { Cell, Driver } from "./cells.ts";
import type { Contestant, Place } from "./contestants.ts";
import { type FioTimes, runFio } from "./fio.ts";
import type { Sample } from "./results.ts";
import { type Server, startServer } from "./server.ts";

/** What is to be measured, and how. */
export interface Plan {
  readonly cells: readonly Cell[];
  readonly contestants: readonly Contestant[];
  readonly rounds: number;
  readonly times: FioTimes;
  /** The image and what the commands need; mount points are added here. */
  readonly place: Omit<Place, "driver" | "mountpoint" | "socket">;
  /** An empty directory for mount points, sockets and what fio leaves. */
  readonly directory: string;
  /** Calls everything off. */
  readonly signal: AbortSignal;
  /** No cell is begun after this, in milliseconds of performance.now(). */
  readonly deadline: number;
}

/** Who is told how it goes on. */
export interface Listener {
  /** A run begins: "null:read:aio:1 qemu-t2". */
  readonly onRun: (what: string) => void;
  /** A run has ended; `null` if it failed or is left out. */
  readonly onSample: (sample: Sample | null) => void;
  /** A cell has been measured to its end. */
  readonly onCell: (cell: Cell) => void;
  /** Something went wrong, or was left out. */
  readonly onNote: (note: string) => void;
}

/** How many runs of fio a plan has. */
export function countRuns({ cells, contestants, rounds }: Plan): number {
  return cells.reduce(
    (sum, cell) => sum + rounds * entrants(contestants, cell.driver).length,
    0,
  );
}

function entrants(
  contestants: readonly Contestant[],
  driver: Driver,
): Contestant[] {
  return contestants.filter(({ drivers }) => drivers.includes(driver));
}

/**
 * The order of a round: each begins with another contestant, so that none
 * always has the same one before it at the same time.
 */
export function rotate<T>(items: readonly T[], round: number): T[] {
  const first = items.length === 0 ? 0 : round % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}

/**
 * Measures everything. All contestants of one kind of export are mounted at
 * once and idle but for the one being measured; each round of a cell takes
 * every one in turn, so that a drift of the machine falls on all alike.
 *
 * @param plan What.
 * @param listener Is told of each sample.
 * @throws If it is called off; whatever was started has been taken down then.
 */
export async function measure(plan: Plan, listener: Listener): Promise<void> {
  for (const driver of ["null", "file"] as const) {
    const cells = plan.cells.filter((cell) => cell.driver === driver);
    if (cells.length === 0 || isLate(plan)) continue;
    const servers: Server[] = [];
    try {
      await startAll(driver, plan, { servers, listener });
      for (const cell of cells) {
        if (isLate(plan)) break;
        await measureCell(cell, servers, plan, listener);
        listener.onCell(cell);
      }
    } finally {
      await Promise.all(servers.map((server) => server.stop()));
    }
  }
}

function isLate({ deadline }: Plan): boolean {
  return performance.now() >= deadline;
}

async function startAll(
  driver: Driver,
  plan: Plan,
  { servers, listener }: { servers: Server[]; listener: Listener },
): Promise<void> {
  const { directory, signal } = plan;
  for (const contestant of entrants(plan.contestants, driver)) {
    listener.onRun(`starting ${contestant.name}`);
    const base = `${directory}/${driver}-${contestant.name}`;
    const place: Place = {
      ...plan.place,
      driver,
      mountpoint: `${base}.img`,
      socket: `${base}.socket`,
    };
    try {
      const server = await startServer(contestant, place, {
        directory,
        signal,
      });
      servers.push(server);
    } catch (error) {
      signal.throwIfAborted();
      const why = (error as Error).message;
      listener.onNote(`${contestant.name} (${driver}) was left out: ${why}`);
    }
  }
}

async function measureCell(
  cell: Cell,
  servers: Server[],
  plan: Plan,
  listener: Listener,
): Promise<void> {
  const expected = entrants(plan.contestants, cell.driver).length;
  for (let round = 0; round < plan.rounds; round++) {
    for (let i = servers.length; i < expected; i++) listener.onSample(null);
    for (const server of rotate(servers, round)) {
      const { name } = server.contestant;
      listener.onRun(`${cell.name} ${name}`);
      try {
        listener.onSample(await measureOne(cell, server, plan));
      } catch (error) {
        plan.signal.throwIfAborted();
        listener.onSample(null);
        const why = (error as Error).message;
        listener.onNote(`${name} failed in ${cell.name}: ${why}`);
        await restart(server, servers, plan, listener);
      }
    }
  }
}

/** Starts a server anew that failed, or leaves it out from now on. */
async function restart(
  server: Server,
  servers: Server[],
  { directory, signal }: Plan,
  listener: Listener,
): Promise<void> {
  const { contestant, place, stop } = server;
  const at = servers.indexOf(server);
  await stop();
  try {
    servers[at] = await startServer(contestant, place, { directory, signal });
  } catch (error) {
    servers.splice(at, 1);
    signal.throwIfAborted();
    const why = (error as Error).message;
    listener.onNote(`${contestant.name} was left out after that: ${why}`);
  }
}

async function measureOne(
  cell: Cell,
  server: Server,
  { times, place, directory, signal }: Plan,
): Promise<Sample> {
  const before = server.cpuSeconds();
  const { requests, ...figures } = await runFio(cell, server.path, {
    size: place.size,
    times,
    directory,
    signal,
  });
  const after = server.cpuSeconds();
  // fio counts no requests of its ramp, in which the server works as well.
  const all = requests * (1 + times.rampMs / times.runtimeMs);
  const serverUs = before === null || after === null
    ? null
    : (after - before) * 1e6 / all;
  return {
    cell: cell.name,
    contestant: server.contestant.name,
    ...figures,
    serverUs,
  };
}
