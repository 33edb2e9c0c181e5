import { viewOf } from "../src/protocol/codec.ts";
import { ERRNO } from "../src/protocol/errno.ts";
import { sizeOf } from "../src/protocol/layout.ts";
import {
  MemoryChannel,
  type MemoryChannelHandle,
  rung,
} from "../src/queue/memory_channel.ts";
import {
  CHANNEL_END,
  type MemoryKernel,
  MemoryQueue,
} from "../src/queue/memory_queue.ts";
import type { Caller, SimAnswer, SimCall } from "./call.ts";
import { Connection } from "./connection.ts";
import { Dispatcher, type TakenRequest } from "./dispatch.ts";
import { SimInode } from "./inode.ts";
import {
  type KernelLimits,
  type KernelOffer,
  notOffered,
  splitSizes,
} from "./negotiation.ts";
import { type DispatchPolicy, RoundRobinPolicy } from "./policy.ts";
import { QueueLink } from "./queue_link.ts";
import { ReplyDesk } from "./reply_desk.ts";
import { type Violation, ViolationLog } from "./violation.ts";

const OUT_HEADER_SIZE = sizeOf("fuse_out_header");
/** Rounds after which timers of the thread get a turn. */
const ROUNDS_MAX = 256;

/** How a {@linkcode SimKernel} is made. */
export interface SimKernelOptions {
  /** Queues of the connection; 1 if left out. */
  readonly queues?: number;
  /** Requests that a queue may have outstanding at once; 16 if left out. */
  readonly capacity?: number;
  /** Largest payload of the queues' buffers in bytes; 1 MiB if left out. */
  readonly maxPayload?: number;
  /** How the bytes of an entry lie; contiguous if left out. */
  readonly layout?: "contiguous" | "separate";
  /** Who gets which request; strict turns if left out. */
  readonly policy?: DispatchPolicy;
  /** What INIT offers; what Linux 6.18 does if left out. */
  readonly offer?: KernelOffer;
  /** Mount option `max_read`: largest READ in bytes; no limit if left out. */
  readonly maxRead?: number;
  /** Mount option `ro`; no if left out. */
  readonly readOnly?: boolean;
  /** Hears of each request as a queue takes it. */
  readonly onTaken?: (taken: TakenRequest) => void;
}

/** What one queue has done. */
export interface QueueReport {
  /** The queue's number. */
  readonly index: number;
  /** Requests that the server took from it, INIT included. */
  readonly taken: number;
  /** Replies that were accepted. */
  readonly answered: number;
}

/**
 * A kernel made of TypeScript: stands in for Linux's FUSE driver, and for a
 * mount of one plain file.
 *
 * It serves queues of its own thread through {@linkcode SimKernel.queue}, and
 * those of other threads through {@linkcode SimKernel.handles} and
 * {@linkcode SimKernel.run}.
 */
export class SimKernel implements MemoryKernel, Caller {
  /** The mounted file as the kernel knows it. */
  readonly inode: SimInode = new SimInode();
  /** Mount option `ro`. */
  readonly readOnly: boolean;
  /** What the server has done wrong so far. */
  readonly violations: readonly Violation[];
  readonly #options: SimKernelOptions;
  readonly #links: readonly QueueLink[];
  readonly #dispatcher: Dispatcher;
  readonly #connection: Connection;
  readonly #desk: ReplyDesk;
  readonly #log: ViolationLog = new ViolationLog();

