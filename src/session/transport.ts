/**
 * How requests travel between the kernel and the queues: what was asked for,
 * what can be had, and why.
 *
 * @module
 */
import { UserError } from "../base/user_error.ts";
import type { InitFlagName } from "../protocol/flags.ts";
import { probeUring } from "../linux/fuse/uring_probe.ts";

/**
 * What is asked for: FUSE over io_uring, /dev/fuse, or `auto` for io_uring
 * where it can be had.
 */
export type TransportChoice = "auto" | "device" | "uring";

/** How requests travel. */
export interface TransportState {
  /** By io_uring, or by read(2) and write(2) on /dev/fuse. */
  readonly kind: "device" | "uring";
  /** Why not by io_uring, if that was asked for or left open. */
  readonly reason: string | null;
}

/** What to ask of the kernel, and what to do if it agrees. */
export interface TransportPlan {
  /** Flags for INIT. */
  readonly flags: readonly InitFlagName[];
  /** How requests are going to travel. */
  readonly intent: TransportState;
}

/**
 * Decides before anything is mounted.
 *
 * @param choice What was asked for.
 * @param workers Whether Workers serve: a thread that also unmounts cannot,
 * because the kernel then waits for its ring.
 * @throws {UserError} If io_uring was asked for and cannot be had.
 */
export function chooseTransport(
  choice: TransportChoice,
  workers: boolean,
): TransportPlan {
  if (choice === "device") {
    return { flags: [], intent: { kind: "device", reason: null } };
  }
  const probe = workers ? probeUring() : {
    available: false as const,
    reason: "the calling thread serves, and io_uring needs Workers",
  };
  return probe.available
    ? { flags: ["OVER_IO_URING"], intent: { kind: "uring", reason: null } }
    : { flags: [], intent: refuseFallback(choice, probe.reason) };
}

/**
 * What is left of a plan where nothing wakes a ring whose mount has gone.
 *
 * @param plan What was decided.
 * @param choice What was asked for.
 * @throws {UserError} If nothing but io_uring was asked for.
 */
export function withoutRings(
  plan: TransportPlan,
  choice: TransportChoice,
): TransportPlan {
  if (plan.intent.kind === "device") return plan;
  const reason =
    "without root, ending it while a file is open needs fusectl at /sys/fs/fuse/connections";
  return { flags: [], intent: refuseFallback(choice, reason) };
}

/**
 * Falls back to /dev/fuse, or refuses to.
 *
 * @param choice What was asked for.
 * @param reason Why io_uring cannot be had.
 * @throws {UserError} If nothing else was asked for.
 */
export function refuseFallback(
  choice: TransportChoice,
  reason: string,
): TransportState {
  if (choice !== "uring") return { kind: "device", reason };
  throw new UserError(
    `Cannot use FUSE over io_uring: ${reason}; or leave the transport to 'auto'`,
  );
}
