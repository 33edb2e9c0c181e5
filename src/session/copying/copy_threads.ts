import type { Backend } from "../../backends/backend.ts";
import type { DiskPart } from "../../backends/convert/disk_part.ts";
import type { CopyThread } from "../../backends/convert/run_parts.ts";
import { UserError } from "../../base/user_error.ts";
import { startWorkerThreads } from "../worker_threads.ts";
import {
  type CopierMessage,
  type CopyJob,
  type MessageToCopier,
  openCopier,
} from "./copy_job.ts";

/** Workers that copy parts. */
export class CopyWorkers {
  readonly #workers: readonly Worker[];

  private constructor(workers: readonly Worker[]) {
    this.#workers = workers;
  }

  /** Starts Workers. */
  static async start(count: number): Promise<CopyWorkers> {
    return new CopyWorkers(await startWorkerThreads(count));
  }

  /** Gives every Worker a job. The last one must have ended. */
  begin(job: CopyJob): CopyThread[] {
    return this.#workers.map((worker, index) =>
      new WorkerThread(worker, index, job)
    );
  }

  /** Ends them. Their jobs have ended. */
  terminate(): void {
    for (const worker of this.#workers) worker.terminate();
  }
}

/** A job in this thread, for images that only this thread can use. */
export async function copyHere(job: CopyJob<Backend>): Promise<CopyThread> {
  const { copier, close } = await openCopier(job);
  // One part at a time: a copier has one buffer.
  let last: Promise<unknown> = Promise.resolve();
  return {
    copy(part) {
      const copied = last.then(() => copier.copy(part));
      last = copied.catch(() => {});
      return copied;
    },
    end: close,
  };
}

/** A job in a Worker. */
class WorkerThread implements CopyThread {
  readonly #worker: Worker;
  readonly #waiting: PromiseWithResolvers<unknown>[] = [];
  readonly #ended = Promise.withResolvers<void>();
  #failure: Error | null = null;

  constructor(worker: Worker, index: number, job: CopyJob) {
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<CopierMessage>) => {
      this.#receive(data);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(new Error(event.message));
    };
    this.#post({ kind: "copy", index, job });
  }

  copy(part: DiskPart): Promise<unknown> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.push(waiting);
    this.#post({ kind: "part", part });
    return waiting.promise;
  }

  async end(): Promise<void> {
    if (this.#failure !== null) return;
    this.#post({ kind: "end" });
    await this.#ended.promise;
  }

  #post(message: MessageToCopier): void {
    this.#worker.postMessage(message);
  }

  #receive(message: CopierMessage): void {
    switch (message.kind) {
      case "copied":
        return this.#waiting.shift()!.resolve(message.result);
      case "ended":
        return this.#ended.resolve();
      case "failed": {
        const { isUserError, message: text } = message;
        return this.#fail(isUserError ? new UserError(text) : new Error(text));
      }
    }
  }

  #fail(error: Error): void {
    this.#failure = error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
    this.#ended.resolve();
  }
}
