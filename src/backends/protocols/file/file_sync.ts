import { ERRNO } from "../../../base/errno.ts";
import { Completion, type Step } from "../../../event/completion.ts";
import type { Answer } from "../../backend.ts";
import type { BlockFile } from "../../block_file.ts";
import type { SyncErrors } from "../../sync_errors.ts";

/**
 * Where the errors of a file's syncs are counted.
 *
 * @category Disks
 */
export interface SyncCounter {
  /**
   * The open file description that all threads share. It is never synced: the
   * kernel tells it of each write-back error once for the whole export.
   */
  readonly first: BlockFile;
  /** The count. */
  readonly errors: SyncErrors;
}

/**
 * The flushes of one thread to a file, by fdatasync(2) on an open file
 * description that no other thread uses.
 *
 * The kernel tells each description of an error once (errseq_check_and_advance()
 * in lib/errseq.c). If threads shared one, the flush of another thread could
 * take the error of this thread's write. For the same reason one sync is in
 * flight at a time: flushes that come meanwhile share the one after it.
 */
export class FileSync {
  readonly #file: BlockFile;
  readonly #counter: SyncCounter | null;
  readonly #start: () => Answer;
  /** The count of errors up to which the kernel has told this description. */
  #told: number;
  #running = false;
  /** Flushes that wait for the next sync. */
  #waiting: Completion<number>[] = [];

  /**
   * Prepares flushes.
   *
   * @param file The file of this thread.
   * @param counter Where errors are counted; `null` if nowhere.
   * @param start Starts a sync of the file; fdatasync(2) if left out.
   */
  constructor(
    file: BlockFile,
    counter: SyncCounter | null,
    start: () => Answer = () => file.fdatasync(),
  ) {
    this.#file = file;
    this.#counter = counter;
    this.#start = start;
    this.#told = counter?.errors.count ?? 0;
  }

  /** Makes every write that was answered durable. 0 or `-errno`. */
  flush(): Answer {
    if (this.#running) {
      const completion = Completion.start<number>();
      this.#waiting.push(completion);
      return completion;
    }
    this.#begin();
    const result = this.#start();
    if (typeof result === "number") return this.#end(result);
    this.#running = true;
    return Completion.of(result).after(END, this);
  }

  /** The same by fdatasync(2), while no other flush is in flight. */
  flushNow(): number {
    this.#begin();
    return this.#end(this.#file.fdatasync());
  }

  /** Called with the result of a sync that was in flight. */
  ended(result: number): number {
    this.#running = false;
    const counted = this.#end(result);
    const waiting = this.#waiting;
    this.#waiting = [];
    if (waiting.length > 0) this.#flushFor(waiting);
    return counted;
  }

  #flushFor(waiting: readonly Completion<number>[]): void {
    const complete = (result: number) => {
      for (const each of waiting) each.complete(result);
    };
    const fail = (error: unknown) => {
      for (const each of waiting) each.fail(error);
    };
    const flushed = this.flush();
    if (typeof flushed === "number") complete(flushed);
    else Completion.of(flushed).deliverTo({ complete, fail });
  }

  /** Without errors since the last sync, this is one load and compare. */
  #begin(): void {
    const counter = this.#counter;
    if (counter === null || counter.errors.count === this.#told) return;
    // Other threads have counted errors that the kernel would tell this
    // description too, as if they were new.
    counter.errors.alone(() => {
      this.#learn(counter);
      this.#told = counter.errors.count;
    });
  }

  #end(result: number): number {
    const counter = this.#counter;
    if (counter === null || result >= 0 || isNoSync(result)) return result;
    const { errors } = counter;
    errors.alone(() => {
      const learnt = this.#learn(counter);
      // What is no write-back error, such as that of a device's cache flush,
      // reaches no other description.
      if (!learnt && errors.count === this.#told) errors.add(-result);
      this.#told = errors.count;
    });
    return result;
  }

  /**
   * Counts the errors that the export has not been told of, and takes those that
   * this description has not been told of, which are among the counted ones.
   */
  #learn({ first, errors }: SyncCounter): boolean {
    for (let learnt = false;; learnt = true) {
      this.#file.writebackError?.();
      // After the file: an error between the two calls is then found again.
      const error = first.writebackError?.() ?? 0;
      if (error >= 0) return learnt;
      errors.add(-error);
    }
  }
}

const END: Step<number, number, FileSync> = {
  run: (result, sync) => sync.ended(result),
};

/** Whether a sync did not take place because the event source was closed. */
function isNoSync(result: number): boolean {
  return result === -ERRNO.ECANCELED || result === -ERRNO.ENODEV;
}
