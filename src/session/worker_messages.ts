/**
 * What the session and its Workers say to each other.
 *
 * @module
 */
import type { NegotiatedCapabilities } from "../protocol/init.ts";
import type { TraceRecord } from "../protocol/trace.ts";
import type { PollUs } from "../queue/poll_strategy.ts";
import type { QueueEnd } from "../queue/request_queue.ts";
import type { HandlerSpec } from "./open_handler.ts";

/** Tells a Worker which queue to serve, and how. */
export interface StartMessage {
  /** The queue's number. */
  readonly index: number;
  /** A /dev/fuse descriptor of the connection; the Worker closes it. */
  readonly fd: number;
  /** What was agreed on with the kernel. */
  readonly negotiated: NegotiatedCapabilities;
  /** Largest payload of a request or reply in bytes. */
  readonly maxPayload: number;
  /** Memory of the session's `QueueStatistics`. */
  readonly statistics: SharedArrayBuffer;
  /** How to answer requests. */
  readonly handler: HandlerSpec;
  /** Whether to show every message. */
  readonly trace: boolean;
  /** Whether what is shown has the whole message in it. */
  readonly traceWire: boolean;
  /** How long to poll before sleeping. */
  readonly pollUs: PollUs;
  /** How long to sleep at most, in milliseconds; `null` for no limit. */
  readonly longestSleepMs: number | null;
  /**
   * The ring queue of each entry, for FUSE over io_uring: the Worker makes its
   * ring, tells what came of it and waits for a {@linkcode GoMessage}. `null`
   * to go by the descriptor at once.
   */
  readonly ring: readonly number[] | null;
}

/** Tells a Worker that made a ring how to go on; all go the same way. */
export interface GoMessage {
  /** Whether to use the ring. */
  readonly useRing: boolean;
}

/** What a Worker tells. */
export type WorkerMessage =
  /** It has made a ring, or could not, for a reason. */
  | { readonly kind: "ring"; readonly failure: string | null }
  /** It is about to take the first request. */
  | { readonly kind: "ready" }
  /** It could not start. */
  | { readonly kind: "failed"; readonly message: string }
  /** A message passed. */
  | { readonly kind: "trace"; readonly record: TraceRecord }
  /** A handler or backend threw; the request was answered with an errno. */
  | {
    readonly kind: "report";
    readonly error: Error;
    readonly during: string;
  }
  /** Its queue has ended; the Worker ends too. */
  | { readonly kind: "done"; readonly end: QueueEnd };
