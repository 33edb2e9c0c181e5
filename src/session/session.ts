import type {
  NegotiatedCapabilities,
  OfferedCapabilities,
} from "../protocol/init.ts";
import type {
  QueueStatistics,
  QueueTotals,
} from "../queue/queue_statistics.ts";
import type { PassthroughState } from "./passthrough.ts";
import type { QueueEnd } from "../queue/request_queue.ts";
import type { TransportState } from "./transport.ts";
import { Watchdog } from "./watchdog.ts";

/** How a session ended. */
export interface SessionReport {
  /** Whether it ended as asked or by an unmount from outside. */
  readonly clean: boolean;
  /** What went wrong, one sentence each. */
  readonly problems: readonly string[];
  /** How each queue ended, by queue. */
  readonly ends: readonly QueueEnd[];
  /** The totals of each queue. */
  readonly queues: readonly QueueTotals[];
}

/** Something that serves one queue and can be waited for. */
export interface QueueServer {
  /** Resolves when its queue has ended. */
  readonly done: Promise<QueueEnd>;
  /** Gives up on it. */
  terminate(): void;
}

/** The mount of a session, as far as its end needs it. */
export interface SessionMount {
  /** Where it is mounted: an absolute path. */
  readonly path: string;
  /** Takes it down, and nothing else that may lie there by now. */
  unmount(): "unmounted" | "gone" | "covered";
  /** Ends its connection; `false` if that is not possible or not allowed. */
  abort(): boolean;
}

/** By mount(2), or by the helper of ordinary users. */
export type MountMethod = "mount" | "fusermount3";

/** What a session is made of. */
export interface SessionParts {
  /** The mount. */
  readonly mount: SessionMount;
  /** How it was mounted. */
  readonly way: MountMethod;
  /** Whether users other than the one who mounted it may come in. */
  readonly allowOther: boolean;
  /** What the kernel offered. */
  readonly offered: OfferedCapabilities;
  /** What was agreed on. */
  readonly negotiated: NegotiatedCapabilities;
  /** How requests travel, and why. */
  readonly transport: TransportState;
  /** Whether the kernel goes to the image itself, and why not. */
  readonly passthrough: PassthroughState;
  /** The kernel's id of an image that it goes to itself, else `null`. */
  readonly backingId: number | null;
  /** Why there is one queue only, if more were asked for; else `null`. */
  readonly singleQueueReason: string | null;
  /** Counters, and the sign to stop. */
  readonly statistics: QueueStatistics;
  /** Whoever serves the queues, in their order. */
  readonly servers: readonly QueueServer[];
  /** Hears of a queue that hangs, answers again, or has died. */
  readonly warn: (text: string) => void;
  /** When a queue counts as hung, in milliseconds; `HANG_MS` if left out. */
  readonly hangMs?: number | undefined;
  /** Lets go of what the session holds besides, at its end. */
  readonly release: () => Promise<void>;
}

/** Milliseconds for requests in flight to be answered before the unmount. */
const ANSWER_MS = 2000;
/** Milliseconds for the queues to end after the unmount. */
const JOIN_MS = 1000;
const LOOK_AGAIN_MS = 5;

/**
 * A mounted file system that is being served.
 *
 * Dispose of it, or call {@linkcode Session.close}, to unmount it; whoever
 * keeps a file on it open gets errors from then on.
 */
export class Session implements AsyncDisposable {
  /** Where it is mounted: an absolute path. */
  readonly mountpoint: string;
  /** What the kernel offered at the start. */
  readonly offered: OfferedCapabilities;
  /** What kernel and server agreed on. */
  readonly negotiated: NegotiatedCapabilities;
  /** How requests travel, and why not by io_uring if they do not. */
  readonly transport: TransportState;
  /** Whether the kernel goes to the image itself, and why not. */
  readonly passthrough: PassthroughState;
  /** How it was mounted: by mount(2), or by fusermount3 without root. */
  readonly way: MountMethod;
  /** Whether users other than the one who mounted it may come in. */
  readonly allowOther: boolean;
  /** Why one queue serves it, if more were asked for; else `null`. */
  readonly singleQueueReason: string | null;
  /** Resolves when the session has ended, whoever ended it. Never rejects. */
  readonly closed: Promise<SessionReport>;
  readonly #parts: SessionParts;
  readonly #problems: string[] = [];
  readonly #ends: (QueueEnd | null)[];
  /** Resolves once the kernel wakes whoever waits for requests. */
  readonly #unmounted = Promise.withResolvers<void>();
  #closing = false;
  #gaveUp = false;

