/**
 * What a running session is made of.
 *
 * @module
 */
import type {
  NegotiatedCapabilities,
  OfferedCapabilities,
} from "../protocol/init.ts";
import type { QueueStatistics } from "../queue/queue_statistics.ts";
import type { QueueEnd } from "../queue/request_queue.ts";
import type { MountMethod } from "../linux/mount/mount_connection.ts";
import type { MountUsers } from "../linux/mount/mount_users.ts";
import type { PassthroughState } from "./passthrough.ts";
import type { SessionNotifier } from "./session_notifier.ts";
import type { SpliceState } from "./splicing.ts";
import type { TransportState } from "./transport.ts";
import type { UsedMount } from "./wait_until_unused.ts";

/** A Worker, or a loop on the calling thread, that serves one queue. */
export interface QueueServer {
  /** Resolves when its queue has ended. */
  readonly done: Promise<QueueEnd>;
  /** Lets it take requests. */
  serve(): void;
  /** Ends it by force. */
  terminate(): void;
}

/** The mount of a session. */
export interface SessionMount extends UsedMount {
  /** Unmounts it; `covered` if another mount lies over it. */
  unmount(): "unmounted" | "gone" | "covered";
  /** Aborts its connection; `false` if that is not possible or not allowed. */
  abort(): boolean;
  /** Requests that the kernel waits for; `null` if it does not say. */
  waiting(): number | null;
  /** Closes what it holds open; it can then not be aborted any more. */
  close(): void;
}

/** The parts of a session. */
export interface SessionParts {
  /** The mount. */
  readonly mount: SessionMount;
  /** As `Session.mountMethod`. */
  readonly mountMethod: MountMethod;
  /** As `Session.allowOther`. */
  readonly allowOther: boolean;
  /** As `Session.offered`. */
  readonly offered: OfferedCapabilities;
  /** As `Session.negotiated`. */
  readonly negotiated: NegotiatedCapabilities;
  /** As `Session.transport`. */
  readonly transport: TransportState;
  /** As `Session.splicing`. */
  readonly splicing: SpliceState;
  /** As `Session.passthrough`. */
  readonly passthrough: PassthroughState;
  /** The kernel's id of an image in passthrough; else `null`. */
  readonly backingId: number | null;
  /** As `Session.singleQueueReason`. */
  readonly singleQueueReason: string | null;
  /** As `Session.notifier`. */
  readonly notifier: SessionNotifier;
  /** The queues' counters, and the flag that stops them. */
  readonly statistics: QueueStatistics;
  /** The server of each queue, by queue. */
  readonly servers: readonly QueueServer[];
  /** Receives a sentence when a queue hangs, recovers or fails. */
  readonly warn: (text: string) => void;
  /** When a queue counts as hung, in milliseconds. */
  readonly hangMs: number;
  /**
   * Makes what was written durable, after the last request.
   *
   * @returns What was lost, in one sentence; `null` if nothing was. Left out if
   * there is nothing to flush.
   */
  readonly flush?: (() => Promise<string | null>) | undefined;
  /** How long to wait for users of the mount at the end, in milliseconds. */
  readonly stopTimeoutMs: number;
  /** Receives what uses the mount while the end waits for that. */
  readonly inUse: (users: MountUsers) => void;
  /** Receives a sentence about a wait for the image. */
  readonly notice: (text: string) => void;
  /** Takes back what the thread of a queue holds, once the queue has ended. */
  readonly reclaim: (queue: number) => Promise<void>;
  /** Releases everything else that the session uses. */
  readonly release: () => Promise<void>;
}
