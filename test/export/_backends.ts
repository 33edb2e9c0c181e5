/**
 * Backends that answer asynchronously, in another order, or with errors.
 *
 * @module
 */
import type { NewTime } from "../../src/base/timespec.ts";
import type {
  Answer,
  Backend,
  Extent,
  ImageStat,
  ZeroOptions,
} from "../../src/backends/backend.ts";
import type { Random } from "../_random.ts";

/** Makes every answer of another backend a promise, in random order. */
export class AsyncBackend implements Backend {
  readonly name = "asynchronous";
  readonly shared = true;
  readonly writable = true;
  readonly #backend: Backend;
  readonly #random: Random;
  readonly #waiting: (() => void)[] = [];
  #running = false;

  constructor(backend: Backend, random: Random) {
    this.#backend = backend;
    this.#random = random;
  }

  stat(): Promise<ImageStat> {
    return this.#later(() => this.#backend.stat());
  }

  read(...args: Parameters<Backend["read"]>): Promise<number> {
    return this.#later(() => this.#backend.read(...args));
  }

  write(...args: Parameters<Backend["write"]>): Promise<number> {
    return this.#later(() => this.#backend.write(...args));
  }

  flush(): Promise<number> {
    return this.#later(() => this.#backend.flush());
  }

  truncate(size: number): Promise<number> {
    return this.#later(() => this.#backend.truncate(size));
  }

  zero(
    position: number,
    length: number,
    options: ZeroOptions,
  ): Promise<number> {
    return this.#later(() => this.#backend.zero(position, length, options));
  }

  allocate(position: number, length: number): Promise<number> {
    return this.#later(() => this.#backend.allocate(position, length));
  }

  extent(position: number): Promise<Extent> {
    return this.#later(() => this.#backend.extent(position));
  }

  setTimes(atime: NewTime, mtime: NewTime): Promise<number> {
    return this.#later(() => this.#backend.setTimes(atime, mtime));
  }

  close(): Answer<void> {
    return this.#backend.close();
  }

  /** Makes the call now or in its turn, and answers after that. */
  #later<T>(call: () => Answer<T>): Promise<T> {
    const done = this.#random.oneIn(2) ? call() : undefined;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push(() => {
        try {
          resolve(done ?? call());
        } catch (error) {
          reject(error);
        }
      });
      if (!this.#running) this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0) {
      for (let i = this.#random.below(6); i >= 0; i--) await Promise.resolve();
      const next = this.#random.below(this.#waiting.length);
      this.#waiting.splice(next, 1)[0]!();
    }
    this.#running = false;
  }
}

/** How a {@linkcode FailingBackend} fails. */
export interface Failure {
  /** The result of its calls; they throw `error` if left out. */
  readonly result?: number;
  /** The error that is thrown. */
  readonly error?: Error;
  /** Whether it throws before it returns, rather than rejecting later. */
  readonly atOnce?: boolean;
}

/** Fails every call. */
export class FailingBackend implements Backend {
  readonly name = "failing";
  readonly shared = true;
  readonly writable = true;
  readonly #failure: Failure;

  constructor(failure: Failure) {
    this.#failure = failure;
  }

  stat(): Answer<ImageStat> {
    // Returns times, so that setTimes() is called.
    return this.#failure.result === undefined ? this.#throw() : {
      size: 0,
      allocated: null,
      blockSize: 4096,
      times: { atime: 0n, mtime: 0n, ctime: 0n },
    };
  }

  read(): Answer {
    return this.#fail();
  }

  write(): Answer {
    return this.#fail();
  }

  flush(): Answer {
    return this.#fail();
  }

  truncate(): Answer {
    return this.#fail();
  }

  zero(): Answer {
    return this.#fail();
  }

  allocate(): Answer {
    return this.#fail();
  }

  extent(): Answer<Extent> {
    return this.#throw();
  }

  setTimes(): Answer {
    return this.#fail();
  }

  close(): void {}

  #fail(): Answer {
    const { result, atOnce = false } = this.#failure;
    if (result === undefined) return this.#throw();
    return atOnce ? result : Promise.resolve(result);
  }

  #throw(): Promise<never> {
    const { error = new Error("It fails"), atOnce = false } = this.#failure;
    if (atOnce) throw error;
    return Promise.reject(error);
  }
}
