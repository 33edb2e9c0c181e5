/**
 * The messages between the session and its Workers.
 *
 * @module
 */
import type { NegotiatedCapabilities } from "../protocol/init.ts";
import type { TraceRecord } from "../protocol/trace_record.ts";
import type { PollUs } from "../event/poll_strategy.ts";
import type { QueueEnd } from "../queue/request_queue.ts";
import type { HandlerSpec } from "./open_handler.ts";
import type { OpenQueue } from "./open_queue.ts";
import type { QueueMemory } from "./queue_memory.ts";
import type { BatchingChoice } from "./transport.ts";
import type { NotifiedMessage, NotifyMessage } from "./worker_notifier.ts";

/** Starts a Worker: which queue to serve, and how. */
export interface StartMessage {
  readonly kind: "start";
  /** The queue's number. */
  readonly index: number;
  /** A /dev/fuse descriptor of the connection; the Worker closes it. */
  readonly fd: number;
  /** The negotiated capabilities. */
  readonly negotiated: NegotiatedCapabilities;
  /** Largest payload of a request or reply in bytes. */
  readonly maxPayload: number;
  /** How much memory the queue may take. */
  readonly memory: QueueMemory;
  /** Memory of the session's `QueueStatistics`. */
  readonly statistics: SharedArrayBuffer;
  /** Memory of the `BlockingCalls` of all Workers. */
  readonly blockingCalls: Int32Array<SharedArrayBuffer>;
  /** How to make a handler. */
  readonly handler: HandlerSpec;
  /**
   * Memory of the `ByteBudget` for a trace record of every message; `null` to
   * send none.
   */
  readonly trace: Int32Array<SharedArrayBuffer> | null;
  /** Whether trace records hold the whole message. */
  readonly wire: boolean;
  /** How long to poll before sleeping. */
  readonly pollUs: PollUs;
  /** How long to sleep at most, in milliseconds; `null` for no limit. */
  readonly longestSleepMs: number | null;
  /**
   * The ring queue of each entry, for FUSE over io_uring: the Worker makes an
   * io_uring, reports success or failure and waits for a {@linkcode GoMessage}.
   * `null` to use the descriptor at once.
   */
  readonly qids: readonly number[] | null;
  /** The least bytes of a READ that are spliced; `null` for none. */
  readonly spliceFrom: number | null;
  /** Whether to read requests over /dev/fuse in batches, where it is possible. */
  readonly batching: BatchingChoice;
  /** Why no notifications can be sent; `null` if they can. */
  readonly whyNoNotifications: string | null;
}

/**
 * Tells a Worker with an io_uring whether to use it; all Workers get the same
 * message.
 */
export interface GoMessage {
  readonly kind: "go";
  /** Whether to use the io_uring. */
  readonly useRing: boolean;
}

/** A trace record of a Worker. */
export interface TraceMessage {
  readonly kind: "trace";
  /** The record; `null` if the Worker ends. */
  readonly record: TraceRecord | null;
  /** How many records were dropped before this one. */
  readonly dropped: number;
}

/** Tells a Worker that is ready to take requests. */
export interface ServeMessage {
  readonly kind: "serve";
}

/** A message to a Worker. */
export type MessageToWorker =
  | StartMessage
  | GoMessage
  | ServeMessage
  | NotifiedMessage;

/** Tells that a Worker is ready to take requests. */
export interface ReadyMessage
  extends Pick<OpenQueue, "memory" | "descriptors" | "whyNoBatches"> {
  readonly kind: "ready";
  /** Why it has no pipe, although it was to splice; else `null`. */
  readonly noPipe: string | null;
}

/** A message from a Worker. */
export type WorkerMessage =
  /** It has loaded its code, and waits for a {@linkcode StartMessage}. */
  | { readonly kind: "loaded" }
  /** It has made an io_uring; `failure` says why not. */
  | { readonly kind: "ring"; readonly failure: string | null }
  /** It is ready to take requests. */
  | ReadyMessage
  /** It could not start, or cannot go on. */
  | {
    readonly kind: "failed";
    readonly message: string;
    /** Whether it is a `UserError`. */
    readonly isUserError: boolean;
  }
  /** It received or sent a message. */
  | TraceMessage
  /** Its handler sends a notification, and receives a `NotifiedMessage`. */
  | NotifyMessage
  /** Its image tells the user a sentence. */
  | { readonly kind: "told"; readonly text: string }
  /** Bytes were zeroed that the kernel may have cached. */
  | { readonly kind: "zeroed" }
  /** A handler or backend threw; the request was answered with an errno. */
  | {
    readonly kind: "report";
    readonly error: Error;
    readonly during: string;
  }
  /** Its queue has ended; the Worker ends too. */
  | { readonly kind: "done"; readonly end: QueueEnd };
