import { OPCODES } from "../../src/protocol/opcodes.ts";
import type { Exchange } from "../../src/protocol/exchange.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { ForwardingQueue } from "../../src/queue/forwarding_queue.ts";
import type { RequestQueue } from "../../src/queue/request_queue.ts";
import type { VirtualClock } from "../determinism/clock.ts";
import type { FaultDice } from "./faults.ts";

const DELAY_MAX_US = 5000;
/** The notification FUSE_NOTIFY_RESEND. */
const RESEND = Uint8Array.from(
  [16, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
);

/** Bytes by which a long reply is too long: more than any request allows. */
const STRETCH = 2 << 20;
/** The memory of long replies. */
let stretched = new Uint8Array(0);

/** The options of a {@linkcode FaultyQueue}. */
export interface FaultyQueueOptions {
  /** The queue's number. */
  readonly index: number;
  /** Measures the time by which replies are delayed. */
  readonly clock: VirtualClock;
  /** Decides what goes wrong. */
  readonly dice: FaultDice;
  /** Microseconds after which the queue of a Worker that hangs is closed. */
  readonly hangUs: number;
  /** How many queues there are to which a reply may be misrouted. */
  readonly queues: number;
  /** write(2) on a queue, with any bytes; 0 or a negative errno. */
  readonly write: (index: number, message: Uint8Array) => number;
  /** Whether an exchange is the only one that the server has outstanding. */
  readonly isOnly: (exchange: Exchange) => boolean;
  /** Closes a queue as the death of its Worker does; `false` if it may not. */
  readonly kill: (index: number) => boolean;
  /** Called with the id of a reply that the kernel has to refuse. */
  readonly onDefect: (unique: bigint) => void;
}

/** A queue whose requests and replies go wrong as the dice decide. */
export class FaultyQueue extends ForwardingQueue {
  readonly #options: FaultyQueueOptions;
  #hangs = false;
  #wake: () => void = () => {};

  /** Adds faults to a queue. */
  constructor(inner: RequestQueue, options: FaultyQueueOptions) {
    super(inner);
    this.#options = options;
  }

  /** Takes the next request, unless the Worker dies or hangs with it. */
  override next(mayBlock: boolean): Exchange | null {
    if (this.#hangs) return null;
    const exchange = super.next(mayBlock);
    if (exchange === null || isInit(exchange)) return exchange;
    const { index, dice, kill, clock, write, hangUs } = this.#options;
    if (dice.roll("resend", index) && this.#options.isOnly(exchange)) {
      // A server asks for a resend after it has lost the requests that it held.
      write(index, RESEND);
      exchange.reply.reset();
      super.reply(exchange);
      return this.next(mayBlock);
    }
    if (dice.roll("dead-worker", index) && kill(index)) return null;
    if (dice.roll("closed-queue", index)) kill(index);
    if (dice.roll("hung-worker", index)) {
      this.#hangs = true;
      clock.after(hangUs, () => {
        // The last queue is not closed; its Worker continues.
        kill(index);
        this.#hangs = false;
        this.#wake();
        if (this.end === null) this.#answerAfterHang(exchange);
      });
      return null;
    }
    return exchange;
  }

  /** Waits until `next()` may return a request. */
  override async ready(): Promise<void> {
    const woken = new Promise<void>((resolve) => this.#wake = resolve);
    if (this.#hangs) return await woken;
    await Promise.race([super.ready(), woken]);
  }

  /** Sends a reply: once and at once, unless a fault happens. */
  override reply(exchange: Exchange): boolean {
    const { index, dice, clock } = this.#options;
    if (isInit(exchange) || exchange.reply.length <= 0) {
      return super.reply(exchange);
    }
    if (dice.roll("misrouted-reply", index)) this.#misroute(exchange);
    if (dice.roll("short-reply", index)) this.#cut(exchange);
    if (dice.roll("long-reply", index)) this.#stretch(exchange);
    if (dice.roll("double-reply", index)) {
      this.#send(index, exchange.reply.copy());
    }
    if (!dice.roll("delayed-reply", index)) return super.reply(exchange);
    clock.after(dice.between(1, DELAY_MAX_US), () => {
      super.reply(exchange);
      this.#wake();
    });
    return true;
  }

  #answerAfterHang(exchange: Exchange): void {
    exchange.reply.reset();
    exchange.reply.error(ERRNO.EIO);
    super.reply(exchange);
  }

  #misroute({ reply }: Exchange): void {
    const { index, queues } = this.#options;
    if (queues < 2) return;
    this.#send((index + 1) % queues, reply.copy());
  }

  /** Sends less than the header says. */
  #cut({ reply }: Exchange): void {
    const message = reply.copy();
    this.#send(
      this.#options.index,
      message.subarray(0, Math.max(1, message.length - 1)),
    );
  }

  /** Sends more than any request allows; the request fails with EIO. */
  #stretch({ reply }: Exchange): void {
    const message = reply.copy();
    const length = message.length + STRETCH;
    // Reused: to allocate megabytes for each fault would take most of a run.
    if (stretched.length < length) stretched = new Uint8Array(length);
    const longer = stretched.subarray(0, length);
    longer.set(message);
    new DataView(longer.buffer).setUint32(0, length, true);
    this.#send(this.#options.index, longer);
  }

  #send(index: number, message: Uint8Array): void {
    const { onDefect, write } = this.#options;
    // A reply that was cut before its id counts as id 0.
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
