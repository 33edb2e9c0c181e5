/// <reference lib="deno.worker" />
/** A backend module for the tests: a disk in memory with one fault. */
import { MemoryBackend, type MemoryDisk } from "../../src/backends/mod.ts";

const EIO = 5;

/** Transfers at this position trigger the fault, once for all Workers. */
export const TRIGGER: number = 8 << 20;

/** Bytes of a sector. */
export const SECTOR = 512;

/** The bad sectors of a damaged disk: one in a page, two, and a whole page. */
export const BAD_SECTORS: readonly number[] = [
  777,
  ...[4001, 4003],
  ...Array.from({ length: 8 }, (_, i) => 9000 + i),
];

/** How long each read of a slow backend takes, in milliseconds. */
export const SLOW_MS = 400;

/** How long a backend that pauses blocks its Worker, in milliseconds. */
export const PAUSE_MS = 2500;

/** Calls during which a Worker ends, and how. */
export type DeathName =
  | "dies writing"
  | "closes writing"
  | "exits writing"
  | "dies resizing";

/**
 * The fault: every transfer fails, those that touch a bad sector do, or every
 * read is slow; or, at {@linkcode TRIGGER}, a read throws, posts a message or
 * counts too much, or the Worker dies before it has answered, blocks for a
 * while, or blocks forever; or it ends during a write at {@linkcode TRIGGER} or
 * the first change of the size.
 */
export type FaultName =
  | "failing"
  | "damaged"
  | "slow"
  | "throws"
  | "posts"
  | "counts"
  | "dies"
  | "pauses"
  | "hangs"
  | DeathName;

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
  const write = backend.write.bind(backend);
  const truncate = backend.truncate.bind(backend);
  switch (fault) {
    case "failing":
      return Object.assign(backend, { read: () => -EIO, write: () => -EIO });
    case "damaged":
      return Object.assign(backend, {
        read: beforeBadSectors(read),
        write: beforeBadSectors(write),
      });
    case "slow":
      return Object.assign(backend, {
        read: (...args: Parameters<Transfer>) => later(() => read(...args)),
      });
    case "dies writing":
    case "closes writing":
    case "exits writing":
      return Object.assign(backend, {
        write: (...args: Parameters<Transfer>) =>
          first(args[0]) ? die(fault) : write(...args),
      });
    case "dies resizing":
      return Object.assign(backend, {
        truncate: (size: number) =>
          truncate(size) === 0 && first(TRIGGER) ? die(fault) : 0,
      });
    default:
      return Object.assign(backend, {
        read: (...args: Parameters<Transfer>) =>
          first(args[0]) ? trigger(fault) : read(...args),
      });
  }
}

function trigger(
  fault: "throws" | "posts" | "counts" | "dies" | "pauses" | "hangs",
): number | Promise<number> {
  switch (fault) {
    case "throws":
      throw new TypeError("A fault of the backend");
    case "posts":
      self.postMessage(null);
      return 0;
    case "counts":
      return 1 << 30;
    case "dies":
      return die("dies writing");
    case "pauses":
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
      return -EIO;
    case "hangs":
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      return -EIO;
  }
}

/** Ends the Worker; the call is never answered. */
function die(how: DeathName): Promise<number> {
  if (how === "closes writing") self.close();
  else if (how === "exits writing") Deno.exit(3);
  else {
    setTimeout(() => {
      throw new Error("Uncaught, with a request in hand");
    });
  }
  return new Promise(() => {});
}

type Transfer = MemoryBackend["read"];

/** Transfers the bytes up to the first bad sector. */
function beforeBadSectors(transfer: Transfer): Transfer {
  return (position, buffer, start, length) => {
    const bad = BAD_SECTORS.find((sector) => (sector + 1) * SECTOR > position);
    const count = Math.min(length, (bad ?? Infinity) * SECTOR - position);
    return count > 0 ? transfer(position, buffer, start, count) : -EIO;
  };
}

function later(read: () => number): Promise<number> {
  return new Promise((resolve) => setTimeout(() => resolve(read()), SLOW_MS));
}
