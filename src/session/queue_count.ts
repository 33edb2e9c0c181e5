import { UserError } from "../base/user_error.ts";

/** Most queues of a session: beyond, Workers only cost memory. */
export const QUEUES_MAX = 64;

/** Queues of a session by default: the CPUs, at most this many. */
const QUEUES_DEFAULT_MAX = 4;

/**
 * How many queues a session gets.
 *
 * @param wanted What was asked for, if anything.
 * @param here What is served on the calling thread, by one queue, if anything.
 * @throws {UserError} If it cannot be.
 */
export function checkQueues(
  wanted: number | undefined,
  here: string | null,
): number {
  if (here !== null) {
    if (wanted === undefined || wanted === 1) return 1;
    throw new UserError(
      `Cannot serve ${here} of the calling thread by ${wanted} queues: use one, or give it as a module`,
    );
  }
  const queues = wanted ??
    Math.min(navigator.hardwareConcurrency, QUEUES_DEFAULT_MAX);
  if (Number.isInteger(queues) && queues >= 1 && queues <= QUEUES_MAX) {
    return queues;
  }
  throw new UserError(
    `Cannot use ${queues} queues: expected a whole number from 1 to ${QUEUES_MAX}`,
  );
}
