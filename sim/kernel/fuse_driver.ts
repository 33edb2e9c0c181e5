import { US_PER_S } from "../../src/base/timespec.ts";
import type { MemoryChannelHandle } from "../../src/queue/memory_channel.ts";
import { CHANNEL_END, MemoryQueue } from "../../src/queue/memory_queue.ts";
import type { Notifier } from "../../src/queue/notifier.ts";
import { futexWait } from "../../src/shared_memory/futex.ts";
import { type Clock, STILL_CLOCK } from "../determinism/clock.ts";
import type { Caller, SimAnswer, SimCall } from "./call.ts";
import { Connection } from "./connection.ts";
import { Descriptors } from "./descriptors.ts";
import { Dispatcher } from "./dispatch.ts";
import type { Forget } from "./forget_list.ts";
import type { QueueReport, SimKernelOptions } from "./kernel_options.ts";
import { type KernelLimits, notOffered, splitSizes } from "./negotiation.ts";
import { PerCpuPolicy, RoundRobinPolicy } from "./policy.ts";
import { makeLinks, type QueueLink } from "./queue_link.ts";
import { ReplyPath } from "./reply_path.ts";
import { type Violation, ViolationLog } from "./violation.ts";

/** Time between two checks of the request timeout, in microseconds. */
const TIMEOUT_PERIOD_US = 15 * US_PER_S;
/** Rounds of {@linkcode FuseDriver.run} after which timers may run. */
const ROUNDS_MAX = 256;

/**
 * Linux's FUSE driver in TypeScript: one connection with its queues. It knows
 * requests and replies, and nothing of files.
 *
 * @category Kernel
 */
export class FuseDriver implements Caller {
  /** The server's breaches of the protocol so far. */
  readonly violations: readonly Violation[];
  /** The queue that carries INIT. */
  readonly control: number;
  readonly #options: SimKernelOptions;
  readonly #links: readonly QueueLink[];
  readonly #dispatcher: Dispatcher;
  readonly #connection: Connection;
  readonly #descriptors: Descriptors;
  readonly #log: ViolationLog = new ViolationLog();
  #split: { readonly read: number; readonly write: number };

