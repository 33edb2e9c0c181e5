import { ERRNO } from "../../src/base/errno.ts";
import type { FaultDice, FaultName } from "../faults/faults.ts";
import type { Step } from "./client_plan.ts";
import type { SimulationPlan } from "./simulation_plan.ts";

/** Faults that make calls fail or stop short. */
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
/** Steps that write, or report the error of an earlier write-back. */
const WRITING = /write|Write|fsync|reopen/;
const ENDING: readonly FaultName[] = ["unmount", "abort"];

/** The errors that a client's calls may end with, given a plan's faults. */
export class AllowedErrors {
  readonly #dice: FaultDice;
  /** Whether a client changes the size of the image. */
  readonly #resizes: boolean;
  /** Whether the request timeout may abort the connection. */
  readonly #timesOut: boolean;

  /**
   * Derives the errors from a plan.
   *
   * @param plan What the clients do.
   * @param dice Which faults are injected.
   */
  constructor(plan: SimulationPlan, dice: FaultDice) {
    this.#dice = dice;
    this.#resizes = plan.clients.some(({ steps }) =>
      steps.some((step) => step.do.endsWith("truncate"))
    );
    this.#timesOut = plan.requestTimeout > 0 && dice.possible("hung-worker");
  }

  /** Whether calls may move fewer bytes than requested. */
  get mayBeShort(): boolean {
    return this.#dice.possible(...BREAKING);
  }

  /** Whether a step may fail with an error number. */
  mayFail(step: Step, errno: number): boolean {
    const dice = this.#dice;
    switch (errno) {
      case ERRNO.EIO:
        if (this.mayBeShort) return true;
        return this.#resizes && WRITING.test(step.do);
      case ERRNO.ENOSPC:
        if (dice.possible("failing-backend")) return true;
        if (this.#resizes && WRITING.test(step.do)) return true;
        return isUsual(step, errno);
      case ERRNO.EFAULT:
        return this.#resizes && step.do.startsWith("map");
      case ERRNO.ECONNABORTED:
        return dice.possible(...CLOSING, ...ENDING);
      case ERRNO.ENOTCONN:
        return dice.possible(...ENDING) || this.#timesOut;
      case ERRNO.EINTR:
        return dice.possible("kill");
      default:
        return isUsual(step, errno);
    }
  }
}

/** Whether a step may fail with an error although no fault is injected. */
function isUsual(step: Step, errno: number): boolean {
  switch (step.do) {
    case "lseek":
      return errno === ERRNO.ENXIO || errno === ERRNO.EINVAL;
    case "fallocate":
    case "truncate":
    case "ftruncate":
      return errno === ERRNO.ENOSPC;
    default:
      return false;
  }
}
