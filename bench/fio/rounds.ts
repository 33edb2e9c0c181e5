import type { Peer } from "../servers/commands.ts";
import type { Guard } from "../servers/guard.ts";
import { rotate } from "../servers/rotate.ts";
import { type RunningServer, startServer } from "../servers/running_server.ts";
import type { ServerKind } from "../servers/servers.ts";
import { type Cell, isFresh } from "./cells.ts";
import { choose } from "./choose.ts";
import { type FioRun, runFio } from "./fio.ts";
import { clusterWrites, formOf } from "./qcow2_images.ts";
import type { Sample } from "./sample.ts";
import type { FioServer } from "./servers.ts";

/** A measurement with fio of cells that have the same image. */
export interface Plan {
  readonly cells: readonly Cell[];
  readonly servers: readonly FioServer[];
  readonly rounds: number;
  /** Milliseconds of a run. */
  readonly runtimeMs: number;
  /** The image that a server is started with; "" if it needs none. */
  readonly imageFor: (server: string) => Promise<string>;
  /** The disk's size in bytes. */
  readonly size: number;
  readonly peers: Readonly<Partial<Record<Peer, string>>>;
  /** A directory for mount points, sockets and files of fio. */
  readonly directory: string;
  readonly guard: Guard;
  /** Cancels the measurement. */
  readonly signal: AbortSignal;
  /** No cell begins after this time of performance.now(), in milliseconds. */
  readonly deadline: number;
}

/** Callbacks for the progress of a measurement. */
export interface Listener {
  /** A run begins: "null:read:aio:1 qemu-t2". */
  readonly onRun: (what: string) => void;
  /** A run has ended. */
  readonly onSample: (sample: Sample) => void;
  /** All runs of a cell have ended. */
  readonly onCell: (cell: Cell) => void;
  /** Something failed or was left out. */
  readonly onNote: (note: string) => void;
}

/**
 * Measures all cells of a plan. All servers are mounted at once, and all are
 * idle except the one being measured. Each round of a cell measures every
 * server, so that a drift of the machine affects all alike. Where each run begins
 * with a fresh image, the server is started for it, and warmed up.
 *
 * @param plan The measurement.
 * @param listener Callbacks.
 * @throws If it is cancelled; everything that it started has ended then.
 */
export async function measure(plan: Plan, listener: Listener): Promise<void> {
  const running = new Map<FioServer, RunningServer>();
  try {
    for (const server of plan.servers) {
      if (!plan.cells.some((cell) => needsStart(server, cell))) continue;
      await start(server, running, plan, listener);
    }
    for (const cell of plan.cells) {
      if (performance.now() >= plan.deadline) break;
      await measureCell(cell, running, plan, listener);
      listener.onCell(cell);
    }
  } finally {
    await Promise.all([...running.values()].map((each) => each.stop()));
  }
}

/** Whether a server has to run before a cell is measured. */
function needsStart(server: FioServer, cell: Cell): boolean {
  return server.measures(cell) && !isFresh(cell);
}

async function start(
  server: FioServer,
  running: Map<FioServer, RunningServer>,
  plan: Plan,
  listener: Listener,
): Promise<void> {
  const { kind } = server;
  const { section, driver } = plan.cells[0]!;
  const { size, peers, directory, signal } = plan;
  const cacheSize = formOf(section)?.cacheSize?.(size);
  listener.onRun(`starting ${kind.name}`);
  const base = `${directory}/${section}-${kind.name}`;
  try {
    const started = await startServer(kind, {
      driver,
      image: await plan.imageFor(kind.name),
      size,
      ...cacheSize === undefined ? {} : { cacheSize },
      mountpoint: `${base}.img`,
      socket: `${base}.socket`,
      deno: Deno.execPath(),
      peers,
    }, plan);
    running.set(server, started);
  } catch (error) {
    signal.throwIfAborted();
    const why = (error as Error).message;
    listener.onNote(`${kind.name} (${section}) was left out: ${why}`);
  }
}

async function measureCell(
  cell: Cell,
  running: Map<FioServer, RunningServer>,
  plan: Plan,
  listener: Listener,
): Promise<void> {
  const present = isFresh(cell)
    ? plan.servers.filter((each) => each.measures(cell))
    : [...running.keys()].filter((each) => each.measures(cell));
  const chosen = await choose(present, plan.rounds > 1, async (server, ms) => {
    const { name } = server.kind;
    listener.onRun(`${cell.name} ${name}, choosing`);
    const sample = await tryOne(server, ms);
    return sample?.iops ?? 0;
  });
  for (let round = 0; round < plan.rounds; round++) {
    for (const server of rotate(chosen, round)) {
      listener.onRun(`${cell.name} ${server.kind.name}`);
      const sample = await tryOne(server, plan.runtimeMs);
      if (sample !== null) listener.onSample(sample);
    }
  }

  /** Restarts a server that fails, or leaves it out from then on. */
  async function tryOne(server: FioServer, ms: number): Promise<Sample | null> {
    if (isFresh(cell)) await start(server, running, plan, listener);
    const at = running.get(server);
    if (at === undefined) return null;
    try {
      return isFresh(cell)
        ? await measureFresh(cell, at, ms, plan)
        : await measureOne(cell, at, { runtimeMs: ms }, plan);
    } catch (error) {
      plan.signal.throwIfAborted();
      const why = (error as Error).message;
      listener.onNote(`${server.kind.name} failed in ${cell.name}: ${why}`);
      running.delete(server);
      await at.stop();
      if (needsStart(server, cell)) {
        await start(server, running, plan, listener);
      }
      return null;
    } finally {
      if (isFresh(cell)) {
        running.delete(server);
        await at.stop();
      }
    }
  }
}

/** Writes to clusters of a new image; to a quarter of it to warm up. */
async function measureFresh(
  cell: Cell,
  server: RunningServer,
  runtimeMs: number,
  plan: Plan,
): Promise<Sample> {
  const measurePart = (part: "warm-up" | "measured") => {
    const writes = clusterWrites(plan.size, part);
    return measureOne(cell, server, { runtimeMs, clusterWrites: writes }, plan);
  };
  await measurePart("warm-up");
  return await measurePart("measured");
}

async function measureOne(
  cell: Cell,
  server: RunningServer,
  run: Pick<FioRun, "runtimeMs" | "clusterWrites">,
  { size, directory, signal }: Plan,
): Promise<Sample> {
  const before = server.cpuSeconds();
  const { iops, bytesPerSecond, p99Us, requests } = await runFio(
    cell,
    server.path,
    {
      ...run,
      size,
      isDirect: isDirect(cell, server.kind),
      directory,
      signal,
    },
  );
  const after = server.cpuSeconds();
  return {
    cell: cell.name,
    server: server.kind.name,
    iops,
    bytesPerSecond,
    p99Us,
    serverUs: before === null || after === null
      ? null
      : (after - before) * 1e6 / requests,
  };
}

/** Servers use the disk's page cache, so that the file itself has to as well. */
function isDirect({ section }: Cell, { name }: ServerKind): boolean {
  return section !== "disk" || name !== "file";
}
