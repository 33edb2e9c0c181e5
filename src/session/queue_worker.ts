import { UserError } from "../base/user_error.ts";
import type { Notifier } from "../queue/notifier.ts";
import type { QueueEnd } from "../queue/request_queue.ts";
import { closeDescriptor } from "../linux/syscall/descriptor.ts";
import type { SessionListener } from "./session_options.ts";
import { TraceReceiver } from "./trace_relay.ts";
import type {
  GoMessage,
  ReadyMessage,
  ServeMessage,
  StartMessage,
  WorkerMessage,
} from "./worker_messages.ts";
import type { NotifiedMessage, NotifyMessage } from "./worker_notifier.ts";

/** What a Worker reports while it serves. */
export interface WorkerListener
  extends Pick<SessionListener, "trace" | "traceDropped" | "report" | "warn"> {
  /** As `onZeroed` of `ExportContext`. */
  readonly onZeroed: () => void;
  /** Takes the notifications of its handler. */
  readonly notifications: Notifier | string;
}

/** A Worker that serves one queue. */
export class QueueWorker {
  /** The queue's number. */
  readonly index: number;
  /** Resolves when the requested ring exists, or to why it does not. */
  readonly ring: Promise<string | null>;
  /**
   * Resolves when the Worker is ready to take requests, to what it has opened.
   */
  readonly ready: Promise<ReadyMessage>;
  /** Resolves when its queue has ended, for any reason. */
  readonly done: Promise<QueueEnd>;
  readonly #ring = Promise.withResolvers<string | null>();
  readonly #ready = Promise.withResolvers<ReadyMessage>();
  readonly #done = Promise.withResolvers<QueueEnd>();
  readonly #worker: Worker;
  /** The Worker's descriptors of the connection. */
  readonly #descriptors: number[];
  readonly #listener: WorkerListener;
  readonly #trace: TraceReceiver | null;
  #isOver = false;

  /**
   * Makes a Worker serve.
   *
   * @param worker A Worker of `startWorkerThreads()`.
   * @param start Which queue it serves, and how.
   * @param listener Receives its reports.
   */
  constructor(worker: Worker, start: StartMessage, listener: WorkerListener) {
    this.index = start.index;
    this.ring = this.#ring.promise;
    this.ready = this.#ready.promise;
    this.done = this.#done.promise;
    // A failure rejects both, and callers may wait for one of them only.
    this.ring.catch(() => {});
    this.ready.catch(() => {});
    this.#descriptors = [start.fd];
    this.#listener = listener;
    this.#trace = start.trace && new TraceReceiver(start.trace);
    this.#worker = worker;
    this.#worker.onmessage = ({ data }: MessageEvent<WorkerMessage>) =>
      this.#receive(data);
    this.#worker.onerror = (event) => {
      // An unhandled error would end the program and leave a stale mount.
      event.preventDefault();
      this.#died(new Error(event.message));
    };
    this.#worker.postMessage(start);
  }

  /** Tells a Worker with an io_uring whether to use it. */
  go(message: GoMessage): void {
    this.#worker.postMessage(message);
  }

  /** Lets the Worker take requests, once it is ready. */
  serve(): void {
    const message: ServeMessage = { kind: "serve" };
    this.#worker.postMessage(message);
  }

  /**
   * Ends the Worker by force. One that sleeps in a system call lives until the
   * call returns, so its queue has to end first.
   */
  terminate(): void {
    this.#worker.terminate();
  }

  #receive(message: WorkerMessage): void {
    switch (message.kind) {
      case "ring":
        return this.#ring.resolve(message.failure);
      case "ready":
        this.#descriptors.push(...message.descriptors);
        return this.#ready.resolve(message);
      case "failed":
        return this.#failed(
          message.isUserError
            ? new UserError(message.message)
            : new Error(message.message),
        );
      case "trace":
        return this.#trace?.receive(message, this.#listener);
      case "notify":
        return void this.#notify(message);
      case "told":
        return this.#listener.warn?.(message.text);
      case "zeroed":
        return this.#listener.onZeroed();
      case "report":
        return this.#listener.report?.(message.error, message.during);
      case "done":
        this.#isOver = true;
        return this.#done.resolve(message.end);
    }
  }

  async #notify({ id, message }: NotifyMessage): Promise<void> {
    const { notifications } = this.#listener;
    // The Worker knows if there are none.
    if (typeof notifications === "string") return;
    const result = await notifications.notify(message);
    const answer: NotifiedMessage = { kind: "notified", id, result };
    if (!this.#isOver) this.#worker.postMessage(answer);
  }

  #died(error: Error): void {
    // The Worker could not close its descriptors, so its requests would hang
    // forever.
    if (!this.#isOver) this.#descriptors.forEach(closeDescriptor);
    this.#failed(error);
  }

  #failed(error: Error): void {
    this.#isOver = true;
    this.#ring.reject(error);
    this.#ready.reject(error);
    this.#done.resolve({ reason: "failed", message: error.message });
  }
}
