import {
  MemoryChannel,
  type MemoryEntry,
} from "../../src/queue/memory_channel.ts";
import { futexWake } from "../../src/shared_memory/futex.ts";
import { Fifo } from "./fifo.ts";
import type { SimRequest } from "./sim_request.ts";

/**
 * The kernel's end of one queue: `struct fuse_dev` with the list of requests
 * that were read and not answered.
 */
export class QueueLink {
  /** The queue's number. */
  readonly index: number;
  /** The memory shared with the server. */
  readonly channel: MemoryChannel;
  /** Requests that the server has taken, by id: `fpq->processing`. */
  readonly processing: Map<bigint, SimRequest> = new Map();
  /** Entries in which the server waits for a request. */
  readonly waiting: Fifo<number> = new Fifo();
  /** Whether it belongs to the connection. */
  bound = true;
  /** Whether its server runs in the kernel's own thread. */
  isLocal = false;
  /** Whether the server has not closed it. */
  open = true;
  /** Whether the server has ever waited for a request in it. */
  fetched = false;
  /** Requests that the server has taken, INIT included. */
  taken = 0;
  /** Replies that were accepted. */
  answered = 0;
  readonly #contiguous: boolean;
  readonly #held: (SimRequest | undefined)[];
  readonly #wake: (() => void)[] = [];

  /** Whether it is a ring queue. */
  readonly isRingQueue: boolean;

  /** Makes the kernel's end of a channel. */
  constructor(channel: MemoryChannel, isRingQueue: boolean = false) {
    this.isRingQueue = isRingQueue;
    this.channel = channel;
    this.index = channel.options.index;
    this.#contiguous = channel.options.layout === "contiguous";
    this.#held = new Array(channel.options.capacity).fill(undefined);
  }

  /** Why its buffers are too small for a max_write; `null` if they are not. */
  tooSmallFor(maxWrite: number): string | null {
    //= fs/fuse/dev.c fuse_dev_do_read(): a buffer holds at least 8192 bytes
    //= and the head of a WRITE with max_write bytes of data.
    const { data } = this.channel.entries[0]!.request;
    return data.length >= maxWrite
      ? null
      : `it holds ${data.length} bytes of data, WRITEs have ${maxWrite}`;
  }

  /** Whether requests for it may be sent. */
  get isReady(): boolean {
    //= fs/fuse/dev_uring.c is_ring_ready(): each queue needs an entry.
    return !this.isRingQueue || this.fetched || !this.open;
  }

  /** When the oldest request that the server has taken was made. */
  get oldest(): number {
    let oldest = Infinity;
    for (const { created } of this.processing.values()) {
      oldest = Math.min(oldest, created);
    }
    return oldest;
  }

  /** The largest request in bytes. */
  get roomForRequest(): number {
    return this.channel.entries[0]!.request.data.length;
  }

  /** Puts a request into the longest-waiting entry; returns whether it fits. */
  fill(request: SimRequest): boolean {
    const number = this.waiting.shift()!;
    const entry = this.channel.entries[number]!;
    if (!request.write(entry, this.#contiguous)) {
      this.waiting.unshift(number);
      return false;
    }
    entry.lengths[0] = request.length;
    this.#held[number] = request;
    request.queue = this.index;
    this.taken++;
    // A reply may arrive before this returns, but not before it is expected.
    if (!request.noReply && !request.endsWhenTaken) {
      request.state = "sent";
      this.processing.set(request.unique, request);
    }
    this.channel.filled.push(number);
    this.wake();
    return true;
  }

  /** Removes the request from an entry that the server has given back. */
  takeHeld(entry: MemoryEntry): SimRequest | undefined {
    const request = this.#held[entry.number];
    this.#held[entry.number] = undefined;
    return request;
  }

  /** Removes all requests that the server has taken and not answered. */
  takeProcessing(): SimRequest[] {
    const requests = [...this.processing.values()];
    this.processing.clear();
    return requests;
  }

  /** Wakes the server, in this thread or in its own. */
  wake(): void {
    if (!this.isLocal) futexWake(this.channel.serverDoorbell, 0);
    if (this.#wake.length === 0) return;
    for (const resolve of this.#wake.splice(0)) resolve();
  }

  /** Resolves at the next call of {@linkcode QueueLink.wake}. */
  sleep(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }
}

/**
 * The number of a connection's queues, and their buffers.
 *
 * @category Kernel
 */
export interface QueueOptions {
  /** Number of queues; 1 if left out. */
  readonly queues?: number;
  /**
   * How many of them belong to the connection from the start; all if left
   * out. `SimKernel.clone()` binds the others.
   */
  readonly bound?: number;
  /** Requests that a queue may have in flight; 16 if left out. */
  readonly capacity?: number;
  /** Largest payload of a queue's buffers in bytes; 1 MiB if left out. */
  readonly maxPayload?: number;
  /** Where the parts of a message lie in an entry; contiguous if left out. */
  readonly layout?: "contiguous" | "separate";
  /**
   * FUSE over io_uring: each queue belongs to one CPU, and an additional last
   * queue is the descriptor of /dev/fuse. No if left out.
   */
  readonly uring?: boolean;
}

/**
 * Allocates the memory of a connection's queues, with the kernel's end of each.
 *
 * @param options Their number, size and transport.
 * @returns The queues by number; with io_uring the last one is for control.
 */
export function makeLinks(options: QueueOptions): QueueLink[] {
  const { queues = 1, capacity = 16, maxPayload = 1 << 20 } = options;
  const { uring = false, bound = Infinity } = options;
  const kernelDoorbell = new Int32Array(new SharedArrayBuffer(4));
  const count = uring ? queues + 1 : queues;
  return Array.from({ length: count }, (_, index) => {
    const isRingQueue = uring && index < queues;
    const usual = options.layout ?? "contiguous";
    const layout = isRingQueue ? "separate" : uring ? "contiguous" : usual;
    const channel = { index, capacity, maxPayload, layout, kernelDoorbell };
    const link = new QueueLink(MemoryChannel.create(channel), isRingQueue);
    link.bound = index < bound || isRingQueue || uring;
    return link;
  });
}
