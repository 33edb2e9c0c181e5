import { messageOf } from "../base/message_of.ts";
import type {
  NegotiatedCapabilities,
  OfferedCapabilities,
} from "../protocol/init.ts";
import type { OpcodeTotals } from "../queue/opcode_counts.ts";
import type { QueueTotals } from "../queue/queue_statistics.ts";
import type { QueueEnd } from "../queue/request_queue.ts";
import { describeUsers } from "../linux/mount/mount_users.ts";
import {
  type ResourceLimit,
  resourceLimit,
  restoreLimit,
} from "../linux/syscall/resource_limits.ts";
import type { MountMethod } from "../linux/mount/mount_connection.ts";
import type { PassthroughState } from "./passthrough.ts";
import { beforeProgramEnds } from "./program_end.ts";
import type { SessionNotifier } from "./session_notifier.ts";
import type { SessionParts } from "./session_parts.ts";
import type { SpliceState } from "./splicing.ts";
import type { TransportState } from "./transport.ts";
import { until } from "./until.ts";
import { waitUntilUnused } from "./wait_until_unused.ts";
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

/** Milliseconds for requests in flight to be answered before the unmount. */
const ANSWER_MS = 2000;
/** Milliseconds of waiting for the image before the user is told. */
const SILENT_MS = 1000;
/** Milliseconds for the queues to end after the unmount. */
const JOIN_MS = 1000;