  /** Watches over servers that have been started. */
  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#ends = parts.servers.map(() => null);
    this.mountpoint = parts.mount.path;
    this.offered = parts.offered;
    this.negotiated = parts.negotiated;
    this.transport = parts.transport;
    this.passthrough = parts.passthrough;
    this.way = parts.way;
    this.allowOther = parts.allowOther;
    this.singleQueueReason = parts.singleQueueReason;
    this.closed = this.#watch();
  }

  /** How many queues serve it. */
  get queues(): number {
    return this.#parts.servers.length;
  }

  /** The totals of each queue so far. */
  stats(): QueueTotals[] {
    return this.#parts.statistics.totals();
  }

  /**
   * Copies of each queue's histograms so far, by operation: how long requests
   * took. None if that is not measured.
   */
  histograms(): Float64Array<ArrayBuffer>[][] {
    return this.#parts.statistics.queues.map((row) => row.histograms());
  }

  /**
   * Ends the session: requests that were taken are answered (for up to two
   * seconds), the mount goes, every Worker is joined. May be called again.
   */
  async close(): Promise<SessionReport> {
    if (!this.#closing) {
      this.#closing = true;
      this.#parts.statistics.stop();
      await until(() => this.#hasAnswered(), ANSWER_MS);
      this.#unmount();
    }
    return await this.closed;
  }

  /** Ends the session at once: requests that were taken fail. */
  abort(): Promise<SessionReport> {
    this.#closing = true;
    this.#parts.statistics.stop();
    this.#unmount();
    return this.closed;
  }

  /** Ends the session; see {@linkcode Session.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #watch(): Promise<SessionReport> {
    const { servers, statistics, warn, hangMs, release } = this.#parts;
    const hasEnded = (index: number) => this.#ends[index] !== null;
    using _ = new Watchdog({ statistics, warn, hasEnded, hangMs });
    const all = servers.map(async ({ done }, index) => {
      this.#ended(index, await done);
    });
    await Promise.race([Promise.all(all), this.#unmounted.promise]);
    await this.#join();
    // The last queue may have failed with the mount still there.
    this.#unmount();
    // A Worker that hangs may go on to use what would be let go of here.
    if (!this.#gaveUp) await release();
    return {
      clean: this.#problems.length === 0,
      problems: this.#problems,
      ends: this.#ends.map((end) => end ?? LOST),
      queues: statistics.totals(),
    };
  }

  #ended(index: number, end: QueueEnd): void {
    this.#ends[index] = end;
    if (end.reason === "failed") {
      this.#failed(`Queue ${index} failed: ${end.message}`);
    } else if (end.reason !== "closed") {
      this.#unmounted.resolve();
    }
  }

  /** Whether the queues that live have nothing in hand. */
  #hasAnswered(): boolean {
    return this.#parts.statistics.queues.every(({ index, inFlight }) =>
      inFlight === 0 || this.#ends[index] !== null
    );
  }

  #failed(problem: string): void {
    this.#problems.push(problem);
    if (!this.#ends.includes(null)) return;
    const { transport, warn } = this.#parts;
    if (transport.kind === "device") {
      // It has closed its descriptor; what it had in hand fails with that.
      return warn(`${problem}; the other queues go on`);
    }
    // The kernel chooses rings by CPU: that one's would wait for ever.
    warn(`${problem}; over io_uring no other can stand in, so the mount goes`);
    this.#unmount();
  }

  /** Waits for the queues, whose mount has gone, and gives up on the rest. */
  async #join(): Promise<void> {
    const { mount, servers } = this.#parts;
    const joined = () => !this.#ends.includes(null);
    if (await until(joined, JOIN_MS)) return;
    mount.abort();
    if (await until(joined, JOIN_MS)) return;
    const lost = this.#ends.filter((end) => end === null).length;
    this.#problems.push(
      `${lost} of ${servers.length} queues did not end; gave up on them`,
    );
    this.#gaveUp = true;
    for (const server of servers) server.terminate();
  }

  #unmount(): void {
    const { mount } = this.#parts;
    try {
      if (mount.unmount() === "covered") mount.abort();
    } catch (error) {
      // Whoever may not unmount may still end the connection.
      if (!mount.abort()) this.#problems.push((error as Error).message);
    }
    this.#unmounted.resolve();
  }
}

const LOST: QueueEnd = { reason: "failed", message: "The queue did not end" };

/** Whether a condition came true in time. */
async function until(
  condition: () => boolean,
  timeoutMs: number,
): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (!condition()) {
    if (Date.now() >= deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
  return true;
}
