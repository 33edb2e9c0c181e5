import type { Backend } from "../../backends/backend.ts";
import type { DiskPart } from "../../backends/convert/disk_part.ts";
import type { CopyThread } from "../../backends/convert/run_parts.ts";
import { messageOf } from "../../base/message_of.ts";
import { UserError } from "../../base/user_error.ts";
import {
  type LaunchedWorkers,
  launchWorkerThreads,
} from "../worker_threads.ts";
import {
  type CopierMessage,
  type CopyJob,
  type MessageToCopier,
  openCopier,
} from "./copy_job.ts";

/** Workers that copy parts, once they have loaded their code. */
export class CopyWorkers {
  readonly #count: number;
  #launched: LaunchedWorkers | null = null;

  /** Prepares for a number of Workers, which the first job starts. */
  constructor(count: number) {
    this.#count = count;
  }

  /**
   * Gives every Worker a job. The last one must have ended.
   *
   * @param wanted Resolves once they are wanted, if they are.
   */
  begin(job: CopyJob, wanted: Promise<void>): CopyThread[] {
    return Array.from(
      { length: this.#count },
      (_, index) =>
        new WorkerThread(wanted.then(() => this.#load(index)), index, job),
    );
  }

  async #load(index: number): Promise<Worker> {
    const { workers, loaded } = this.#launched ??= launchWorkerThreads(
      this.#count,
    );
    // One that could not be made rejects.
    await loaded[Math.min(index, loaded.length - 1)];
    return workers[index]!;
  }

  /** Ends them, also those that are loading their code. */
  terminate(): void {
    for (const worker of this.#launched?.workers ?? []) worker.terminate();
  }
}

/** A job in this thread. */
export interface OwnCopyThread extends CopyThread {
  /** Whether other threads would copy no more: all wait for the same file. */
  readonly waitsForWrites: boolean;
}

/** Opens a job in this thread. */
export async function copyHere(job: CopyJob<Backend>): Promise<OwnCopyThread> {
  const { copier, close } = await openCopier(job, true);
  return {
    depth: copier.depth,
    async copy(part) {
      const result = await copier.copy(part);
      // Signals and the messages of Workers come between parts.
      await new Promise((resolve) => setImmediate(resolve));
      return result;
    },
    get waitsForWrites() {
      return copier.waitsForWrites;
    },
    end: close,
  };
}

/** A job in a Worker. */
class WorkerThread implements CopyThread {
  // The main thread sees that a part is done only after one of its own.
  readonly depth = 4;
  readonly ready: Promise<void>;
  readonly #waiting: PromiseWithResolvers<unknown>[] = [];
  readonly #ended = Promise.withResolvers<void>();
  #worker: Worker | null = null;
  #state: "new" | "begun" | "ended" = "new";
  #failure: Error | null = null;

  constructor(loaded: Promise<Worker>, index: number, job: CopyJob) {
    this.ready = loaded.then(
      (worker) => this.#begin(worker, index, job),
      (cause) => {
        throw new UserError(
          `Cannot start a Worker that copies: ${
            messageOf(cause)
          }; use --workers=1, or give this process more memory, threads or open files`,
          { cause },
        );
      },
    );
    // If no caller waits for it, its rejection must not end the program.
    this.ready.catch(() => {});
  }

  #begin(worker: Worker, index: number, job: CopyJob): void {
    if (this.#state === "ended") return;
    this.#state = "begun";
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
    const hasBegun = this.#state === "begun";
    this.#state = "ended";
    if (!hasBegun || this.#failure !== null) return;
    this.#post({ kind: "end" });
    await this.#ended.promise;
  }

  #post(message: MessageToCopier): void {
    this.#worker!.postMessage(message);
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
