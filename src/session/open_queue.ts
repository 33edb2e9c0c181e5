import type { EventSource } from "../event/event_source.ts";
import type { FileIo } from "../event/file_io.ts";
import type { RequestQueue } from "../queue/request_queue.ts";
import type { LinuxMessagePipe } from "../linux/io/message_pipe.ts";
import type { ResidentTotal } from "../linux/fuse/message_memory.ts";

/** A queue, and the event source of its thread. */
export interface OpenQueue {
  readonly queue: RequestQueue;
  /**
   * The event source that the queue sleeps in; closing the queue closes it too.
   */
  readonly events: EventSource;
  /** The memory for messages. */
  readonly memory: ResidentTotal;
  /** The pipe for replies, or why there is none; `null` if none is needed. */
  readonly pipe: LinuxMessagePipe | string | null;
  /** Makes asynchronous file I/O on the event source; `null` if it cannot. */
  fileIo(): FileIo | null;
  /** Descriptors of the connection that the thread has opened. */
  readonly descriptors: readonly number[];
  /**
   * Why the queue does not read requests in batches; `null` if it does, or was
   * not asked to.
   */
  readonly whyNoBatches: string | null;
}
