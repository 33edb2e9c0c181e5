import type { Random } from "../determinism/random.ts";

/**
 * The faults that can be injected, each with its default probability.
 *
 * @category Faults
 */
export const FAULTS = {
  /** A backend call takes up to 50 ms. */
  "slow-backend": 0.05,
  /** A backend call fails with EIO or ENOSPC. */
  "failing-backend": 0.03,
  /** A backend call reads or writes fewer bytes than requested. */
  "short-backend": 0.03,
  /** A reply is held back while later ones are sent. */
  "delayed-reply": 0.05,
  /** A reply is sent twice. */
  "double-reply": 0.03,
  /** A reply is sent to another queue, then to its own. */
  "misrouted-reply": 0.03,
  /** A reply is sent whose header says more bytes than were written. */
  "short-reply": 0.03,
  /** A reply is sent that is longer than the request allows. */
  "long-reply": 0.02,
  /** A Worker dies: its queue is closed with the requests that it holds. */
  "dead-worker": 0.002,
  /** A Worker hangs: its queue is closed some time later. */
  "hung-worker": 0.002,
  /** A queue is closed while its Worker is using it. */
  "closed-queue": 0.002,
  /** A process gets a signal while it waits. */
  "interrupt": 0.1,
  /** A process gets SIGKILL while it waits. */
  "kill": 0.01,
  /** The server sends FUSE_NOTIFY_RESEND. */
  "resend": 0.005,
  /** The file system is unmounted under load. */
  "unmount": 0.0005,
  /** The connection is aborted under load. */
  "abort": 0.0005,
} as const satisfies Record<string, number>;

/**
 * The name of a fault.
 *
 * @category Faults
 */
export type FaultName = keyof typeof FAULTS;

/**
 * The names of all faults.
 *
 * @category Faults
 */
export const FAULT_NAMES: readonly FaultName[] = Object.keys(
  FAULTS,
) as FaultName[];

/**
 * The probability of each fault; a fault that is left out never happens.
 *
 * @category Faults
 */
export type FaultRates = Readonly<Partial<Record<FaultName, number>>>;

/** The default probabilities of some faults. */
export function ratesOf(names: readonly FaultName[]): FaultRates {
  return Object.fromEntries(names.map((name) => [name, FAULTS[name]]));
}

/** Random probabilities: about half of all faults, some of them frequent. */
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
  /** How often each fault has happened. */
  readonly counts: Partial<Record<FaultName, number>> = {};
  /**
   * Whether faults may still happen; false in the final phase, which has to
   * end.
   */
  armed = true;
  /** Called with each fault that happens, and the queue where it does. */
  onFault: ((name: FaultName, queue: number | null) => void) | null = null;
  readonly #rates: FaultRates;
  readonly #random: Random;

  /** Makes dice with these probabilities. */
  constructor(rates: FaultRates, random: Random) {
    this.#rates = rates;
    this.#random = random;
  }

  /** Whether any of some faults can happen at all. */
  possible(...names: FaultName[]): boolean {
    return names.some((name) => (this.#rates[name] ?? 0) > 0);
  }

  /**
   * Whether a fault happens now.
   *
   * @param queue The queue that it would concern; `null` for none.
   */
  roll(name: FaultName, queue: number | null = null): boolean {
    const rate = this.#rates[name] ?? 0;
    // A number is drawn even for a fault that cannot happen, so that dropping
    // one fault from a plan leaves the others as they were.
    const happens = this.#random.chance(rate) && this.armed;
    if (happens) {
      this.counts[name] = (this.counts[name] ?? 0) + 1;
      this.onFault?.(name, queue);
    }
    return happens;
  }

  /** An integer from `least` to `most`, both included. */
  between(least: number, most: number): number {
    return this.#random.between(least, most);
  }
}
