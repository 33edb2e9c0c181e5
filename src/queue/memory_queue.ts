import { futexWait, futexWake } from "../shared_memory/futex.ts";
import { ProtocolVersion } from "../protocol/protocol_version.ts";
import type { Exchange } from "../protocol/exchange.ts";
import type { MemoryChannel, MemoryEntry } from "./memory_channel.ts";
import type { QueueEnd, RequestQueue } from "./request_queue.ts";

const ENDS: readonly QueueEnd[] = [
  { reason: "closed", message: "The queue was closed" },
  { reason: "unmounted", message: "The mount has gone" },
  { reason: "aborted", message: "The connection was aborted" },
];

/**
 * Codes for {@linkcode MemoryChannel.end}.
 *
 * @category Queues
 */
export const CHANNEL_END = { closed: 1, unmounted: 2, aborted: 3 } as const;

/**
 * What a {@linkcode MemoryQueue} calls in a simulated kernel that runs in the
 * same thread. Without it, the two sides wake each other by doorbells.
 *
 * @category Queues
 */
export interface MemoryKernel {
  /** The server has offered an entry, as if it were in read(2). */
  offered(index: number): void;
  /** The server has replied; whether the kernel accepts the reply. */
  replied(index: number): boolean;
  /** The server has closed the queue. */
  closed(index: number): void;
  /** Resolves when an entry was filled or the channel has ended. */
  wait(index: number): Promise<void>;
}

/**
 * The options of a {@linkcode MemoryQueue}.
 *
 * @category Queues
 */
export interface MemoryQueueOptions {
  /** The kernel, if it runs in this thread. */
  readonly kernel?: MemoryKernel;
  /**
   * Entries that are offered at once: 1 as with read(2), which is the default,
   * or more as with io_uring, where the kernel fills entries ahead.
   */
  readonly offers?: number;
}

/**
 * Requests from a simulated kernel through shared memory.
 *
 * @category Queues
 */
export class MemoryQueue implements RequestQueue {
  protocolVersion: ProtocolVersion = ProtocolVersion.BEFORE_INIT;
  readonly #channel: MemoryChannel;
  readonly #kernel: MemoryKernel | undefined;
  readonly #index: number;
  readonly #offers: number;
  readonly #free: number[];
  #offered = 0;
  /** Resolves when a reply makes room in a full queue; made when needed. */
  #room: PromiseWithResolvers<void> | null = null;
  #end: QueueEnd | null = null;

  /** Makes a queue of the server's end of a channel. */
  constructor(channel: MemoryChannel, options: MemoryQueueOptions = {}) {
    this.#channel = channel;
    this.#kernel = options.kernel;
    this.#offers = options.offers ?? 1;
    this.#index = channel.options.index;
    this.#free = channel.entries.map((_, i) => i).reverse();
  }

  get end(): QueueEnd | null {
    if (this.#end === null && this.#channel.filled.length === 0) {
      const code = this.#channel.ended;
      if (code !== 0) this.#end = ENDS[code - 1]!;
    }
    return this.#end;
  }

  next(mayBlock: boolean): Exchange | null {
    if (this.#end !== null) return null;
    for (;;) {
      const seen = Atomics.load(this.#channel.serverDoorbell, 0);
      this.#offer();
      const number = this.#channel.filled.shift();
      if (number < 0) {
        const mustWait = mayBlock && this.#offered > 0 && this.end === null;
        if (!mustWait) return null;
        Atomics.wait(this.#channel.serverDoorbell, 0, seen);
        continue;
      }
      this.#offered--;
      const entry = this.#channel.entries[number]!;
      entry.reply.reset();
      const length = entry.lengths[0]!;
      const error = entry.request.validate(length, this.protocolVersion);
      if (error === null) return entry;
      if (!error.answerable) {
        this.#end = { reason: "failed", message: error.message };
        return null;
      }
      entry.reply.error(error.errno);
      this.reply(entry);
    }
  }

  async ready(): Promise<void> {
    const seen = Atomics.load(this.#channel.serverDoorbell, 0);
    if (this.#channel.filled.length > 0 || this.end !== null) return;
    const filled = this.#kernel === undefined
      ? futexWait(this.#channel.serverDoorbell, 0, seen)
      : this.#kernel.wait(this.#index);
    if (this.#free.length > 0 || this.#offered > 0) return await filled;
    this.#room ??= Promise.withResolvers();
    await Promise.race([filled, this.#room.promise]);
  }

  reply(exchange: Exchange): boolean {
    const entry = exchange as MemoryEntry;
    entry.lengths[1] = Math.max(0, entry.reply.length);
    this.#channel.replied.push(entry.number);
    this.#free.push(entry.number);
    this.#room?.resolve();
    this.#room = null;
    if (this.#kernel !== undefined) return this.#kernel.replied(this.#index);
    futexWake(this.#channel.kernelDoorbell, 0);
    return this.#channel.ended === 0;
  }

  close(): void {
    if (this.#end?.reason === "closed") return;
    this.#end = ENDS[0]!;
    this.#channel.end(CHANNEL_END.closed);
    this.#kernel?.closed(this.#index);
  }

  #offer(): void {
    while (this.#offered < this.#offers && this.#free.length > 0) {
      this.#channel.offered.push(this.#free.pop()!);
      this.#offered++;
      if (this.#kernel !== undefined) this.#kernel.offered(this.#index);
      else futexWake(this.#channel.kernelDoorbell, 0);
    }
  }
}
