import type { AssumedCosts } from "./costs.ts";
import type { Engine, Runnable } from "./engine.ts";
import type { RandomTimes } from "./random_times.ts";

/** What a program yields to wait for somebody who goes on with it. */
export const WAIT = -1;

/**
 * What a thread does: it yields how many microseconds it computes (or spins),
 * or {@linkcode WAIT}.
 */
export type Program = Generator<number, void, void>;

/** The CPUs, which threads have while they compute, the next one in turn. */
export class Cores {
  #free: number;
  readonly #queue: Runnable[] = [];

  /** Makes so many CPUs. */
  constructor(count: number) {
    this.#free = count;
  }

  /** Whether somebody waits for a CPU. */
  get crowded(): boolean {
    return this.#queue.length > 0;
  }

  /** Gives a CPU to somebody, now or when one becomes free. */
  enter(who: Runnable): void {
    if (this.#free === 0) {
      this.#queue.push(who);
    } else {
      this.#free--;
      who.run();
    }
  }

  /** Takes a CPU back. */
  leave(): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#free++;
    else next.run();
  }
}

/** What all threads of a simulation share. */
export interface Machine {
  /** Virtual time. */
  readonly engine: Engine;
  /** The CPUs. */
  readonly cores: Cores;
  /** Where chance comes from. */
  readonly random: RandomTimes;
  /** What the machine's own steps take. */
  readonly costs: AssumedCosts;
}

/** A thread: of fio, or of the server. */
export class Thread implements Runnable {
  readonly #machine: Machine;
  readonly #program: Program;
  readonly #arrival: Runnable;
  #asleep = false;
  #since = 0;

  /** Makes a thread, which starts at once if a CPU is free. */
  constructor(machine: Machine, program: (thread: Thread) => Program) {
    this.#machine = machine;
    this.#program = program(this);
    this.#arrival = { run: () => machine.cores.enter(this) };
    machine.engine.after(machine.random.fraction(), this.#arrival);
  }

  /** Whether it sleeps, so that waking it takes the waker's time. */
  get asleep(): boolean {
    return this.#asleep;
  }

  /** Goes on until the program waits or computes. */
  run(): void {
    for (;;) {
      const { value, done } = this.#program.next();
      if (done || value === WAIT) return;
      if (value > 0) return this.#machine.engine.after(value, this);
    }
  }

  /** Gives the CPU back; the program has to yield {@linkcode WAIT} next. */
  sleep(): void {
    this.#asleep = true;
    this.#machine.cores.leave();
  }

  /** Lets a sleeping thread go on as soon as it has woken and has a CPU. */
  wake(): void {
    if (!this.#asleep) return;
    this.#asleep = false;
    const { engine, random, costs } = this.#machine;
    this.#since = engine.now;
    engine.after(random.latency(costs.wakeLatency), this.#arrival);
  }

  /**
   * Whether it had to give its CPU to somebody who waits for one; the program
   * has to yield {@linkcode WAIT} next.
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
