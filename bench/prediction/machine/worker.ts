import { BatchSize } from "./batch_size.ts";
import type { Connection } from "./requests.ts";
import { type Program, SLEEP, type Task, YIELD } from "./scheduler.ts";

/** Microseconds of polling before a Worker sleeps: the longest of `auto`. */
const POLL_US = 50;
/** Microseconds of a poll and a sched_yield(2). */
const ONE_POLL_US = 0.5;
/** The part of a request's CPU time that is spent before the reply. */
const SERVE_SHARE = 0.5;

/** A Worker of the server with its queue. */
export class Worker {
  readonly #connection: Connection;
  readonly #index: number;

  /** Starts a Worker on a CPU. */
  constructor(connection: Connection, index: number, cpu: number) {
    this.#connection = connection;
    this.#index = index;
    connection.scheduler.start(cpu, (task) => this.#serve(task));
  }

  *#serve(task: Task): Program {
    const { transport, pending, costs } = this.#connection;
    const size = transport === "device" ? new BatchSize() : null;
    for (let last = 1;;) {
      const isAtOnce = pending.has(this.#index);
      if (!isAtOnce) yield* this.#wait(task, last);
      yield costs.fetch;
      const most = size?.next ?? Infinity;
      const batch = pending.take(this.#index, most);
      size?.came(batch.length, isAtOnce);
      last = batch.length;
      yield* this.#answer(task, batch);
    }
  }

  /** Polls for a while unless requests come in batches, and then sleeps. */
  *#wait(task: Task, last: number): Program {
    const { pending, scheduler: { engine } } = this.#connection;
    const end = engine.now + POLL_US;
    while (last < 2 && engine.now < end) {
      yield ONE_POLL_US;
      if (pending.has(this.#index)) return;
      yield YIELD;
      if (pending.has(this.#index)) return;
    }
    while (!pending.has(this.#index)) {
      pending.sleeps(this.#index, task);
      yield SLEEP;
      // The kernel looks again before it lets read(2) return.
      yield ONE_POLL_US;
    }
  }

  *#answer(
    task: Task,
    batch: ReturnType<Connection["pending"]["take"]>,
  ): Program {
    const { scheduler, locks, lockUs, costs } = this.#connection;
    for (const { cpu } of batch) {
      yield SERVE_SHARE * costs.server;
      yield locks.fetch(task.cpu, lockUs);
      if (cpu !== task.cpu) yield costs.serverCrossing;
    }
    for (const request of batch) {
      yield (1 - SERVE_SHARE) * costs.server;
      request.cpu = task.cpu;
      request.job.answered.push(request);
      yield* scheduler.wake(request.job.task, task);
    }
  }
}
