/**
 * Whether queues over /dev/fuse read and answer requests in batches.
 *
 * @module
 */
import type { ImageAttachment } from "../backends/attach_image.ts";
import type { HandlerSpec } from "./open_handler.ts";
import type { BatchingChoice, TransportState } from "./transport.ts";

/** What Workers are told of batches, and why they are not asked for any. */
export interface BatchPlan {
  readonly choice: BatchingChoice;
  readonly whyNot: string | null;
}

/**
 * Plans batches before the Workers start. A request that was read ahead can only
 * be answered by the queue that has read it. So a handler or backend of a
 * user's own, which may keep its thread busy for as long as it likes, would hold
 * up requests of other clients: its queues read one request at a time.
 *
 * @param choice The requested batching.
 * @param spec What the Workers run.
 */
export function planBatches(
  choice: BatchingChoice,
  spec: HandlerSpec,
): BatchPlan {
  const runsModule = spec.kind === "module" ||
    spec.kind === "export" && usesModule(spec.image);
  if (choice === "off" || !runsModule) return { choice, whyNot: null };
  return {
    choice: "off",
    whyNot: "the code of a module may keep a queue, and all that it has read",
  };
}

/** Whether one of the drivers of an image runs a module. */
function usesModule({ driver, below }: ImageAttachment): boolean {
  return driver === "module" || below.some(usesModule);
}

/**
 * The transport, with what became of the plan.
 *
 * @param reasons Why each Worker reads no batches; `null` if it does.
 */
export function withBatches(
  transport: TransportState,
  { choice, whyNot }: BatchPlan,
  reasons: readonly (string | null)[],
): TransportState {
  if (transport.kind === "uring") return transport;
  if (choice === "off") return { ...transport, whyNoBatches: whyNot };
  const whyNoBatches = reasons.find((reason) => reason !== null) ?? null;
  return { ...transport, batching: whyNoBatches === null, whyNoBatches };
}