/**
 * A mounted file system that is being served.
 *
 * To unmount it, dispose of the session or call {@linkcode Session.close}, which
 * waits for programs that use it. If the program ends by Deno.exit(), or by an
 * error that nothing catches, it is aborted, so that no mount stays. A listener
 * of "error" or "unhandledrejection" that keeps the program running has to be
 * added before the session is started.
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
  /** Which READs are answered by splice(2), and why none if none are. */
  readonly splicing: SpliceState;
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
  /** Resolves when the session is aborted, with what to say of a last flush. */
  readonly #aborted = Promise.withResolvers<string>();
  readonly #watchdog: Watchdog;
  /** The limit on open files at the start, which another program may lower. */
  readonly #openFiles: ResourceLimit = resourceLimit("NOFILE");
  #closing = false;
  #isAborted = false;
  /** Whether requests are no longer served. */
  #ending = false;
  /** Resolves when `close()` has waited for users of the mount. */
  #waiting: Promise<void> = Promise.resolve();
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
    this.splicing = parts.splicing;
    this.passthrough = parts.passthrough;
    this.singleQueueReason = parts.singleQueueReason;
    this.notifier = parts.notifier;
    const { statistics, warn, hangMs } = parts;
    const hasEnded = (index: number) => this.#ends[index] !== null;
    this.#watchdog = new Watchdog({ statistics, warn, hasEnded, hangMs });
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

  /** Requests and errors of each queue so far, by opcode. */
  opcodes(): OpcodeTotals[][] {
    return this.#parts.statistics.queues.map((row) => row.opcodes());
  }

  /**
   * Makes the queues measure how long requests take from now on, as the option
   * `stats` does from the start.
   */
  measure(): void {
    this.#parts.statistics.measure();
  }

  /**
   * Copies of each queue's latency histograms so far, by operation. Empty if
   * nothing is measured.
   */
  histograms(): Float64Array<ArrayBuffer>[][] {
    const { queues, measuring } = this.#parts.statistics;
    return queues.map((row) => measuring ? row.histograms() : []);
  }

  /** Requests that each queue has taken and not answered. */
  inFlight(): number[] {
    return this.#parts.statistics.queues.map((row) => row.inFlight);
  }

  /**
   * Requests that the kernel waits for, those that no queue has taken included;
   * `null` if it does not say: without fusectl, or once root's rights are given
   * up.
   */
  waiting(): number | null {
    return this.#parts.mount.waiting();
  }

  /**
   * Ends the session. If programs use the mount, it goes on serving them for up
   * to `stopTimeout` seconds, and ends as soon as they have left. Otherwise it
   * waits up to two seconds for requests in flight to be answered, except by
   * queues that were reported as hung, unmounts by force, and reports what used
   * the mount as a problem. In the end it waits for every Worker. Idempotent.
   */
  async close(): Promise<SessionReport> {
    if (!this.#closing) {
      this.#closing = true;
      // Finding the mount takes descriptors, and so does the end of Deno.
      restoreLimit("NOFILE", this.#openFiles);
      this.#waiting = this.#waitUntilUnused();
      await this.#waiting;
      if (!this.#ending) await this.#finish();
    }
    return await this.closed;
  }

  /**
   * Ends the session at once: requests in flight fail, and the image is not
   * flushed.
   */
  abort(): Promise<SessionReport> {
    this.#closing = this.#ending = this.#isAborted = true;
    restoreLimit("NOFILE", this.#openFiles);
    this.#aborted.resolve(NOT_FLUSHED);
    this.#parts.statistics.stop();
    this.#unmount();
    return this.closed;
  }

  /** Ends the session as {@linkcode Session.close} does. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #watch(): Promise<SessionReport> {
    const { servers, statistics, flush, release } = this.#parts;
    using _watchdog = this.#watchdog;
    using _unmount = beforeProgramEnds(() => void this.abort());
    const all = servers.map(async ({ done }, index) => {
      this.#ended(index, await done.catch(endOfDefect));
    });
    await Promise.race([Promise.all(all), this.#unmounted.promise]);
    const endedItself = !this.#ending;
    this.#ending = true;
    await this.#join();
    await this.#waiting;
    // If the last queue failed, or another program aborted the connection, the
    // mount is still there.
    const wasMounted = this.#unmount();
    if (endedItself) this.#checkAborted(wasMounted);
    this.#parts.mount.close();
    // A Worker that did not end may still use what release() would close.
    if (!this.#gaveUp) {
      if (!this.#isAborted) {
        const flushed = flush?.().catch(({ message }: Error) => message);
        const loss = await Promise.race([this.#aborted.promise, flushed]);
        if (typeof loss === "string") this.#problems.push(loss);
      }
      await release().catch((error) => this.#problems.push(error.message));
    }
    return {
      clean: this.#problems.length === 0,
      problems: this.#problems,
      ends: this.#ends.map((end) => end ?? LOST),
      queues: statistics.totals(),
    };
  }

  /** Waits until the mount is not in use, or until the time is up. */
  async #waitUntilUnused(): Promise<void> {
    const { mount, stopTimeoutMs: timeoutMs, inUse: tell } = this.#parts;
    const isOver = () => this.#ending;
    const { result, users } = await waitUntilUnused(mount, {
      timeoutMs,
      tell,
      isOver,
    });
    if (result !== "busy" || this.#ending && !this.#isAborted) return;
    const by = users === null ? "programs" : describeUsers(users);
    this.#problems.push(
      `Unmounted ${mount.path} while it was in use by ${by}: what had not yet been written to it may be lost`,
    );
  }

  /** Unmounts when the requests in flight have been answered. */
  async #finish(): Promise<void> {
    this.#ending = true;
    const { statistics, notice } = this.#parts;
    statistics.stop();
    const isIdle = () => this.#isIdle();
    if (!await until(isIdle, SILENT_MS)) {
      notice(
        `Waiting for the image: ${statistics.inFlight} requests are not answered yet`,
      );
      await until(isIdle, ANSWER_MS - SILENT_MS);
    }
    this.#unmount();
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

  /** Whether no request waits for an answer that can still be expected. */
  #isIdle(): boolean {
    return this.#parts.statistics.queues.every(({ index, inFlight }) =>
      inFlight === 0 || this.#ends[index] !== null ||
      this.#watchdog.isHung(index)
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

  /** Notes that another program has aborted the connection, if it has. */
  #checkAborted(wasMounted: boolean): void {
    const isAborted = this.#ends.some((end) =>
      end?.reason === "aborted" || end?.reason === "unmounted" && wasMounted
    );
    if (!isAborted) return;
    this.#problems.push(
      `Another program aborted the connection of ${this.mountpoint}: requests in flight failed, and what had not yet been written to it may be lost`,
    );
  }

  /** Unmounts; returns whether the mount was still there. */
  #unmount(): boolean {
    const { mount } = this.#parts;
    let wasMounted = true;
    try {
      const result = mount.unmount();
      wasMounted = result !== "gone";
      if (result === "covered") mount.abort();
    } catch (error) {
      // Aborting ends the session all the same, and leaves a dead mount.
      mount.abort();
      const { message } = error as Error;
      if (!this.#problems.includes(message)) this.#problems.push(message);
    }
    this.#unmounted.resolve();
    return wasMounted;
  }
}

/** The end of a queue whose loop has thrown: `closed` never rejects. */
function endOfDefect(error: unknown): QueueEnd {
  return { reason: "failed", message: messageOf(error) };
}

const LOST: QueueEnd = { reason: "failed", message: "The queue did not end" };
const NOT_FLUSHED =
  "Stopped before the last flush was answered: what was written last may not be durable yet";
