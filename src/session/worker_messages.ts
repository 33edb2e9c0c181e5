/**
 * What the session and its Workers say to each other.
 *
 * @module
 */
import type { InitAgreement } from "../protocol/init.ts";
import type { TraceRecord } from "../protocol/trace.ts";
import type { QueueEnd } from "../queue/request_queue.ts";
import type { HandlerSpec } from "./handler_spec.ts";

/** Tells a Worker which queue to serve, and how. */
export interface StartMessage {
  /** The queue's number. */
  readonly index: number;
  /** A /dev/fuse descriptor of the connection; the Worker closes it. */
  readonly fd: number;
  /** What was agreed on with the kernel. */
  readonly agreement: InitAgreement;
  /** Largest payload of a request or reply in bytes. */
  readonly maxPayload: number;
  /** Memory of the session's `QueueBoard`. */
  readonly board: SharedArrayBuffer;
  /** How to answer requests. */
  readonly handler: HandlerSpec;
  /** Whether to show every message. */
  readonly trace: boolean;
}

/** What a Worker tells. */
export type WorkerMessage =
  /** It is about to take the first request. */
  | { readonly kind: "ready" }
  /** It could not start. */
  | { readonly kind: "failed"; readonly message: string }
  /** A message passed. */
  | { readonly kind: "trace"; readonly record: TraceRecord }
  /** A defect was answered with an error. */
  | {
    readonly kind: "report";
    readonly during: string;
    readonly message: string;
  }
  /** Its queue has ended; the Worker ends too. */
  | { readonly kind: "done"; readonly end: QueueEnd };
