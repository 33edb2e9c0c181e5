/// <reference lib="deno.worker" />
/**
 * What runs in a Worker: one queue, one handler, one serve loop. It is bundled
 * into `worker.bundle.js` (`deno task bundle`), because a Worker that starts
 * from a Blob needs no permission to read files.
 *
 * @module
 */
import { UserError } from "../base/user_error.ts";
import { protocolVersionOf } from "../protocol/init.ts";
import { DeviceQueue } from "../queue/device_queue.ts";
import type { FuseRing } from "../queue/fuse_ring.ts";
import { PollStrategy } from "../queue/poll_strategy.ts";
import { QueueStatistics } from "../queue/queue_statistics.ts";
import type { RequestQueue } from "../queue/request_queue.ts";
import { ringPayloadSize } from "../queue/ring_shares.ts";
import { serve } from "../queue/serve.ts";
import { TraceQueue } from "../queue/trace_queue.ts";
import { UringQueue } from "../queue/uring_queue.ts";
import { yieldCpu } from "../linux/syscall/process.ts";
import { fuseDeviceFromFd } from "../linux/fuse/fuse_device.ts";
import { openFuseRing } from "../linux/fuse/fuse_ring.ts";
import { alignedBytes } from "../linux/syscall/memory.ts";
import { openHandler } from "./open_handler.ts";
import type {
  GoMessage,
  StartMessage,
  WorkerMessage,
} from "./worker_messages.ts";

function tell(message: WorkerMessage): void {
  self.postMessage(message);
}

/** The queue to serve, and the ring in it, if it is one. */
interface OpenQueue {
  readonly queue: RequestQueue;
  readonly ring: UringQueue | null;
}

async function openQueue(start: StartMessage): Promise<OpenQueue> {
  const { maxPayload, negotiated } = start;
  const protocolVersion = protocolVersionOf(negotiated);
  const poll = new PollStrategy(start.pollUs, { yieldCpu });
  const ring = start.ring === null ? null : await openRing(start, start.ring);
  const device = new DeviceQueue(fuseDeviceFromFd(start.fd), {
    maxPayload,
    protocolVersion,
    poll,
    longestSleepMs: start.longestSleepMs ?? undefined,
    allocate: alignedBytes,
  });
  if (ring === null) return { queue: device, ring };
  const queue = new UringQueue(ring, {
    protocolVersion,
    poll,
    device,
    watchDevice: start.index === 0,
  });
  return { queue, ring: queue };
}

/** Makes the ring, and uses it if all Workers have got theirs. */
async function openRing(
  { fd, negotiated }: StartMessage,
  qids: readonly number[],
): Promise<FuseRing | null> {
  const { promise: go, resolve } = Promise.withResolvers<GoMessage>();
  self.onmessage = ({ data }: MessageEvent<GoMessage>) => resolve(data);
  let ring: FuseRing | null = null;
  let failure: string | null = null;
  try {
    const payloadSize = ringPayloadSize(negotiated);
    ring = openFuseRing({ fd, qids, payloadSize });
  } catch (error) {
    failure = messageOf(error);
  }
  tell({ kind: "ring", failure });
  const { useRing } = await go;
  if (useRing) return ring;
  ring?.close();
  ring?.release();
  return null;
}

async function run(start: StartMessage): Promise<void> {
  const { queue, ring } = await openQueue(start);
  endOnError(queue);
  try {
    const { handler, close } = await openHandler(start.handler, ring?.files);
    tell({ kind: "ready" });
    const end = await serve(traced(queue, start), handler, {
      mayBlock: true,
      statistics: new QueueStatistics(start.statistics),
      index: start.index,
      report: (error, during) =>
        tell({ kind: "report", error: cloneable(error), during }),
    });
    await close();
    queue.close();
    tell({ kind: "done", end });
  } finally {
    queue.close();
  }
}

/**
 * Has an error that belongs to no request, in a timer of a module for instance,
 * end this queue: what it has in hand fails, rather than to wait for ever. The
 * Worker lives on until its loop has noticed, because Deno frees the memory of
 * a dead one, which system calls in other threads may still write to.
 */
function endOnError(queue: RequestQueue): void {
  const end = (event: Event, error: unknown) => {
    event.preventDefault();
    queue.close();
    tell(failureOf(error));
  };
  self.addEventListener("error", (event) => end(event, event.error));
  self.addEventListener(
    "unhandledrejection",
    (event) => end(event, event.reason),
  );
}

function traced(
  queue: RequestQueue,
  { index, trace, wire }: StartMessage,
): RequestQueue {
  return trace
    ? new TraceQueue(
      queue,
      (record) => tell({ kind: "trace", record }),
      { index, wire },
    )
    : queue;
}

/** An error that postMessage() can copy: what was thrown may hold anything. */
function cloneable(error: unknown): Error {
  const copy = new Error(messageOf(error));
  if (error instanceof Error && error.stack !== undefined) {
    copy.stack = error.stack;
  }
  return copy;
}

function failureOf(error: unknown): WorkerMessage {
  const isUserError = error instanceof UserError;
  return { kind: "failed", message: messageOf(error), isUserError };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

self.onmessage = async ({ data }: MessageEvent<StartMessage>) => {
  try {
    await run(data);
  } catch (error) {
    tell(failureOf(error));
  }
  self.close();
};
