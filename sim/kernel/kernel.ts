import { futexWait } from "../../src/shared_memory/futex.ts";
import type { MemoryChannelHandle } from "../../src/queue/memory_channel.ts";
import { CHANNEL_END, MemoryQueue } from "../../src/queue/memory_queue.ts";
import type { Notifier } from "../../src/queue/notifier.ts";
import type { Caller, SimAnswer, SimCall } from "./call.ts";
import { STILL_CLOCK } from "../determinism/clock.ts";
import { Connection } from "./connection.ts";
import { Descriptors } from "../vfs/descriptors.ts";
import { Dispatcher } from "./dispatch.ts";
import type { Forget } from "./forget_list.ts";
import { SimInode } from "../vfs/inode.ts";
import type { QueueReport, SimKernelOptions } from "./kernel_options.ts";
import { type KernelLimits, notOffered, splitSizes } from "./negotiation.ts";
import { PerCpuPolicy, RoundRobinPolicy } from "./policy.ts";
import type { QueueLink } from "./queue_link.ts";
import { makeLinks } from "./queue_links.ts";
import { DeviceWriter } from "./device_writer.ts";
import { watchTimeout } from "./request_timeout.ts";
import { ServerSide } from "./server_side.ts";
import { type Violation, ViolationLog } from "../oracle/violation.ts";

/** Rounds after which timers of the thread get a turn. */
const ROUNDS_MAX = 256;

/**
 * A kernel made of TypeScript: stands in for Linux's FUSE driver. What is
 * mounted is one plain file, unless a `SimTree` is put over it, whose root is a
 * directory.
 *
 * It serves queues of its own thread through {@linkcode SimKernel.queue}, and
 * those of other threads through {@linkcode SimKernel.handles} and
 * {@linkcode SimKernel.run}.
 */
export class SimKernel implements Caller {
  /** The mounted file as the kernel knows it. */
  readonly inode: SimInode;
  /** Mount option `ro`. */
  readonly readOnly: boolean;
  /** Mount option `allow_other`. */
  readonly allowOther: boolean;
  /** What the server has done wrong so far. */
  readonly violations: readonly Violation[];
  /** The queue that INIT comes through. */
  readonly control: number;
  readonly #options: SimKernelOptions;
  readonly #links: readonly QueueLink[];
  readonly #dispatcher: Dispatcher;
  readonly #connection: Connection;
  readonly #descriptors: Descriptors;
  readonly #server: ServerSide;
  readonly #log: ViolationLog = new ViolationLog();
  #split: { readonly read: number; readonly write: number };
  #attached = true;

