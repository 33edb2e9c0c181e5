import { UserError } from "../base/user_error.ts";
import type { TraceRecord } from "../protocol/trace.ts";
import type { QueueEnd } from "../queue/request_queue.ts";
import { closeDescriptor } from "../linux/syscall/descriptor.ts";
import source from "./worker.bundle.js" with { type: "text" };
import type {
  GoMessage,
  StartMessage,
  WorkerMessage,
} from "./worker_messages.ts";

/** Who hears of what a Worker tells. */
export interface WorkerListener {
  /** A message passed. */
  trace?(record: TraceRecord): void;
  /** A defect in a handler or backend was answered with an error. */
  report(during: string, message: string): void;
}

/** A Worker that serves one queue. */
export class QueueWorker {
  /** The queue's number. */
  readonly index: number;
  /** Resolves when the ring is made that was asked for, or to why it is not. */
  readonly ring: Promise<string | null>;
  /** Resolves when the Worker is about to take its first request. */
  readonly ready: Promise<void>;
  /** Resolves when its queue has ended, however that came. */
  readonly done: Promise<QueueEnd>;
  readonly #worker: Worker;

  /** Starts a Worker; needs no permission but that for FFI. */
  constructor(start: StartMessage, listener: WorkerListener) {
    this.index = start.index;
    const url = URL.createObjectURL(
      new Blob([source], { type: "text/javascript" }),
    );
    this.#worker = new Worker(url, {
      type: "module",
      name: `mqfuse-q${start.index}`,
    });
    const ring = Promise.withResolvers<string | null>();
    const ready = Promise.withResolvers<void>();
    const done = Promise.withResolvers<QueueEnd>();
    this.ring = ring.promise;
    this.ready = ready.promise;
    // Whoever waits for the other of the two hears of it.
    this.ring.catch(() => {});
    this.ready.catch(() => {});
    this.done = done.promise;
    let isOver = false;
    const failed = (message: string) => {
      isOver = true;
      ring.reject(new UserError(message));
      ready.reject(new UserError(message));
      done.resolve({ reason: "failed", message });
    };
    this.#worker.onmessage = ({ data }: MessageEvent<WorkerMessage>) => {
      switch (data.kind) {
        case "ring":
          return ring.resolve(data.failure);
        case "ready":
          URL.revokeObjectURL(url);
          return ready.resolve();
        case "failed":
          return failed(data.message);
        case "trace":
          return listener.trace?.(data.record);
        case "report":
          return listener.report(data.during, data.error.message);
        case "done":
          isOver = true;
          return done.resolve(data.end);
      }
    };
    this.#worker.onerror = (event) => {
      // Unhandled, it would end the whole program and leave the mount behind.
      event.preventDefault();
      // It ended before it could do so: its clients would wait for ever.
      if (!isOver) closeDescriptor(start.fd);
      failed(`The Worker of queue ${start.index} failed: ${event.message}`);
    };
    this.#worker.postMessage(start);
  }

  /** Lets a Worker go on that was asked for a ring. */
  go(message: GoMessage): void {
    this.#worker.postMessage(message);
  }

  /**
   * Ends the Worker. One that sleeps in a system call lives on until that
   * returns, so its queue has to end first.
   */
  terminate(): void {
    this.#worker.terminate();
  }
}
