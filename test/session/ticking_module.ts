/**
 * A backend module for the tests: from the first read on a timer of it counts,
 * in the Worker that reads; and reads take their time.
 */
import { type Backend, NullBackend } from "../../src/backends/mod.ts";

/** How long a read takes, in milliseconds. */
export const READ_MS = 300;

const TICK_MS = 20;
const SIZE = 1 << 20;

/** What the factory is given. */
export interface TickingOptions {
  /** One word: how often the timer has come. */
  readonly ticks: SharedArrayBuffer;
  /** Whether it has to come between requests. */
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
