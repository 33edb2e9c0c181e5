/**
 * Request queues: where a FUSE server takes requests from and sends replies to.
 * Sessions consist of these parts; use them for a server or transport of your
 * own.
 *
 * - **Serve a queue:** {@linkcode handshake} answers INIT, then
 *   {@linkcode serve} gives each request to a {@linkcode RequestHandler}.
 * - **Queues:** {@linkcode DeviceQueue} reads /dev/fuse, {@linkcode MemoryQueue}
 *   shared memory. A {@linkcode ForwardingQueue} wraps another queue, as
 *   {@linkcode TraceQueue} does.
 * - **Waiting:** a thread sleeps in {@linkcode DeviceEvents};
 *   {@linkcode PollStrategy} decides how long to poll first.
 * - **Answering later:** a {@linkcode Completion} is a promise of a result that
 *   is reused, and runs steps when the result comes.
 * - **Statistics:** {@linkcode QueueStatistics} counts requests in memory that
 *   all threads share.
 * - **Notifications:** a {@linkcode NotificationQueue} sends them in order
 *   through a {@linkcode NotificationWriter}, and {@linkcode TraceNotifier}
 *   traces them.
 *
 * @example Serve one queue of a simulated kernel, and trace it
 * ```ts
 * import { handshake, serve, TraceQueue } from "@mqfuse/mqfuse/queue";
 * import { ERRNO, formatTrace } from "@mqfuse/mqfuse/protocol";
 * import { SimKernel } from "@mqfuse/mqfuse/sim";
 * import { assertEquals } from "@std/assert";
 *
 * const kernel = new SimKernel({ queues: 1 });
 * const lines: string[] = [];
 * const queue = new TraceQueue(
 *   kernel.queue(0),
 *   (record) => lines.push(formatTrace(record)),
 * );
 * await handshake(queue, {
 *   flags: [],
 *   maxWrite: 4096,
 *   maxBackground: 12,
 *   congestionThreshold: 9,
 * });
 * const ended = serve(queue, {
 *   handle: (_request, reply) => reply.error(ERRNO.ENOSYS),
 * });
 * kernel.unmount();
 * assertEquals((await ended).reason, "unmounted");
 * assertEquals(lines.length, 2); // INIT and its reply
 * ```
 *
 * @module
 */
export { Completion, type Receiver, type Step } from "../event/completion.ts";
export {
  DeviceEvents,
  type DeviceEventsOptions,
  type ReadableDevice,
} from "../event/device_events.ts";
export type { EventSource } from "../event/event_source.ts";
export type { MessagePipe } from "../event/message_pipe.ts";
export type { RingOwner } from "../event/ring.ts";
export {
  type PollOptions,
  PollStrategy,
  type PollUs,
} from "../event/poll_strategy.ts";
export { DeviceQueue, type DeviceQueueOptions } from "./device_queue.ts";
export { ForwardingQueue } from "./forwarding_queue.ts";
export type { FuseDevice } from "./fuse_device.ts";
export type { AllocateMessages, MessageMemory } from "./message_memory.ts";
export type { SharedRoom } from "./shared_room.ts";
export { type Handshake, handshake } from "./handshake.ts";
export {
  EntryFifo,
  MemoryChannel,
  type MemoryChannelHandle,
  type MemoryChannelOptions,
  type MemoryEntry,
  type MemoryLayout,
} from "./memory_channel.ts";
export {
  CHANNEL_END,
  type MemoryKernel,
  MemoryQueue,
  type MemoryQueueOptions,
} from "./memory_queue.ts";
export {
  NotificationQueue,
  type NotificationWriter,
  type Notifier,
} from "./notifier.ts";
export type { OpcodeTotals } from "./opcode_counts.ts";
export {
  QueueCounters,
  QueueStatistics,
  type QueueStatisticsOptions,
  type QueueTotals,
} from "./queue_statistics.ts";
export type {
  QueueEnd,
  QueueEndReason,
  RequestQueue,
} from "./request_queue.ts";
export type { RequestHandler } from "./request_handler.ts";
export { serve, type ServeOptions } from "./serve.ts";
export { TraceNotifier, type TraceOptions, TraceQueue } from "./trace_queue.ts";
