import { encodeName } from "../../base/name_bytes.ts";
import { UserError } from "../../base/user_error.ts";
import source from "./load_worker.js" with { type: "text" };

/** A use of an image: threads that read or write it at the same time. */
export interface Use {
  /** Its name. */
  readonly name: string;
  /** What its rate counts. */
  readonly unit: "requests/s" | "MB/s";
  /** What each thread does. */
  readonly threads: readonly {
    readonly order: "random" | "sequential";
    /** Bytes of each read or write. */
    readonly block: number;
    /** Whether it writes. */
    readonly writes: boolean;
  }[];
}

const RANDOM = { order: "random", block: 4096, writes: false } as const;
const SEQUENTIAL = {
  order: "sequential",
  block: 128 * 1024,
  writes: false,
} as const;
const WRITES = { ...RANDOM, writes: true } as const;

const READING: readonly Use[] = [
  { name: "random", unit: "requests/s", threads: [RANDOM, RANDOM] },
  { name: "sequential", unit: "MB/s", threads: [SEQUENTIAL] },
  { name: "mixed", unit: "MB/s", threads: [RANDOM, SEQUENTIAL] },
];
const WRITING: readonly Use[] = [
  { name: "writing", unit: "requests/s", threads: [WRITES, WRITES] },
];

/**
 * The uses that are measured.
 *
 * @param writable Whether writing harms nothing.
 */
export function usesOf(writable: boolean): readonly Use[] {
  return writable ? [...READING, ...WRITING] : READING;
}

/** Most threads of a use. */
export const THREADS_MAX = 2;

/** What a thread has read or written. */
interface Moved {
  readonly requests: number;
  readonly bytes: number;
  readonly seconds: number;
}

/** A file that is used. */
export interface UsedFile {
  /** Its path. */
  readonly path: string;
  /** Its size in bytes. */
  readonly size: number;
}

/** Threads that use files. */
export class Load implements Disposable {
  readonly #workers: readonly Worker[];

  private constructor(workers: readonly Worker[]) {
    this.#workers = workers;
  }

  /** Starts the threads. */
  static async start(): Promise<Load> {
    const blob = new Blob([source], { type: "text/javascript" });
    const url = URL.createObjectURL(blob);
    const workers = Array.from(
      { length: THREADS_MAX },
      () => new Worker(url, { type: "module", name: "mqfuse-load" }),
    );
    const load = new Load(workers);
    try {
      await Promise.all(workers.map(messageFrom));
    } finally {
      URL.revokeObjectURL(url);
    }
    return load;
  }

  /**
   * Uses a file for some time.
   *
   * @returns The rate, in the unit of the use. For a mixed use it is the
   * geometric mean of the threads' rates, so that neither is starved for the
   * other.
   * @throws {UserError} If the file cannot be read, or written to.
   */
  async measure(
    { threads, unit }: Use,
    { path, size }: UsedFile,
    ms: number,
  ): Promise<number> {
    const name = encodeName(`${path}\0`);
    const moved = await Promise.all(threads.map((thread, i) => {
      const worker = this.#workers[i]!;
      const result = messageFrom(worker) as Promise<Moved>;
      worker.postMessage({
        path: name,
        size,
        ms,
        seed: 7919 * (i + 1),
        ...thread,
      });
      return result;
    }));
    const rates = moved.map(({ requests, bytes, seconds }) =>
      (unit === "MB/s" ? bytes / 1e6 : requests) / seconds
    );
    const isMixed = new Set(threads.map(({ order }) => order)).size > 1;
    return isMixed
      ? rates.reduce((product, rate) => product * rate, 1) **
        (1 / rates.length)
      : rates.reduce((sum, rate) => sum + rate, 0);
  }

  /** Ends the threads. */
  [Symbol.dispose](): void {
    for (const worker of this.#workers) worker.terminate();
  }
}

function messageFrom(worker: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => {
      if (data.error === undefined) return resolve(data);
      reject(new UserError(`Cannot measure: ${data.error}`));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new UserError(`Cannot measure: ${event.message}`));
    };
  });
}
