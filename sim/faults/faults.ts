import type { Random } from "../determinism/random.ts";

/** What can go wrong, by name, and how likely it is where it can. */
export const FAULTS = {
  /** The backend takes a thousand times longer. */
  "slow-backend": 0.05,
  /** The backend fails with EIO or ENOSPC. */
  "failing-backend": 0.03,
  /** The backend reads or writes less than it was asked to. */
  "short-backend": 0.03,
  /** A reply is held back while later ones go out. */
  "late-reply": 0.05,
  /** A reply is written twice. */
  "double-reply": 0.03,
  /** A reply is written to another queue before its own. */
  "misrouted-reply": 0.03,
  /** A reply is written whose header says more than was written. */
  "short-reply": 0.03,
  /** A reply is written that is longer than the request allows. */
  "long-reply": 0.02,
  /** A Worker dies: its queue closes with what it has taken. */
  "dead-worker": 0.002,
  /** A Worker hangs: its queue is closed some time later. */
  "hung-worker": 0.002,
  /** A queue is closed in flight, and its Worker finds out. */
  "closed-queue": 0.002,
  /** A signal comes while a process waits. */
  "interrupt": 0.1,
  /** A process is killed while it waits. */
  "kill": 0.01,
  /** The server has everything sent again. */
  "resend": 0.005,
  /** The mount goes away under load. */
  "unmount": 0.0005,
  /** The connection is aborted under load. */
  "abort": 0.0005,
} as const satisfies Record<string, number>;

/** The name of something that can go wrong. */
export type FaultName = keyof typeof FAULTS;

/** The names of all that can go wrong. */
export const FAULT_NAMES: readonly FaultName[] = Object.keys(
  FAULTS,
) as FaultName[];

/** How likely each fault is; those that are left out do not happen. */
export type FaultRates = Readonly<Partial<Record<FaultName, number>>>;

/** Rates of some faults as the table has them. */
export function ratesOf(names: readonly FaultName[]): FaultRates {
  return Object.fromEntries(names.map((name) => [name, FAULTS[name]]));
}

/** Random rates: about half of all faults, some of them very likely. */
export function swarmRates(random: Random): FaultRates {
  const rates: Partial<Record<FaultName, number>> = {};
  for (const name of FAULT_NAMES) {
    if (random.chance(0.5)) continue;
    rates[name] = Math.min(0.5, FAULTS[name] * 4 * random.fraction());
  }
  return rates;
}

/** Decides by seed whether a fault happens, and counts those that do. */
export class FaultDice {
  /** How often each happened. */
  readonly counts: Partial<Record<FaultName, number>> = {};
  /** Whether any may still happen; not in the phase that must come to an end. */
  armed = true;
  readonly #rates: FaultRates;
  readonly #random: Random;

  /** Makes dice that fall by seed. */
  constructor(rates: FaultRates, random: Random) {
    this.#rates = rates;
    this.#random = random;
  }

  /** Whether a fault can happen at all. */
  possible(...names: FaultName[]): boolean {
    return names.some((name) => (this.#rates[name] ?? 0) > 0);
  }

  /** Whether a fault happens now. */
  roll(name: FaultName): boolean {
    const rate = this.#rates[name] ?? 0;
    // Drawn even for what cannot happen, so that dropping one fault leaves the
    // others as they were.
    const happens = this.#random.chance(rate) && this.armed;
    if (happens) this.counts[name] = (this.counts[name] ?? 0) + 1;
    return happens;
  }

  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number {
    return this.#random.between(least, most);
  }
}