  /** Mounts: makes the queues' memory and sends INIT. */
  constructor(options: SimKernelOptions = {}) {
    const { queues = 1, capacity = 16, maxPayload = 1 << 20 } = options;
    const kernelBell = new Int32Array(new SharedArrayBuffer(4));
    this.#options = options;
    this.violations = this.#log.list;
    this.readOnly = options.readOnly ?? false;
    this.#links = Array.from({ length: queues }, (_, index) => {
      const layout = options.layout ?? "contiguous";
      const channel = { index, capacity, maxPayload, layout, kernelBell };
      return new QueueLink(MemoryChannel.create(channel));
    });
    this.#dispatcher = new Dispatcher({
      links: this.#links,
      policy: options.policy ?? new RoundRobinPolicy(),
      log: this.#log,
      onTaken: options.onTaken,
      end: (request, errno) => this.#connection.end(request, errno),
    });
    this.#connection = new Connection(
      options.offer ?? {},
      (request) => this.#dispatcher.pend(request),
    );
    this.#desk = new ReplyDesk(this.#connection, this.#log);
    this.#connection.start();
    this.#connection.initialised.then((fault) => {
      if (!this.connected) return;
      const wrong = fault ?? notOffered(options.offer ?? {}, this.limits);
      if (wrong !== null) this.#log.add("bad INIT", 0, 2n, 0, wrong);
      const small = this.#links[0]!.tooSmallFor(this.split.write);
      if (small !== null) this.#log.add("small buffer", 0, 0n, 0, small);
    });
  }

  /** The server's end of a queue, for the kernel's own thread. */
  queue(index: number): MemoryQueue {
    return new MemoryQueue(this.#links[index]!.channel, { kernel: this });
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

  /** What holds between kernel and server. */
  get limits(): KernelLimits {
    return this.#connection.limits;
  }

  /** Largest READ and WRITE in bytes. */
  get split(): { readonly read: number; readonly write: number } {
    return splitSizes(this.limits, this.#options.maxRead ?? Infinity);
  }

  /** Resolves when INIT was answered, to `null` or to what is wrong with it. */
  get initialised(): Promise<string | null> {
    return this.#connection.initialised;
  }

  /** Whether the mount is there and has a server. */
  get connected(): boolean {
    return this.#connection.connected;
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

  /** Asks the server for something. */
  call(call: SimCall): Promise<SimAnswer> {
    return this.#connection.call(call);
  }

  /** What the server tells in `offered`; see `MemoryKernel`. */
  offered(index: number): void {
    const link = this.#links[index]!;
    if (!link.open || !this.connected) return;
    for (;;) {
      const entry = link.channel.offered.shift();
      if (entry < 0) break;
      this.#dispatcher.await(link, entry);
    }
    // The server frees an entry when it replies and may offer it again at
    // once: its reply has to be out of it before a request goes in.
    this.replied(index);
    this.#dispatcher.feed(link);
  }

  /** What the server tells in `replied`; see `MemoryKernel`. */
  replied(index: number): boolean {
    const link = this.#links[index]!;
    let wanted = true;
    for (;;) {
      const number = link.channel.replied.shift();
      if (number < 0) return wanted;
      wanted = this.#desk.takeBack(link, link.channel.entries[number]!);
    }
  }

  /** What the server tells in `notified`; see `MemoryKernel`. */
  notified(index: number, message: Uint8Array): number {
    const result = this.write(index, message);
    return Math.min(0, result);
  }

  /** What the server tells in `closed`; see `MemoryKernel`. */
  closed(index: number): void {
    this.close(index);
  }

  /** What the server tells in `wait`; see `MemoryKernel`. */
  wait(index: number): Promise<void> {
    const link = this.#links[index]!;
    const { channel } = link;
    if (channel.filled.length > 0 || channel.ended !== 0) {
      return Promise.resolve();
    }
    return link.sleep();
  }

  /**
   * write(2) on a queue's descriptor, with any bytes: for tests of what a
   * broken server may do.
   *
   * @returns The bytes taken, or a negative errno.
   */
  write(index: number, message: Uint8Array): number {
    const header = viewOf(message);
    const body = message.subarray(OUT_HEADER_SIZE);
    const errno = this.#desk.write(
      this.#links[index]!,
      header,
      body,
      message.length,
    );
    return errno === 0 ? message.length : -errno;
  }

  /** close(2) of a queue's descriptor, by the server or by its death. */
  close(index: number): void {
    const link = this.#links[index]!;
    if (!link.open) return;
    link.open = false;
    link.channel.end(CHANNEL_END.closed);
    link.wake();
    //= fs/fuse/dev.c fuse_dev_release(): what was read there ends with
    //= ECONNABORTED, and the last descriptor aborts the connection.
    for (const request of link.takeProcessing()) {
      this.#connection.end(request, ERRNO.ECONNABORTED);
    }
    if (!this.#dispatcher.close(link)) this.#disconnect(CHANNEL_END.unmounted);
  }

  /** Aborts the connection, as its file in /sys/fs/fuse/connections does. */
  abort(): void {
    //= fs/fuse/control.c fuse_conn_abort_write(): readers get ECONNABORTED
    //= with FUSE_ABORT_ERROR, ENODEV without.
    this.#disconnect(
      this.#connection.abortError ? CHANNEL_END.aborted : CHANNEL_END.unmounted,
    );
  }

  /**
   * Unmounts by force, as umount2(MNT_FORCE | MNT_DETACH) does: what is in
   * flight fails, and so does what an open file is asked for later.
   */
  unmount(): void {
    this.#disconnect(CHANNEL_END.unmounted);
  }

  /**
   * Serves queues of other threads until the connection ends. Their servers
   * are `MemoryQueue`s over {@linkcode SimKernel.handles}.
   */
  async run(): Promise<void> {
    const bell = this.#links[0]!.channel.kernelBell;
    for (let round = 1; this.connected; round++) {
      const seen = Atomics.load(bell, 0);
      for (const { index, channel, open } of this.#links) {
        this.offered(index);
        if (open && channel.ended !== 0) this.close(index);
      }
      if (!this.connected) return;
      if (round % ROUNDS_MAX === 0) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      await rung(bell, seen);
    }
  }

  /** Ends the connection for both sides: `fuse_abort_conn()`. */
  #disconnect(end: number): void {
    const connection = this.#connection;
    if (!connection.connected) return;
    connection.disconnect();
    for (const link of this.#links) {
      for (const request of link.takeProcessing()) {
        connection.end(request, ERRNO.ECONNABORTED);
      }
    }
    for (const request of this.#dispatcher.closeAll()) {
      connection.end(request, ERRNO.ECONNABORTED);
    }
    connection.wakeAll();
    for (const link of this.#links) {
      link.channel.end(end);
      link.wake();
    }
  }
}
