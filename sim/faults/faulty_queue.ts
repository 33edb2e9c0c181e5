import type { ProtocolVersion } from "../../src/protocol/protocol_version.ts";
import type { Exchange } from "../../src/protocol/exchange.ts";
import { OPCODES } from "../../src/protocol/opcodes.ts";
import type { QueueEnd, RequestQueue } from "../../src/queue/request_queue.ts";
import type { VirtualClock } from "../determinism/clock.ts";
import type { FaultDice } from "./faults.ts";

const LATE_MAX_US = 5000;
const RESEND = Uint8Array.from(
  [16, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
);

/** What a {@linkcode FaultyQueue} works with. */
export interface FaultyQueueOptions {
  /** Passes the time that a late reply takes. */
  readonly clock: VirtualClock;
  /** What goes wrong. */
  readonly dice: FaultDice;
  /** Microseconds after which the queue of a Worker that hangs is closed. */
  readonly hangUs: number;
  /** Queues that replies may be misrouted to. */
  readonly queues: number;
  /** write(2) on a queue, with any bytes; 0 or a negative errno. */
  readonly write: (index: number, message: Uint8Array) => number;
  /** Whether nothing else is in the server's hands. */
  readonly isOnly: (exchange: Exchange) => boolean;
  /** Closes a queue as the death of its Worker does. */
  readonly kill: (index: number) => boolean;
  /** Told of a reply that the kernel has to refuse. */
  readonly onDefect: (unique: bigint) => void;
}

/** A queue whose replies go astray where the dice say so. */
export class FaultyQueue implements RequestQueue {
  readonly index: number;
  readonly capacity: number;
  readonly #inner: RequestQueue;
  readonly #options: FaultyQueueOptions;
  #hangs = false;
  #wake: () => void = () => {};

  /** Puts faults around a queue. */
  constructor(inner: RequestQueue, options: FaultyQueueOptions) {
    this.#inner = inner;
    this.#options = options;
    this.index = inner.index;
    this.capacity = inner.capacity;
  }

  /** The layout of messages. */
  get protocolVersion(): ProtocolVersion {
    return this.#inner.protocolVersion;
  }

  /** Sets the layout of messages. */
  set protocolVersion(protocolVersion: ProtocolVersion) {
    this.#inner.protocolVersion = protocolVersion;
  }

  /** How the queue ended; `null` while it lives. */
  get end(): QueueEnd | null {
    return this.#inner.end;
  }

  /** Takes the next request, unless the Worker dies of it. */
  next(mayBlock: boolean): Exchange | null {
    if (this.#hangs) return null;
    const exchange = this.#inner.next(mayBlock);
    if (exchange === null || isInit(exchange)) return exchange;
    const { dice, kill, clock, write, hangUs } = this.#options;
    if (dice.roll("resend") && this.#options.isOnly(exchange)) {
      // Who has everything sent again has forgotten what it had.
      write(this.index, RESEND);
      exchange.reply.none();
      this.#inner.reply(exchange);
      return this.next(mayBlock);
    }
    if (dice.roll("dead-worker") && kill(this.index)) return null;
    if (dice.roll("closed-queue")) kill(this.index);
    if (dice.roll("hung-worker")) {
      this.#hangs = true;
      clock.after(hangUs, () => {
        // The last queue is not closed, so its Worker comes to itself.
        kill(this.index);
        this.#hangs = false;
        this.#wake();
        if (this.#inner.end === null) this.#answerAfterHang(exchange);
      });
      return null;
    }
    return exchange;
  }

  /** Waits until `next()` may have something to give. */
  async ready(): Promise<void> {
    const woken = new Promise<void>((resolve) => this.#wake = resolve);
    if (this.#hangs) return await woken;
    await Promise.race([this.#inner.ready(), woken]);
  }

  /** Sends a reply: at once and once, or otherwise. */
  reply(exchange: Exchange): boolean {
    const { dice, clock } = this.#options;
    if (isInit(exchange) || exchange.reply.length <= 0) {
      return this.#inner.reply(exchange);
    }
    if (dice.roll("misrouted-reply")) this.#misroute(exchange);
    if (dice.roll("short-reply")) this.#cut(exchange);
    if (dice.roll("long-reply")) this.#stretch(exchange);
    if (dice.roll("double-reply")) {
      this.#send(this.index, exchange.reply.copy());
    }
    if (!dice.roll("late-reply")) return this.#inner.reply(exchange);
    clock.after(dice.between(1, LATE_MAX_US), () => {
      this.#inner.reply(exchange);
      this.#wake();
    });
    return true;
  }

  /** Lets go of the queue. */
  close(): void {
    this.#inner.close();
  }

  #answerAfterHang(exchange: Exchange): void {
    exchange.reply.error(5);
    this.#inner.reply(exchange);
  }

  #misroute({ reply }: Exchange): void {
    const { queues } = this.#options;
    if (queues < 2) return;
    this.#send((this.index + 1) % queues, reply.copy());
  }

  /** Less than the header says. */
  #cut({ reply }: Exchange): void {
    const message = reply.copy();
    this.#send(
      this.index,
      message.subarray(0, Math.max(1, message.length - 1)),
    );
  }

  /** More than any request allows; the request fails with EIO. */
  #stretch({ reply }: Exchange): void {
    const message = reply.copy();
    const longer = new Uint8Array(message.length + (2 << 20));
    longer.set(message);
    new DataView(longer.buffer).setUint32(0, longer.length, true);
    this.#send(this.index, longer);
  }

  #send(index: number, message: Uint8Array): void {
    const { onDefect, write } = this.#options;
    // A reply cut before its id stands for id 0.
    const isWhole = message.length >= 16;
    const view = new DataView(message.buffer, message.byteOffset);
    const unique = isWhole ? view.getBigUint64(8, true) : 0n;
    onDefect(unique);
    write(index, message);
  }
}

function isInit({ request }: Exchange): boolean {
  return request.opcode === OPCODES.INIT.opcode;
}