  /** Mounts: makes the queues' memory and sends INIT. */
  constructor(options: SimKernelOptions = {}) {
    const { queues = 1, uring = false, clock = STILL_CLOCK } = options;
    this.#options = options;
    this.violations = this.#log.list;
    this.readOnly = options.readOnly ?? false;
    this.allowOther = options.allowOther ?? false;
    this.inode = new SimInode(clock);
    this.control = uring ? queues : 0;
    this.#links = makeLinks(options);
    const usual = uring ? new PerCpuPolicy() : new RoundRobinPolicy();
    this.#dispatcher = new Dispatcher({
      links: this.#links,
      control: uring ? this.control : undefined,
      policy: options.policy ?? usual,
      log: this.#log,
      onTaken: options.onTaken,
      clock,
      wakeUs: options.wakeUs,
      minor: () => this.limits.minor,
      unique: () => this.#connection.nextUnique(),
      end: (request, errno) => this.#connection.end(request, errno),
    });
    this.#connection = new Connection({
      offered: options.offered ?? {},
      clock,
      lanes: uring ? queues : 0,
      pend: (request) => this.#dispatcher.pend(request),
      unpend: (request) => this.#dispatcher.unpend(request),
      interrupt: (request) => this.#dispatcher.interrupt(request),
      queuesReady: () => this.#links.every((link) => link.isReady),
    });
    this.#descriptors = new Descriptors(
      this.#links,
      this.#connection,
      this.#dispatcher,
    );
    const desk = new DeviceWriter({
      connection: this.#connection,
      dispatcher: this.#dispatcher,
      log: this.#log,
      onReply: options.onReply,
    });
    this.#server = new ServerSide(
      this.#links,
      this.#connection,
      this.#dispatcher,
      desk,
      (link) => this.#descriptors.close(link),
    );
    this.#split = splitSizes(this.limits, Infinity);
    this.#connection.start();
    this.#connection.initialised.then((fault) => this.#initialised(fault));
  }

  /** The server's end of a queue, for the kernel's own thread. */
  queue(index: number): MemoryQueue {
    const link = this.#links[index]!;
    const { channel, isRing } = link;
    link.isLocal = true;
    const offers = isRing ? channel.options.capacity : 1;
    return new MemoryQueue(channel, { kernel: this.#server, offers });
  }

  /** Sends notifications through the descriptor of a queue. */
  notifier(index: number = this.control): Notifier {
    return { notify: (message) => this.#server.notified(index, message) };
  }

  /** The queues' memory, to be posted to other threads. */
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
    const isRing = this.#options.uring === true;
    return this.#links.filter((link) => link.open && link.isRing === isRing)
      .map(({ index }) => index);
  }

  /** What holds between kernel and server. */
  get limits(): KernelLimits {
    return this.#connection.limits;
  }

  /** Largest READ and WRITE in bytes. */
  get split(): { readonly read: number; readonly write: number } {
    return this.#split;
  }

  /** Resolves when INIT was answered, to `null` or to what is wrong with it. */
  get initialised(): Promise<string | null> {
    return this.#connection.initialised;
  }

  /** Whether the mount is there and has a server. */
  get connected(): boolean {
    return this.#connection.connected;
  }

  /** Whether paths still lead to the mounted file. */
  get attached(): boolean {
    return this.#attached;
  }

  /** Requests that were asked for and have not ended. */
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
  get wokenInVain(): number {
    return this.#dispatcher.wokenInVain;
  }

  /** Asks the server for something. */
  call(call: SimCall): Promise<SimAnswer> {
    return this.#connection.call(call);
  }

  /** Drops references to an inode, which the server is told of some time. */
  forget(forget: Forget): void {
    if (this.connected) this.#dispatcher.forget(forget);
  }

  /**
   * write(2) on a queue's descriptor, with any bytes: for tests of what a
   * broken server may do.
   *
   * @returns The bytes taken, or a negative errno.
   */
  write(index: number, message: Uint8Array): number {
    return this.#server.write(index, message);
  }

  /**
   * ioctl(FUSE_DEV_IOC_CLONE): binds a queue to the connection of another one.
   *
   * @returns 0 or a negative errno.
   */
  clone(target: number, source: number): number {
    const errno = this.#descriptors.clone(target, source);
    if (errno === 0) this.#server.offered(target);
    return -errno;
  }

  /** close(2) of a queue's descriptor, by the server or by its death. */
  close(index: number): void {
    this.#descriptors.close(this.#links[index]!);
  }

  /** Aborts the connection, as its file in /sys/fs/fuse/connections does. */
  abort(): void {
    this.#descriptors.abort();
  }

  /**
   * Unmounts by force, as umount2(MNT_FORCE | MNT_DETACH) does: what is in
   * flight fails, and so does what an open file is asked for later.
   */
  unmount(): void {
    this.#descriptors.disconnect(CHANNEL_END.unmounted);
  }

  /**
   * Unmounts as umount2(MNT_DETACH) does: no path leads there any more, and
   * the connection ends with the last file that is open.
   */
  detach(): void {
    this.#attached = false;
    this.released();
  }

  /** Hears that nobody has a file open any more. */
  released(): void {
    //= fs/fuse/inode.c fuse_kill_sb_anon(): the connection ends once nothing
    //= holds the mount.
    if (!this.#attached && this.inode.opens === 0) this.unmount();
  }

  /**
   * Serves queues of other threads until the connection ends. Their servers
   * are `MemoryQueue`s over {@linkcode SimKernel.handles}.
   */
  async run(): Promise<void> {
    const doorbell = this.#links[0]!.channel.kernelDoorbell;
    for (let round = 1; this.connected; round++) {
      const seen = Atomics.load(doorbell, 0);
      for (const { index, channel, open } of this.#links) {
        this.#server.offered(index);
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
    watchTimeout({
      clock,
      seconds: this.limits.requestTimeout,
      oldest: () => this.#oldest(),
      connected: () => this.connected,
      abort: () => this.abort(),
    });
  }

  /** When the oldest request that has not ended was made. */
  #oldest(): number {
    const oldest = this.#links.map((link) => link.oldest);
    const { oldestWaiting } = this.#connection;
    return Math.min(this.#dispatcher.oldest, oldestWaiting, ...oldest);
  }
}
