/**
 * The other side of a `MemoryQueue`, under the control of a test.
 *
 * @module
 */
import { futexWait, futexWake } from "../../src/shared_memory/futex.ts";
import { opcodeRow } from "../../src/protocol/opcodes.ts";
import { sizeOf } from "../../src/protocol/layout.ts";
import {
  MemoryChannel,
  type MemoryEntry,
  type MemoryLayout,
} from "../../src/queue/memory_channel.ts";
import {
  CHANNEL_END,
  type MemoryKernel,
  MemoryQueue,
} from "../../src/queue/memory_queue.ts";
import type { FixtureOptions, QueueFixture } from "./queue_suite.ts";

/** A kernel that passes bytes on without interpreting them. */
export class RawKernel implements MemoryKernel {
  /** The memory between the two sides. */
  readonly channel: MemoryChannel;
  /** How often the queue was closed. */
  closes = 0;
  /** Whether replies are accepted. */
  wanted = true;
  readonly #pending: Uint8Array[] = [];
  readonly #waiting: number[] = [];
  #replies: Uint8Array[] = [];
  #wake: (() => void)[] = [];

  /** Makes a channel, all of its entries full of 0xa5. */
  constructor(layout: MemoryLayout, options: FixtureOptions) {
    this.channel = MemoryChannel.create({ index: 0, layout, ...options });
    for (const entry of this.channel.entries) {
      entry.incoming.fill(0xa5);
      entry.outgoing.fill(0xa5);
    }
  }

  /** Sends a request. */
  deliver(message: Uint8Array): void {
    this.#pending.push(message);
    this.pump();
  }

  /** The replies since the last call. */
  takeReplies(): Uint8Array[] {
    this.pump();
    const replies = this.#replies;
    this.#replies = [];
    return replies;
  }

  /** Ends the channel. */
  end(reason: "unmounted" | "aborted"): void {
    this.channel.end(CHANNEL_END[reason]);
    this.#wakeAll();
  }

  /** Fills entries and takes replies. */
  pump(): void {
    const { offered, entries, filled, serverDoorbell } = this.channel;
    for (let n = offered.shift(); n >= 0; n = offered.shift()) {
      this.#waiting.push(n);
    }
    this.replied();
    while (this.#waiting.length > 0 && this.#pending.length > 0) {
      const entry = entries[this.#waiting.shift()!]!;
      this.#fill(entry, this.#pending.shift()!);
      filled.push(entry.number);
      futexWake(serverDoorbell, 0);
      this.#wakeAll();
    }
  }

  /** Does so whenever the doorbell changes, until the channel has ended. */
  async run(): Promise<void> {
    const { kernelDoorbell } = this.channel;
    while (this.channel.ended === 0) {
      const seen = Atomics.load(kernelDoorbell, 0);
      this.pump();
      if (this.channel.ended === 0) await futexWait(kernelDoorbell, 0, seen);
    }
  }

  /** See `MemoryKernel`. */
  offered(): void {
    this.pump();
  }

  /** See `MemoryKernel`. */
  replied(): boolean {
    const { replied, entries } = this.channel;
    for (let n = replied.shift(); n >= 0; n = replied.shift()) {
      const { lengths, reply } = entries[n]!;
      const length = lengths[1]!;
      if (length === 0) continue;
      const bytes = new Uint8Array(length);
      for (let i = 0; i < 16; i++) bytes[i] = reply.header.getUint8(i);
      bytes.set(reply.data.subarray(0, length - 16), 16);
      this.#replies.push(bytes);
    }
    return this.wanted && this.channel.ended === 0;
  }

  /** See `MemoryKernel`. */
  closed(): void {
    this.closes++;
    this.#wakeAll();
  }

  /** See `MemoryKernel`. */
  wait(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  #fill(entry: MemoryEntry, message: Uint8Array): void {
    entry.lengths[0] = message.length;
    if (this.channel.options.layout === "contiguous") {
      entry.incoming.set(message);
      return;
    }
    const opcode = message[4]! | message[5]! << 8;
    const struct = opcodeRow(opcode)?.in;
    const end = 40 + (struct === undefined ? 0 : sizeOf(struct));
    entry.incoming.set(message.subarray(0, 40));
    entry.incoming.set(message.subarray(40, end), 128);
    entry.outgoing.set(message.subarray(end));
  }
}

/** A fixture over a raw kernel. */
export class MemoryFixture implements QueueFixture {
  readonly queue: MemoryQueue;
  readonly kernel: RawKernel;
  readonly #running: Promise<void> | undefined;

  constructor(kernel: RawKernel, queue: MemoryQueue, running?: Promise<void>) {
    this.kernel = kernel;
    this.queue = queue;
    this.#running = running;
  }

  deliver = (message: Uint8Array): void => this.kernel.deliver(message);
  replies = (): Uint8Array[] => this.kernel.takeReplies();
  end = (reason: "unmounted" | "aborted"): void => this.kernel.end(reason);
  refuse = (): void => {
    this.kernel.wanted = false;
  };

  get closes(): number {
    // Across threads only the channel's own word shows it.
    return this.#running === undefined
      ? this.kernel.closes
      : Number(this.kernel.channel.ended === CHANNEL_END.closed);
  }

  async dispose(): Promise<void> {
    this.kernel.end("unmounted");
    await this.#running;
  }
}

/** A queue whose kernel is in the same thread and is called directly. */
export function inThread(
  layout: MemoryLayout,
  options: FixtureOptions,
): MemoryFixture {
  const kernel = new RawKernel(layout, options);
  return new MemoryFixture(kernel, new MemoryQueue(kernel.channel, { kernel }));
}

/** A queue whose kernel is woken by doorbells, as in another thread. */
export function byDoorbell(
  layout: MemoryLayout,
  options: FixtureOptions,
): MemoryFixture {
  const kernel = new RawKernel(layout, options);
  const queue = new MemoryQueue(new MemoryChannel(kernel.channel.handle));
  return new MemoryFixture(kernel, queue, kernel.run());
}
