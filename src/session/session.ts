import type {
  NegotiatedCapabilities,
  OfferedCapabilities,
} from "../protocol/init.ts";
import type {
  QueueStatistics,
  QueueTotals,
} from "../queue/queue_statistics.ts";
import type { QueueEnd } from "../queue/request_queue.ts";
import type { MountMethod } from "../linux/mount/mount_connection.ts";
import type { PassthroughState } from "./passthrough.ts";
import type { SessionNotifier } from "./session_notifier.ts";
import type { TransportState } from "./transport.ts";
import { Watchdog } from "./watchdog.ts";

/**
 * How a session ended.
 *
 * @category Sessions
 */
export interface SessionReport {
  /** Whether it was closed or unmounted and nothing went wrong. */
  readonly clean: boolean;
  /** What went wrong, one sentence each. */
  readonly problems: readonly string[];
  /** How each queue ended, by queue. */
  readonly ends: readonly QueueEnd[];
  /** The totals of each queue. */
  readonly queues: readonly QueueTotals[];
}

/** A Worker, or a loop on the calling thread, that serves one queue. */
export interface QueueServer {
  /** Resolves when its queue has ended. */
  readonly done: Promise<QueueEnd>;
  /** Ends it by force. */
  terminate(): void;
}

/** The mount of a session. */
export interface SessionMount {
  /** Where it is mounted: an absolute path. */
  readonly path: string;
  /** Unmounts it; `covered` if another mount lies over it. */
  unmount(): "unmounted" | "gone" | "covered";
  /** Aborts its connection; `false` if that is not possible or not allowed. */
  abort(): boolean;
}

/** The parts of a session. */
export interface SessionParts {
  /** The mount. */
  readonly mount: SessionMount;
  /** As {@linkcode Session.mountMethod}. */
  readonly mountMethod: MountMethod;
  /** As {@linkcode Session.allowOther}. */
  readonly allowOther: boolean;
  /** As {@linkcode Session.offered}. */
  readonly offered: OfferedCapabilities;
  /** As {@linkcode Session.negotiated}. */
  readonly negotiated: NegotiatedCapabilities;
  /** As {@linkcode Session.transport}. */
  readonly transport: TransportState;
  /** As {@linkcode Session.passthrough}. */
  readonly passthrough: PassthroughState;
  /** The kernel's id of an image in passthrough; else `null`. */
  readonly backingId: number | null;
  /** As {@linkcode Session.singleQueueReason}. */
  readonly singleQueueReason: string | null;
  /** As {@linkcode Session.notifier}. */
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
  /** Takes back what the thread of a queue holds, once the queue has ended. */
  readonly reclaim: (queue: number) => Promise<void>;
  /** Releases everything else that the session uses. */
  readonly release: () => Promise<void>;
}

/** Milliseconds for requests in flight to be answered before the unmount. */
const ANSWER_MS = 2000;
/** Milliseconds for the queues to end after the unmount. */
const JOIN_MS = 1000;
const CHECK_AGAIN_MS = 5;

/**
 * A mounted file system that is being served.
 *
 * To unmount it, dispose of the session or call {@linkcode Session.close}.
 * Programs that keep a file open then get errors.
 *
 * @category Sessions
 */
export class Session implements AsyncDisposable {
  /** Where it is mounted: an absolute path. */
  readonly mountpoint: string;
  /** How it was mounted: by mount(2), or without root by fusermount3. */
  readonly mountMethod: MountMethod;
  /** Whether users other than the one who mounted it have access. */
  readonly allowOther: boolean;
  /** The capabilities that the kernel offered. */
  readonly offered: OfferedCapabilities;
  /** The negotiated capabilities. */
  readonly negotiated: NegotiatedCapabilities;
  /** How requests travel, and why not by io_uring if they do not. */
  readonly transport: TransportState;
  /** Whether the kernel reads and writes the image itself, and why not. */
  readonly passthrough: PassthroughState;
  /** Why one queue serves, if more were requested; else `null`. */
  readonly singleQueueReason: string | null;
  /** Tells the kernel to drop or replace what it has cached. */
  readonly notifier: SessionNotifier;
  /** Resolves when the session has ended, for any reason; never rejects. */
  readonly closed: Promise<SessionReport>;
  readonly #parts: SessionParts;
  readonly #problems: string[] = [];
  readonly #ends: (QueueEnd | null)[];
  /** Resolves once the connection ends, which wakes all queues. */
  readonly #unmounted = Promise.withResolvers<void>();
  /** Resolves when the session is aborted. */
  readonly #aborted = Promise.withResolvers<null>();
  #closing = false;
  #gaveUp = false;

