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
  const url = URL.createObjectURL(
    new Blob([source], { type: "text/javascript" }),
  );
  const workers: Worker[] = [];
  try {
    const loading: Promise<void>[] = [];
    for (let index = 0; index < count; index++) {
      const worker = new Worker(url, {
        type: "module",
        name: `mqfuse-q${index}`,
      });
      workers.push(worker);
      loading.push(loaded(worker));
    }
    await Promise.all(loading);
    return workers;
  } catch (error) {
    for (const worker of workers) worker.terminate();
    const reason = messageOf(error);
    throw new UserError(
      `Cannot start the Workers of ${count} queues: ${reason}; use fewer queues, or give this process more memory, threads or open files`,
      { cause: error },
    );
  } finally {
    URL.revokeObjectURL(url);
  }
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
