import { NS_PER_MS } from "../../src/base/timespec.ts";
import type { Guard } from "../servers/guard.ts";
import { startServer } from "../servers/running_server.ts";
import { mqfuse, type UringSetting } from "../servers/servers.ts";

/** An export with many queues that has nothing to do. */
export interface IdleCell {
  /** `idle:n` or `idle:y`. */
  readonly name: string;
  readonly setting: UringSetting;
}

/** What an idle export costs. */
export interface IdleResult {
  /** The cell's name. */
  readonly cell: string;
  /** CPU time of the server as a share of the time. */
  readonly share: number;
}

/** Queues of the idle export: as many as can be. */
export const IDLE_QUEUES = 64;
/** CPU time of an idle export, as a share of the time. */
export const IDLE_LIMIT = 0.001;

/**
 * Runs' lengths until nothing of the start is left: V8 collects its garbage once
 * nothing has happened for some time, up to 90 s after the start.
 */
const SETTLE_RUNS = 100;
/** Runs' lengths that are measured. */
const IDLE_RUNS = 20;

/** One for each setting of the kernel. */
export const IDLE_CELLS: readonly IdleCell[] = [
  { name: "idle:n", setting: "N" },
  { name: "idle:y", setting: "Y" },
];

/**
 * Measures the CPU time of an export that has nothing to do.
 *
 * @param cell Which one.
 * @param options A directory for the mount point, the length of a run in
 * milliseconds, a guard that ends the server, and a signal that cancels it.
 */
export async function measureIdle(
  { name, setting }: IdleCell,
  options: {
    readonly directory: string;
    readonly runtimeMs: number;
    readonly guard: Guard;
    readonly signal: AbortSignal;
  },
): Promise<IdleResult> {
  const kind = mqfuse(setting, "idle", [`--queues=${IDLE_QUEUES}`]);
  const server = await startServer(kind, {
    driver: "null",
    image: "",
    size: 1 << 30,
    mountpoint: `${options.directory}/${kind.name}.img`,
    socket: `${options.directory}/${kind.name}.socket`,
    deno: Deno.execPath(),
    peers: {},
  }, options);
  try {
    await sleep(SETTLE_RUNS * options.runtimeMs, options.signal);
    const [before, start] = [server.threadTimes(), performance.now()];
    await sleep(IDLE_RUNS * options.runtimeMs, options.signal);
    const ms = performance.now() - start;
    const used = growthOf(before, server.threadTimes());
    return { cell: name, share: used / (ms * Number(NS_PER_MS)) };
  } finally {
    await server.stop();
  }
}

/**
 * The sum of what counters have grown by.
 *
 * @param before Values by name; a counter that is gone does not count.
 * @param after Later values; a new counter began at 0.
 */
export function growthOf(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): number {
  return [...after].reduce(
    (sum, [name, value]) => sum + value - (before.get(name) ?? 0),
    0,
  );
}

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const end = () => resolve();
  signal.addEventListener("abort", end);
  await promise;
  clearTimeout(timer);
  signal.removeEventListener("abort", end);
  signal.throwIfAborted();
}
