import { ERRNO } from "../../src/base/errno.ts";
import { isExpected } from "../workload/actor.ts";
import type { FaultDice, FaultName } from "../faults/faults.ts";
import type { Step } from "../workload/plan.ts";
import type { SimulationPlan } from "../workload/simulation_plan.ts";

/** Faults that make calls fail or do less. */
const BREAKING: readonly FaultName[] = [
  "failing-backend",
  "short-backend",
  "long-reply",
  "hung-worker",
  "dead-worker",
  "closed-queue",
  "unmount",
  "abort",
  "kill",
];
const CLOSING: readonly FaultName[] = [
  "hung-worker",
  "dead-worker",
  "closed-queue",
];
const ENDING: readonly FaultName[] = ["unmount", "abort"];

/** What a client's call may come back with, given what may go wrong. */
export class Excuses {
  readonly #dice: FaultDice;
  /** Whether the end of the image moves. */
  readonly #resizes: boolean;
  /** Whether the kernel may give up on the server. */
  readonly #timesOut: boolean;

  /** Reads a plan for what may go wrong in it. */
  constructor(plan: SimulationPlan, dice: FaultDice) {
    this.#dice = dice;
    this.#resizes = plan.clients.some(({ steps }) =>
      steps.some((step) => step.do.endsWith("truncate"))
    );
    this.#timesOut = plan.requestTimeout > 0 && dice.possible("hung-worker");
  }

  /** Whether calls may do less than they were asked for. */
  get mayDoLess(): boolean {
    return this.#dice.possible(...BREAKING);
  }

  /** Whether a step may fail with an error. */
  mayFail(step: Step, errno: number): boolean {
    const dice = this.#dice;
    switch (errno) {
      case ERRNO.EIO:
        if (this.mayDoLess) return true;
        return this.#resizes && /Write|fsync|reopen/.test(step.do);
      case ERRNO.ENOSPC:
        return dice.possible("failing-backend") || isExpected(step, errno);
      case ERRNO.EFAULT:
        return this.#resizes && step.do.startsWith("map");
      case ERRNO.ECONNABORTED:
        return dice.possible(...CLOSING, ...ENDING);
      case ERRNO.ENOTCONN:
        return dice.possible(...ENDING) || this.#timesOut;
      case ERRNO.EINTR:
        return dice.possible("kill");
      default:
        return isExpected(step, errno);
    }
  }
}
