import type { EventLog } from "../determinism/event_log.ts";
import type { VirtualClock } from "../determinism/clock.ts";
import type { Random } from "../determinism/random.ts";
import type { Credentials, Signals } from "../kernel/call.ts";
import type { FuseDriver } from "../kernel/fuse_driver.ts";
import type { FaultDice } from "./faults.ts";

/** Longest time from a request to a disturbance, in microseconds. */
const DELAY_MAX_US = 200;

/** A process that may get signals. */
export interface SignalTarget {
  /** Its ids. */
  readonly credentials: Credentials;
  /** Delivers signals to it. */
  readonly signals: Signals;
}

/** The options of {@linkcode Disturbances}. */
export interface DisturbancesOptions {
  /** Decides what happens. */
  readonly dice: FaultDice;
  /** Decides when, and to which process. */
  readonly random: Random;
  /** Delays it. */
  readonly clock: VirtualClock;
  /** Records it. */
  readonly log: EventLog;
  /** The connection that may be unmounted or aborted. */
  readonly kernel: FuseDriver;
}

/**
 * Faults that come from outside of the server, some time after a request was
 * taken: signals, unmounts, aborts.
 */
export class Disturbances {
  readonly #options: DisturbancesOptions;

  /** Makes disturbances of a connection. */
  constructor(options: DisturbancesOptions) {
    this.#options = options;
  }

  /** Draws what happens after a request. */
  afterRequest(processes: readonly SignalTarget[]): void {
    const { dice, random, log, kernel } = this.#options;
    for (const signal of ["interrupt", "kill"] as const) {
      if (!dice.roll(signal)) continue;
      const { credentials, signals } = random.pick(processes);
      this.#later(() => {
        log.add(`${signal} ${credentials.pid}`);
        signals.send(signal);
      });
    }
    if (dice.roll("unmount")) this.#later(() => kernel.unmount());
    if (dice.roll("abort")) this.#later(() => kernel.abort());
  }

  #later(act: () => void): void {
    const { clock, random } = this.#options;
    clock.after(random.fraction() * DELAY_MAX_US, act);
  }
}
