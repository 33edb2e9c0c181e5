import { Engine } from "../engine.ts";

/** Yielded by a program to sleep until another task wakes it. */
export const SLEEP = -1;
/** Yielded by a program to let other tasks of its CPU run: sched_yield(2). */
export const YIELD = -2;

/**
 * The code of a task. It yields the microseconds that it runs, {@linkcode SLEEP}
 * or {@linkcode YIELD}.
 */
export type Program = Generator<number, void, void>;

/** Microseconds that a task runs while others wait for its CPU: EEVDF's slice. */
const SLICE_US = 3000;

/** What a wake-up of a CPU that is idle costs, in microseconds. */
export interface IdleWake {
  /** CPU time of the waker: the interrupt that it sends. */
  readonly cpu: number;
  /** Time from then until the woken task runs. */
  readonly latency: number;
}

/** A thread, of fio or of the server. */
export interface Task {
  /** The CPU on which it runs, or ran last. */
  readonly cpu: number;
  /** Whether it sleeps. */
  readonly isAsleep: boolean;
}

interface State extends Task {
  cpu: number;
  isAsleep: boolean;
  readonly program: Program;
  readonly resume: { run(): void };
}

interface Cpu {
  current: State | null;
  /** Whether a task is on its way to it, or runs on it. */
  isIdle: boolean;
  readonly queue: State[];
  since: number;
}

/**
 * CPUs with a run queue each, as Linux's fair class has them: a task that wakes
 * goes to an idle CPU if there is one, its own first, and otherwise waits on its
 * own CPU or its waker's, whichever has less to do.
 */
export class Scheduler {
  /** Virtual time. */
  readonly engine: Engine = new Engine();
  readonly #cpus: readonly Cpu[];
  readonly #idleWake: IdleWake;

  /** Makes `cpus` idle CPUs. */
  constructor(cpus: number, idleWake: IdleWake) {
    this.#idleWake = idleWake;
    this.#cpus = Array.from({ length: cpus }, () => ({
      current: null,
      isIdle: true,
      queue: [],
      since: 0,
    }));
  }

  /** Starts a task on a CPU, at time 0. */
  start(cpu: number, program: (task: Task) => Program): Task {
    const state: State = {
      cpu,
      isAsleep: false,
      get program() {
        return code;
      },
      resume: { run: () => this.#resumed(state) },
    };
    const code = program(state);
    this.engine.after(0, { run: () => this.#enqueue(state) });
    return state;
  }

  /** Wakes a task; the part of a program of its waker. */
  *wake(task: Task, waker: Task): Program {
    const state = task as State;
    if (!state.isAsleep) return;
    state.isAsleep = false;
    const target = this.#choose(state, waker);
    state.cpu = target;
    const cpu = this.#cpus[target]!;
    if (!cpu.isIdle) return this.#enqueue(state);
    cpu.isIdle = false;
    yield this.#idleWake.cpu;
    const { latency } = this.#idleWake;
    this.engine.after(latency, { run: () => this.#enqueue(state) });
  }

  #choose(task: State, waker: Task): number {
    const own = this.#cpus[task.cpu]!;
    if (own.isIdle) return task.cpu;
    const idle = this.#cpus.findIndex(({ isIdle }) => isIdle);
    if (idle >= 0) return idle;
    const wakers = this.#cpus[waker.cpu]!;
    return wakers.queue.length < own.queue.length ? waker.cpu : task.cpu;
  }

  #enqueue(task: State): void {
    const cpu = this.#cpus[task.cpu]!;
    cpu.queue.push(task);
    if (cpu.current === null) this.#runNext(cpu);
  }

  #runNext(cpu: Cpu): void {
    for (;;) {
      const task = cpu.queue.shift() ?? null;
      cpu.current = task;
      cpu.isIdle = task === null;
      if (task === null) return;
      cpu.since = this.engine.now;
      if (this.#advance(cpu, task)) return;
    }
  }

  /** Runs a program; returns false if its CPU is free then. */
  #advance(cpu: Cpu, task: State): boolean {
    for (;;) {
      const { value, done } = task.program.next();
      if (done) return false;
      if (value === SLEEP) {
        task.isAsleep = true;
        return false;
      }
      if (value === YIELD) {
        if (cpu.queue.length === 0) continue;
        cpu.queue.push(task);
        return false;
      }
      if (value > 0) {
        this.engine.after(value, task.resume);
        return true;
      }
    }
  }

  #resumed(task: State): void {
    const cpu = this.#cpus[task.cpu]!;
    const isOver = this.engine.now - cpu.since >= SLICE_US;
    if (isOver && cpu.queue.length > 0) cpu.queue.push(task);
    else if (this.#advance(cpu, task)) return;
    this.#runNext(cpu);
  }
}
