/**
 * Starts the threads of Workers, before anything is mounted: where the system
 * refuses what a thread needs, V8 or Deno may end the program, and a mount would
 * be left.
 *
 * @module
 */
import { messageOf } from "../base/message_of.ts";
import { UserError } from "../base/user_error.ts";
import source from "./worker.bundle.js" with { type: "text" };
import type { WorkerMessage } from "./worker_messages.ts";

/**
 * Starts Workers, and waits until each has loaded its code. They need no
 * permission but that for FFI.
 *
 * @param count How many.
 * @throws {UserError} If one cannot be started; then none is left.
 */
export async function startWorkerThreads(count: number): Promise<Worker[]> {
  const { workers, loaded } = launchWorkerThreads(count);
  try {
    await Promise.all(loaded);
    return workers;
  } catch (cause) {
    for (const worker of workers) worker.terminate();
    throw new UserError(
      `Cannot start the Workers of ${count} queues: ${
        messageOf(cause)
      }; use fewer queues, or give this process more memory, threads or open files`,
      { cause },
    );
  }
}

/** Workers, of which some are loading their code still. */
export interface LaunchedWorkers {
  /** Those that were made: fewer than wanted if one could not be. */
  readonly workers: Worker[];
  /** For each that was wanted, that it has loaded its code; rejects if not. */
  readonly loaded: readonly Promise<void>[];
}

/**
 * What a Worker runs first. Its code comes as a message, because Deno reads the
 * whole of a module to find what it imports: that took 80 ms of CPU time for
 * each Worker, and V8 alone takes 20.
 */
const BOOT = `addEventListener(
  "message",
  ({ data }) => Function(data)(),
  { once: true },
);`;
const CODE = `"use strict";${source}\n//# sourceURL=worker.bundle.js`;

/** Starts Workers, and does not wait for them. */
export function launchWorkerThreads(count: number): LaunchedWorkers {
  const url = URL.createObjectURL(
    new Blob([BOOT], { type: "text/javascript" }),
  );
  const workers: Worker[] = [];
  const loading: Promise<void>[] = [];
  try {
    for (let index = 0; index < count; index++) {
      const worker = new Worker(url, {
        type: "module",
        name: `mqfuse-q${index}`,
      });
      workers.push(worker);
      loading.push(loaded(worker));
      worker.postMessage(CODE);
    }
  } catch (error) {
    loading.push(Promise.reject(error));
  }
  Promise.allSettled(loading).then(() => URL.revokeObjectURL(url));
  return { workers, loaded: loading };
}

function loaded(worker: Worker): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  worker.onmessage = ({ data }: MessageEvent<WorkerMessage>) => {
    if (data.kind === "loaded") resolve();
  };
  worker.onerror = (event) => {
    // An unhandled error would end the program.
    event.preventDefault();
    reject(new Error(event.message));
  };
  return promise;
}
