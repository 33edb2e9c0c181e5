/**
 * A backend module for the tests: after the first read, a timer in the Worker
 * that reads increments a counter. Reads take some time.
 */
import { type Backend, NullBackend } from "../../src/backends/mod.ts";

/** How long a read takes, in milliseconds. */
export const READ_MS = 300;

const TICK_MS = 20;
const SIZE = 1 << 20;

/** The options of the factory. */
export interface TickingOptions {
  /** One word: how often the timer has fired. */
  readonly ticks: SharedArrayBuffer;
  /** Whether it has to fire between requests too. */
  readonly background: boolean;
}

/** Makes the backend. */
export default function makeBackend(options: unknown): Backend {
  const { ticks, background } = options as TickingOptions;
  const count = new Int32Array(ticks);
  let timer: ReturnType<typeof setInterval> | undefined;
  const disk = new NullBackend(SIZE, "ticking");
  const zeroes = disk.read.bind(disk);
  const read = async (...args: Parameters<NullBackend["read"]>) => {
    timer ??= setInterval(() => Atomics.add(count, 0, 1), TICK_MS);
    await new Promise((resolve) => setTimeout(resolve, READ_MS));
    return await zeroes(...args);
  };
  const close = () => clearInterval(timer);
  return Object.assign(disk, { background, close, read });
}
