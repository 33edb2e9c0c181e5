import type { AssumedCosts } from "./costs.ts";
import type { Engine, Runnable } from "./engine.ts";
import type { RandomTimes } from "./engine.ts";

/** Yielded by a program to wait until another thread continues it. */
export const WAIT = -1;

/**
 * The code of a thread. It yields the microseconds that it runs or spins, or
 * {@linkcode WAIT}.
 */
export type Program = Generator<number, void, void>;

/** The CPUs; threads get them first come, first served. */
export class Cores {
  #free: number;
  readonly #queue: Runnable[] = [];

  /** Makes `count` CPUs. */
  constructor(count: number) {
    this.#free = count;
  }

  /** Whether a thread waits for a CPU. */
  get crowded(): boolean {
    return this.#queue.length > 0;
  }

  /** Runs a thread on a CPU, now or when one is free. */
  enter(who: Runnable): void {
    if (this.#free === 0) {
      this.#queue.push(who);
    } else {
      this.#free--;
      who.run();
    }
  }

  /** Frees a CPU. */
  leave(): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#free++;
    else next.run();
  }
}

/** The parts that all threads of a model share. */
export interface Machine {
  /** Virtual time. */
  readonly engine: Engine;
  /** The CPUs. */
  readonly cores: Cores;
  /** The source of random durations. */
  readonly random: RandomTimes;
  /** The assumed costs. */
  readonly costs: AssumedCosts;
}

/** A thread, of fio or of the server. */
export class Thread implements Runnable {
  readonly #machine: Machine;
  readonly #program: Program;
  readonly #arrival: Runnable;
  #asleep = false;
  #since = 0;

  /** Starts a thread, at once if a CPU is free. */
  constructor(machine: Machine, program: (thread: Thread) => Program) {
    this.#machine = machine;
    this.#program = program(this);
    this.#arrival = { run: () => machine.cores.enter(this) };
    machine.engine.after(machine.random.fraction(), this.#arrival);
  }

  /** Whether it sleeps, so that waking it costs the waker CPU time. */
  get asleep(): boolean {
    return this.#asleep;
  }

  /** Runs until the program waits or spends CPU time. */
  run(): void {
    for (;;) {
      const { value, done } = this.#program.next();
      if (done || value === WAIT) return;
      if (value > 0) return this.#machine.engine.after(value, this);
    }
  }

  /**
   * Goes to sleep and frees the CPU; the program has to yield {@linkcode WAIT}
   * next.
   */
  sleep(): void {
    this.#asleep = true;
    this.#machine.cores.leave();
  }

  /** Wakes the thread, which continues when it has a CPU. */
  wake(): void {
    if (!this.#asleep) return;
    this.#asleep = false;
    const { engine, random, costs } = this.#machine;
    this.#since = engine.now;
    engine.after(random.latency(costs.wakeLatency), this.#arrival);
  }

  /**
   * Yields the CPU to a thread that waits for one, after a time slice. Returns
   * whether it did; if so, the program has to yield {@linkcode WAIT} next.
   */
  preempted(): boolean {
    const { engine, cores, costs } = this.#machine;
    if (!cores.crowded || engine.now - this.#since < costs.timeSlice) {
      return false;
    }
    this.#since = engine.now;
    cores.leave();
    engine.after(costs.contextSwitch, this.#arrival);
    return true;
  }
}
