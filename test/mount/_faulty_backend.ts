/** A backend module for the tests: a disk in memory with one defect. */
import { MemoryBackend, type MemoryDisk } from "../../src/backends/mod.ts";

const EIO = 5;

/** Reading this position, once for all Workers, brings the defect about. */
export const TRIGGER: number = 8 << 20;

/** How long a slow backend takes, in milliseconds. */
export const SLOW_MS = 400;

/** How long one that pauses does not come back, in milliseconds. */
export const PAUSE_MS = 2500;

/**
 * What is wrong with it: every transfer fails; or all take their time; or, at
 * {@linkcode TRIGGER}, the Worker throws in the call, dies of an error before it
 * has answered, comes back late, or never.
 */
export type FaultName =
  | "failing"
  | "slow"
  | "throws"
  | "dies"
  | "pauses"
  | "hangs";

/** What the factory is given, in each Worker. */
export interface FaultyOptions {
  /** The defect. */
  readonly fault: FaultName;
  /** The bytes. */
  readonly disk: MemoryDisk;
  /** One word: how often the defect was brought about. */
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
    return first(args[0]) ? bringAbout(fault) : read(...args);
  };
  const write = fault === "failing" ? () => -EIO : backend.write.bind(backend);
  return Object.assign(backend, { read: faulty, write });
}

function bringAbout(
  fault: Exclude<FaultName, "failing" | "slow">,
): number | Promise<number> {
  switch (fault) {
    case "throws":
      throw new TypeError("A defect of the backend");
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
