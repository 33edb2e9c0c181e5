import type { Clock } from "../determinism/clock.ts";
import type { TakenRequest } from "./dispatch.ts";
import type { KernelOffer } from "./negotiation.ts";
import type { DispatchPolicy } from "./policy.ts";
import type { QueueOptions } from "./queue_link.ts";
import type { AcceptedReply } from "./reply_path.ts";

/** How a simulated kernel is made. */
export interface SimKernelOptions extends QueueOptions {
  /** Who gets which request; strict turns if left out. */
  readonly policy?: DispatchPolicy;
  /** What INIT offers; what Linux 6.18 does if left out. */
  readonly offered?: KernelOffer;
  /** Mount option `max_read`: largest READ in bytes; no limit if left out. */
  readonly maxRead?: number;
  /** Mount option `ro`; no if left out. */
  readonly readOnly?: boolean;
  /** Mount option `allow_other`; no if left out. */
  readonly allowOther?: boolean;
  /** Tells the time; it stands still if left out. */
  readonly clock?: Clock;
  /** Microseconds that a reader takes to wake up; at once if left out. */
  readonly wakeUs?: () => number;
  /** Hears of each request as a queue takes it. */
  readonly onTaken?: (taken: TakenRequest) => void;
  /** Hears of each reply that is accepted. */
  readonly onReply?: (reply: AcceptedReply) => void;
}

/** What one queue has done. */
export interface QueueReport {
  /** The queue's number. */
  readonly index: number;
  /** Requests that the server took from it, INIT included. */
  readonly taken: number;
  /** Replies that were accepted. */
  readonly answered: number;
}
