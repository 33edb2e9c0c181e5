import type { ModelRequest } from "./dispatch.ts";
import type { Runnable } from "./engine.ts";
import type { Machine, Thread } from "./thread.ts";

/** The receiver of completed transfers. */
export interface CompletionTarget {
  /** The thread to wake. */
  readonly thread: Thread;
  /** Requests whose transfers are done, and that are not answered. */
  readonly completions: ModelRequest[];
}

/**
 * A file behind QEMU's pool of helper threads. A helper wakes up, spends the
 * CPU time of its system call, sleeps while the device works, and notifies its
 * server thread.
 */
export class Device {
  readonly #machine: Machine;
  readonly #latency: number;
  readonly #parallelism: number;
  readonly #queue: Runnable[] = [];
  #busy = 0;

  /**
   * Makes a device.
   *
   * @param machine The machine.
   * @param latency Time of one transfer, in microseconds.
   * @param parallelism The number of transfers at the same time.
   */
  constructor(machine: Machine, latency: number, parallelism: number) {
    this.#machine = machine;
    this.#latency = latency;
    this.#parallelism = parallelism;
  }

  /** Starts a transfer for a server thread. */
  start(request: ModelRequest, target: CompletionTarget): void {
    const { engine, cores, random, costs } = this.#machine;
    const compute = random.work(costs.helperCpu);
    const computed = {
      run: () => {
        cores.leave();
        this.#transfer(finished);
      },
    };
    const begin = { run: () => engine.after(compute, computed) };
    const notified = {
      run: () => {
        cores.leave();
        target.thread.wake();
      },
    };
    const notify = {
      run: () => {
        target.completions.push(request);
        engine.after(target.thread.asleep ? costs.wakeCpu : 0, notified);
      },
    };
    const finished = { run: () => cores.enter(notify) };
    const arrive = { run: () => cores.enter(begin) };
    engine.after(random.latency(costs.wakeLatency), arrive);
  }

  #transfer(finished: Runnable): void {
    if (this.#busy === this.#parallelism) {
      this.#queue.push({ run: () => this.#work(finished) });
    } else {
      this.#busy++;
      this.#work(finished);
    }
  }

  #work(finished: Runnable): void {
    const { engine, random } = this.#machine;
    engine.after(random.latency(this.#latency), {
      run: () => {
        const next = this.#queue.shift();
        if (next === undefined) this.#busy--;
        else next.run();
        finished.run();
      },
    });
  }
}
