/**
 * How requests travel between the kernel and the queues: by FUSE over io_uring
 * or by /dev/fuse, and why.
 *
 * @module
 */
import { UserError } from "../base/user_error.ts";
import type { InitFlagName } from "../protocol/flags.ts";
import { probeUring } from "../linux/fuse/uring_probe.ts";

/**
 * The requested transport: FUSE over io_uring, /dev/fuse, or `auto` for
 * io_uring where it is available.
 *
 * @category Sessions
 */
export type TransportChoice = "auto" | "device" | "uring";

/** Choices of a transport. */
export const TRANSPORTS: readonly TransportChoice[] = [
  "auto",
  "device",
  "uring",
];

/**
 * Whether a queue over /dev/fuse reads and answers several requests by one
 * system call, io_uring_enter(2), while they come fast: `auto` where that is
 * possible.
 *
 * @category Sessions
 */
export type BatchingChoice = "auto" | "off";

/** Choices of batching. */
export const BATCHING: readonly BatchingChoice[] = ["auto", "off"];

/**
 * The transport of a session.
 *
 * @category Sessions
 */
export interface TransportState {
  /** `uring` for io_uring, `device` for read(2) and write(2) on /dev/fuse. */
  readonly kind: "device" | "uring";
  /** Why it is not io_uring; `null` if it is, or `device` was requested. */
  readonly reason: string | null;
  /** Whether queues over /dev/fuse read and answer requests in batches. */
  readonly batching: boolean;
  /**
   * Why they do not; `null` if they do, over io_uring, or if `off` was
   * requested.
   */
  readonly whyNoBatches: string | null;
}

/** The transport that a session tries to get. */
export interface TransportPlan {
  /** Flags for INIT. */
  readonly flags: readonly InitFlagName[];
  /** The transport, provided that the kernel accepts the flags. */
  readonly intent: TransportState;
}

/** FUSE over io_uring. */
export const URING: TransportState = {
  kind: "uring",
  reason: null,
  batching: false,
  whyNoBatches: null,
};

/** /dev/fuse, so far without batches. */
function deviceTransport(reason: string | null): TransportState {
  return { kind: "device", reason, batching: false, whyNoBatches: null };
}

/**
 * Plans the transport, before anything is mounted.
 *
 * @param choice The requested transport.
 * @param workers Whether Workers serve. The calling thread cannot use io_uring:
 * while it unmounts, the kernel waits for its ring.
 * @throws {UserError} If io_uring was requested and is not available.
 */
export function planTransport(
  choice: TransportChoice,
  workers: boolean,
): TransportPlan {
  if (choice === "device") {
    return { flags: [], intent: deviceTransport(null) };
  }
  const probe = workers ? probeUring() : {
    available: false as const,
    reason: "it needs Workers, and the calling thread serves",
  };
  return probe.available
    ? { flags: ["OVER_IO_URING"], intent: URING }
    : { flags: [], intent: fallBack(choice, probe.reason) };
}

/**
 * Removes io_uring from a plan, for mounts whose end cannot wake a ring.
 *
 * @param plan The plan.
 * @param choice The requested transport.
 * @throws {UserError} If io_uring was requested.
 */
export function withoutUring(
  plan: TransportPlan,
  choice: TransportChoice,
): TransportPlan {
  if (plan.intent.kind === "device") return plan;
  const reason =
    "without root, unmounting a file in use needs fusectl at /sys/fs/fuse/connections";
  return { flags: [], intent: fallBack(choice, reason) };
}

/**
 * Falls back to /dev/fuse, unless io_uring was requested.
 *
 * @param choice The requested transport.
 * @param reason Why io_uring is not available.
 * @throws {UserError} If io_uring was requested.
 */
export function fallBack(
  choice: TransportChoice,
  reason: string,
): TransportState {
  if (choice !== "uring") return deviceTransport(reason);
  throw new UserError(
    `Cannot use FUSE over io_uring: ${reason}; set the transport to auto or device`,
  );
}
