import type { Clock } from "../determinism/clock.ts";
import type { PendingRequest, TakenRequest } from "./dispatch.ts";
import type { KernelOffer } from "./negotiation.ts";
import type { DispatchPolicy } from "./policy.ts";
import type { QueueOptions } from "./queue_link.ts";
import type { WakeListener } from "./readers.ts";
import type { AcceptedReply } from "./reply_path.ts";

/**
 * How a {@linkcode SimKernel} is made.
 *
 * @category Kernel
 */
export interface SimKernelOptions extends QueueOptions {
  /** Chooses the queue of each request; round-robin if left out. */
  readonly policy?: DispatchPolicy;
  /** The offer of INIT; that of Linux 6.18 if left out. */
  readonly offered?: KernelOffer;
  /** Mount option `max_read`: largest READ in bytes; no limit if left out. */
  readonly maxRead?: number;
  /** Mount option `ro`; no if left out. */
  readonly readOnly?: boolean;
  /** Mount option `allow_other`; no if left out. */
  readonly allowOther?: boolean;
  /** The time; it stands still if left out. */
  readonly clock?: Clock;
  /** Microseconds that a reader takes to wake up; at once if left out. */
  readonly wakeUs?: () => number;
  /** Called with each request that becomes pending. */
  readonly onPending?: (pending: PendingRequest) => void;
  /** Called when a reader that was woken runs. */
  readonly onWake?: WakeListener;
  /** Called with each request when a queue takes it. */
  readonly onTaken?: (taken: TakenRequest) => void;
  /** Called with each reply that is accepted. */
  readonly onReply?: (reply: AcceptedReply) => void;
}

/**
 * What one queue has done.
 *
 * @category Kernel
 */
export interface QueueReport {
  /** The queue's number. */
  readonly index: number;
  /** Requests that the server took from it, INIT included. */
  readonly taken: number;
  /** Replies that were accepted. */
  readonly answered: number;
}