  /** Allocates the queues' memory and sends INIT. */
  constructor(options: SimKernelOptions = {}) {
    const { queues = 1, uring = false, clock = STILL_CLOCK } = options;
    this.#options = options;
    this.violations = this.#log.list;
    this.control = uring ? queues : 0;
    this.#links = makeLinks(options);
    const usual = uring ? new PerCpuPolicy() : new RoundRobinPolicy();
    this.#dispatcher = new Dispatcher({
      links: this.#links,
      control: uring ? this.control : undefined,
      policy: options.policy ?? usual,
      log: this.#log,
      onPending: options.onPending,
      onTaken: options.onTaken,
      onWake: options.onWake,
      clock,
      wakeUs: options.wakeUs,
      minor: () => this.limits.minor,
      unique: () => this.#connection.nextUnique(),
      end: (request, errno) => this.#connection.end(request, errno),
    });
    this.#connection = new Connection({
      offered: options.offered ?? {},
      clock,
      ringQueues: uring ? queues : 0,
      enqueue: (request) => this.#dispatcher.enqueue(request),
      withdraw: (request) => this.#dispatcher.withdraw(request),
      interrupt: (request) => this.#dispatcher.interrupt(request),
      queuesReady: () => this.#links.every((link) => link.isReady),
    });
    this.#descriptors = new Descriptors({
      links: this.#links,
      connection: this.#connection,
      dispatcher: this.#dispatcher,
      replyPath: new ReplyPath({
        connection: this.#connection,
        dispatcher: this.#dispatcher,
        log: this.#log,
        onReply: options.onReply,
      }),
    });
    this.#split = splitSizes(this.limits, Infinity);
    this.#connection.start();
    this.#connection.initialised.then((fault) => this.#initialised(fault));
  }

  /** The server's end of a queue, for a server in this thread. */
  queue(index: number): MemoryQueue {
    const link = this.#links[index]!;
    const { channel, isRingQueue } = link;
    link.isLocal = true;
    const offers = isRingQueue ? channel.options.capacity : 1;
    return new MemoryQueue(channel, { kernel: this.#descriptors, offers });
  }

  /** Sends notifications through the descriptor of a queue. */
  notifier(index: number = this.control): Notifier {
    return {
      notify: (message) =>
        Promise.resolve(this.#descriptors.notified(index, message)),
    };
  }

  /** The queues' memory, to be posted to servers in other threads. */
  get handles(): MemoryChannelHandle[] {
    return this.#links.map(({ channel }) => channel.handle);
  }

  /** What each queue has done. */
  get queues(): QueueReport[] {
    return this.#links.map(({ index, taken, answered }) => {
      return { index, taken, answered };
    });
  }

  /** The queues that the server has not closed, without the control queue. */
  get openQueues(): number[] {
    const isRingQueue = this.#options.uring === true;
    return this.#links.filter((link) =>
      link.open && link.isRingQueue === isRingQueue
    )
      .map(({ index }) => index);
  }

  /** The negotiated limits. */
  get limits(): KernelLimits {
    return this.#connection.limits;
  }

  /** Largest READ and WRITE in bytes. */
  get split(): { readonly read: number; readonly write: number } {
    return this.#split;
  }

  /** Resolves after the reply to INIT: `null`, or what is wrong with it. */
  get initialised(): Promise<string | null> {
    return this.#connection.initialised;
  }

  /** Whether requests may be sent; false after an unmount or an abort. */
  get connected(): boolean {
    return this.#connection.connected;
  }

  /** Requests that have not ended. */
  get outstanding(): number {
    return this.#connection.outstanding;
  }

  /** Background requests in flight. */
  get backgroundActive(): number {
    return this.#connection.backgroundActive;
  }

  /** Requests that no queue has taken. */
  get pending(): number {
    return this.#dispatcher.pending;
  }

  /** Requests that the server has taken and not answered. */
  get processing(): number {
    let sum = 0;
    for (const link of this.#links) sum += link.processing.size;
    return sum;
  }

  /** Requests whose senders sleep, or that the background limit holds back. */
  get waiting(): number {
    return this.#connection.sleeping + this.#connection.backgroundWaiting;
  }

  /** Readers that were woken and found nothing to read. */
  get spuriousWakeups(): number {
    return this.#dispatcher.spuriousWakeups;
  }

  /** Sends a request. */
  call(call: SimCall): Promise<SimAnswer> {
    return this.#connection.call(call);
  }

  /** Queues a FORGET: the kernel drops references to an inode. */
  forget(forget: Forget): void {
    if (this.connected) this.#dispatcher.forget(forget);
  }

  /**
   * write(2) of any bytes on a queue's descriptor, to test what a broken server
   * may do.
   *
   * @returns The bytes taken, or a negative errno.
   */
  write(index: number, message: Uint8Array): number {
    return this.#descriptors.write(index, message);
  }

  /**
   * ioctl(FUSE_DEV_IOC_CLONE): binds a queue to the connection of another one.
   *
   * @returns 0 or a negative errno.
   */
  clone(target: number, source: number): number {
    const errno = this.#descriptors.clone(target, source);
    if (errno === 0) this.#descriptors.offered(target);
    return -errno;
  }

  /** close(2) of a queue's descriptor, by the server or by its death. */
  close(index: number): void {
    this.#descriptors.closed(index);
  }

  /** Aborts the connection, as its file in /sys/fs/fuse/connections does. */
  abort(): void {
    this.#descriptors.abort();
  }

  /**
   * Unmounts by force, as umount2(MNT_FORCE | MNT_DETACH) does: requests in
   * flight fail, and so do later requests of open files.
   */
  unmount(): void {
    this.#descriptors.disconnect(CHANNEL_END.unmounted);
  }

  /**
   * Serves queues of other threads until the connection ends. Their servers
   * are `MemoryQueue`s over {@linkcode FuseDriver.handles}.
   */
  async run(): Promise<void> {
    const doorbell = this.#links[0]!.channel.kernelDoorbell;
    for (let round = 1; this.connected; round++) {
      const seen = Atomics.load(doorbell, 0);
      for (const { index, channel, open } of this.#links) {
        this.#descriptors.offered(index);
        if (open && channel.ended !== 0) this.close(index);
      }
      if (!this.connected) return;
      if (round % ROUNDS_MAX === 0) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      await futexWait(doorbell, 0, seen);
    }
  }

  #initialised(fault: string | null): void {
    if (!this.connected) return;
    const { offered = {}, clock = STILL_CLOCK } = this.#options;
    this.#split = splitSizes(this.limits, this.#options.maxRead ?? Infinity);
    const wrong = fault ?? notOffered(offered, this.limits);
    if (wrong !== null) this.#log.add("bad INIT", 0, 2n, 0, wrong);
    const small = this.#links[0]!.tooSmallFor(this.split.write);
    if (small !== null) this.#log.add("small buffer", 0, 0n, 0, small);
    if (this.limits.requestTimeout > 0) this.#watchTimeout(clock);
  }

  /** Aborts when a request has been unanswered for too long. */
  #watchTimeout(clock: Clock): void {
    //= fs/fuse/inode.c set_request_timeout(): at least the time between two
    //= checks.
    const limitUs = Math.max(
      this.limits.requestTimeout * US_PER_S,
      TIMEOUT_PERIOD_US,
    );
    const check = () => {
      if (!this.connected) return;
      //= fs/fuse/dev.c fuse_check_timeout(): one request that is too old
      //= aborts the connection.
      if (clock.now - this.#oldest() > limitUs) this.abort();
      else clock.after(TIMEOUT_PERIOD_US, check);
    };
    clock.after(TIMEOUT_PERIOD_US, check);
  }

  /** When the oldest request that has not ended was made. */
  #oldest(): number {
    const oldest = this.#links.map((link) => link.oldest);
    const { oldestWaiting } = this.#connection;
    return Math.min(this.#dispatcher.oldest, oldestWaiting, ...oldest);
  }
}