  /** Wraps running servers; called by `mountExport` and `mountHandler`. */
  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#ends = parts.servers.map(() => null);
    this.mountpoint = parts.mount.path;
    this.mountMethod = parts.mountMethod;
    this.allowOther = parts.allowOther;
    this.offered = parts.offered;
    this.negotiated = parts.negotiated;
    this.transport = parts.transport;
    this.passthrough = parts.passthrough;
    this.singleQueueReason = parts.singleQueueReason;
    this.notifier = parts.notifier;
    this.closed = this.#watch();
  }

  /** The number of queues. */
  get queues(): number {
    return this.#parts.servers.length;
  }

  /** The totals of each queue so far. */
  stats(): QueueTotals[] {
    return this.#parts.statistics.totals();
  }

  /**
   * Copies of each queue's latency histograms so far, by operation. Empty
   * without the option `stats`.
   */
  histograms(): Float64Array<ArrayBuffer>[][] {
    return this.#parts.statistics.queues.map((row) => row.histograms());
  }

  /**
   * Ends the session: waits up to two seconds for requests in flight to be
   * answered, unmounts, and waits for every Worker to end. Idempotent.
   */
  async close(): Promise<SessionReport> {
    if (!this.#closing) {
      this.#closing = true;
      this.#parts.statistics.stop();
      await until(() => this.#isIdle(), ANSWER_MS);
      this.#unmount();
    }
    return await this.closed;
  }

  /**
   * Ends the session at once: requests in flight fail, and the image is not
   * flushed.
   */
  abort(): Promise<SessionReport> {
    this.#closing = true;
    this.#aborted.resolve(null);
    this.#parts.statistics.stop();
    this.#unmount();
    return this.closed;
  }

  /** Ends the session as {@linkcode Session.close} does. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #watch(): Promise<SessionReport> {
    const { servers, statistics, warn, hangMs, flush, release } = this.#parts;
    const hasEnded = (index: number) => this.#ends[index] !== null;
    using _ = new Watchdog({ statistics, warn, hasEnded, hangMs });
    const all = servers.map(async ({ done }, index) => {
      this.#ended(index, await done);
    });
    await Promise.race([Promise.all(all), this.#unmounted.promise]);
    await this.#join();
    // If the last queue failed, the mount is still there.
    this.#unmount();
    // A Worker that did not end may still use what release() would close.
    if (!this.#gaveUp) {
      const loss = await Promise.race([this.#aborted.promise, flush?.()]);
      if (typeof loss === "string") this.#problems.push(loss);
      await release();
    }
    return {
      clean: this.#problems.length === 0,
      problems: this.#problems,
      ends: this.#ends.map((end) => end ?? LOST),
      queues: statistics.totals(),
    };
  }

  #ended(index: number, end: QueueEnd): void {
    this.#ends[index] = end;
    const { reclaim, statistics, warn } = this.#parts;
    // A Worker that died could not say so, and full queues would rely on it.
    statistics.queues[index]!.hasRoom = false;
    reclaim(index).catch((error) =>
      warn(`Cannot find the size after queue ${index} ended: ${error.message}`)
    );
    if (end.reason === "failed") {
      this.#failed(`Queue ${index} failed: ${end.message}`);
    } else if (end.reason !== "closed") {
      this.#unmounted.resolve();
    }
  }

  /** Whether no queue that still runs has a request in flight. */
  #isIdle(): boolean {
    return this.#parts.statistics.queues.every(({ index, inFlight }) =>
      inFlight === 0 || this.#ends[index] !== null
    );
  }

  #failed(problem: string): void {
    this.#problems.push(problem);
    if (!this.#ends.includes(null)) return;
    const { transport, warn } = this.#parts;
    if (transport.kind === "device") {
      // The Worker's descriptor is closed, which makes its requests fail.
      return warn(`${problem}; the other queues continue`);
    }
    // The kernel chooses a ring by CPU: requests of this one would hang.
    warn(
      `${problem}; over io_uring the other queues cannot replace it, so the session ends`,
    );
    this.#unmount();
  }

  /** Waits for the queues after the unmount, and terminates the rest. */
  async #join(): Promise<void> {
    const { mount, servers } = this.#parts;
    const joined = () => !this.#ends.includes(null);
    if (await until(joined, JOIN_MS)) return;
    mount.abort();
    if (await until(joined, JOIN_MS)) return;
    const lost = this.#ends.filter((end) => end === null).length;
    this.#problems.push(
      `${lost} of ${servers.length} queues did not end and were terminated`,
    );
    this.#gaveUp = true;
    for (const server of servers) server.terminate();
  }

  #unmount(): void {
    const { mount } = this.#parts;
    try {
      if (mount.unmount() === "covered") mount.abort();
    } catch (error) {
      // A user who may not unmount may still abort the connection.
      if (!mount.abort()) this.#problems.push((error as Error).message);
    }
    this.#unmounted.resolve();
  }
}

const LOST: QueueEnd = { reason: "failed", message: "The queue did not end" };

/** Waits for a condition; `false` if it is not met in time. */
async function until(
  condition: () => boolean,
  timeoutMs: number,
): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (!condition()) {
    if (Date.now() >= deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, CHECK_AGAIN_MS));
  }
  return true;
}
