/** A backend module for the tests: a disk in memory with one fault. */
import { MemoryBackend, type MemoryDisk } from "../../src/backends/mod.ts";

const EIO = 5;

/** Reading this position triggers the fault, once for all Workers. */
export const TRIGGER: number = 8 << 20;

/** How long each read of a slow backend takes, in milliseconds. */
export const SLOW_MS = 400;

/** How long a backend that pauses blocks its Worker, in milliseconds. */
export const PAUSE_MS = 2500;

/**
 * The fault: every transfer fails, or every read is slow; or, at
 * {@linkcode TRIGGER}, the call throws, the Worker dies before it has answered,
 * blocks for a while, or blocks forever.
 */
export type FaultName =
  | "failing"
  | "slow"
  | "throws"
  | "dies"
  | "pauses"
  | "hangs";

/** The options of the factory, in each Worker. */
export interface FaultyOptions {
  /** The fault. */
  readonly fault: FaultName;
  /** The bytes. */
  readonly disk: MemoryDisk;
  /** One word: how often the fault was triggered. */
  readonly triggered: SharedArrayBuffer;
}

/** Makes the backend. */
export default function makeBackend(options: unknown): MemoryBackend {
  const { fault, disk, triggered } = options as FaultyOptions;
  const backend = new MemoryBackend(disk, `a disk that is ${fault}`);
  const read = backend.read.bind(backend);
  const first = (position: number) =>
    position === TRIGGER && Atomics.add(new Int32Array(triggered), 0, 1) === 0;
  const faulty = (...args: Parameters<typeof read>) => {
    if (fault === "failing") return -EIO;
    if (fault === "slow") return later(() => read(...args));
    return first(args[0]) ? trigger(fault) : read(...args);
  };
  const write = fault === "failing" ? () => -EIO : backend.write.bind(backend);
  return Object.assign(backend, { read: faulty, write });
}

function trigger(
  fault: Exclude<FaultName, "failing" | "slow">,
): number | Promise<number> {
  switch (fault) {
    case "throws":
      throw new TypeError("A fault of the backend");
    case "dies":
      setTimeout(() => {
        throw new Error("Uncaught, with a request in hand");
      });
      return new Promise(() => {});
    case "pauses":
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
      return -EIO;
    case "hangs":
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      return -EIO;
  }
}

function later(read: () => number): Promise<number> {
  return new Promise((resolve) => setTimeout(() => resolve(read()), SLOW_MS));
}
