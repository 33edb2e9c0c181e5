import type { Connection, ModelRequest, RequestOwner } from "./requests.ts";
import { type Program, SLEEP, type Task } from "./scheduler.ts";

/** The part of a request's CPU time that fio spends before it is sent. */
const SUBMIT_SHARE = 0.6;

/** One job of fio, which submits one request and reaps one. */
export class Job implements RequestOwner {
  readonly task: Task;
  readonly answered: ModelRequest[] = [];
  /** Requests that have ended. */
  ended = 0;
  readonly #connection: Connection;

  /**
   * Starts a job.
   *
   * @param connection Where it sends requests.
   * @param options The CPU on which it starts, its requests in flight, and its
   * CPU time a request in microseconds.
   */
  constructor(
    connection: Connection,
    options: { cpu: number; depth: number; clientUs: number },
  ) {
    this.#connection = connection;
    this.task = connection.scheduler.start(
      options.cpu,
      (task) => this.#run(task, options),
    );
  }

  *#run(
    task: Task,
    { depth, clientUs }: { depth: number; clientUs: number },
  ): Program {
    const { scheduler, pending, locks, lockUs, costs } = this.#connection;
    for (let inFlight = 0;;) {
      yield SUBMIT_SHARE * clientUs;
      yield locks.fetch(task.cpu, lockUs);
      const sleeper = pending.push({ job: this, cpu: task.cpu });
      if (sleeper !== null) yield* scheduler.wake(sleeper, task);
      if (++inFlight < depth) continue;
      while (this.answered.length === 0) {
        yield SLEEP;
        yield costs.sleep;
      }
      const { cpu } = this.answered.shift()!;
      yield (1 - SUBMIT_SHARE) * clientUs;
      if (cpu !== task.cpu) yield costs.clientCrossing;
      inFlight--;
      this.ended++;
    }
  }
}
