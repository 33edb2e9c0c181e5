import { encodeStruct } from "../../src/protocol/codec.ts";
import { ERRNO } from "../../src/base/errno.ts";
import {
  FUSE_INT_REQ_BIT,
  FUSE_UNIQUE_RESEND,
} from "../../src/protocol/flags.ts";
import { OPCODES } from "../../src/protocol/opcodes.ts";
import type { SimCall } from "./call.ts";
import type { Clock } from "../determinism/clock.ts";
import { Fifo } from "./fifo.ts";
import { type Forget, ForgetList } from "./forget_list.ts";
import { PendingList } from "./pending.ts";
import type { DispatchPolicy } from "./policy.ts";
import type { QueueLink } from "./queue_link.ts";
import { Readers } from "./readers.ts";
import { SimRequest } from "./sim_request.ts";
import type { ViolationLog } from "./violation.ts";

/** A request that a queue has taken. */
export interface TakenRequest {
  /** The queue. */
  readonly queue: number;
  /** The request's id. */
  readonly unique: bigint;
  /** What is asked. */
  readonly call: SimCall;
  /** Whether the server owes a reply. */
  readonly needsReply: boolean;
}

/** What a {@linkcode Dispatcher} works with. */
export interface DispatcherOptions {
  /** The queues, by number. */
  readonly links: readonly QueueLink[];
  /** The queue that INIT, INTERRUPT and forgets go to; any if left out. */
  readonly control: number | undefined;
  /** Who gets which request. */
  readonly policy: DispatchPolicy;
  /** Where defects are noted. */
  readonly log: ViolationLog;
  /** Hears of each request as a queue takes it. */
  readonly onTaken: ((taken: TakenRequest) => void) | undefined;
  /** Passes time while readers wake up. */
  readonly clock: Clock;
  /** Microseconds that a reader takes to wake up; at once if left out. */
  readonly wakeUs: (() => number) | undefined;
  /** The minor version agreed on. */
  readonly minor: () => number;
  /** Makes the id of a forget. */
  readonly unique: () => bigint;
  /** Ends a request that was taken, or cannot be. */
  readonly end: (request: SimRequest, errno: number) => void;
}

/** Brings requests to queues: `struct fuse_iqueue` and its readers. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #pending: PendingList;
  readonly #interrupts: Fifo<SimRequest> = new Fifo();
  readonly #forgets: ForgetList = new ForgetList();
  readonly #readers: Readers;
  /** Queues that take pending requests. */
  #open: number[];

  /** Makes a dispatcher whose queues are all open. */
  constructor(options: DispatcherOptions) {
    this.#options = options;
    const { links, control } = options;
    this.#pending = new PendingList(links.length);
    this.#open = links.filter(({ bound, index }) => bound && index !== control)
      .map(({ index }) => index);
    this.#readers = new Readers({
      policy: options.policy,
      clock: options.clock,
      wakeUs: options.wakeUs,
      run: (queue) => {
        const link = links[queue]!;
        const { length } = link.waiting;
        this.deliver(link);
        return link.open && link.waiting.length === length;
      },
    });
  }

  /** Requests that no queue has taken. */
  get pending(): number {
    return this.#pending.length;
  }

  /** Readers that were woken and found nothing. */
  get spuriousWakeups(): number {
    return this.#readers.spuriousWakeups;
  }

  /** When the oldest pending request was made, in microseconds. */
  get oldest(): number {
    return this.#pending.oldest;
  }

  /** Makes a request pending: `fuse_dev_queue_req()`. */
  enqueue(request: SimRequest): void {
    const { policy, control } = this.#options;
    // INIT comes when there is but the first descriptor.
    const isInit = request.row.opcode === OPCODES.INIT.opcode;
    const first = control ?? this.#open[0]!;
    const queue = isInit ? first : policy.assign(this.#open, request.cpu);
    this.#pending.push(request, queue);
    this.#readers.wake(queue);
  }

  /** Lets a queue take part that was bound to the connection later. */
  open(link: QueueLink): void {
    this.#open = [...this.#open, link.index].sort((a, b) => a - b);
  }

  /** Takes a pending request back; whether it was still there. */
  withdraw(request: SimRequest): boolean {
    return this.#pending.remove(request);
  }

  /** Has a queue told that a request's caller was interrupted. */
  interrupt(request: SimRequest): void {
    //= fs/fuse/dev.c fuse_dev_queue_interrupt(): once in the list at most.
    this.#interrupts.remove(request);
    this.#interrupts.push(request);
    this.#readers.wake(this.#options.control ?? -1);
  }

  /** Has a queue told that references were dropped. */
  forget(forget: Forget): void {
    this.#forgets.push(forget);
    this.#readers.wake(this.#options.control ?? -1);
  }

  /** Sends everything again that the server has and has not answered. */
  resend(): void {
    const { links, policy, control } = this.#options;
    const again = links.flatMap((link) => link.takeProcessing());
    for (const request of again.reverse()) {
      //= fs/fuse/dev.c fuse_resend(): back to the head of the list, with the
      //= highest bit of the id set.
      request.unique |= FUSE_UNIQUE_RESEND;
      request.state = "pending";
      const isInit = request.row.opcode === OPCODES.INIT.opcode;
      const queue = isInit
        ? control ?? this.#open[0]!
        : policy.assign(this.#open, request.cpu);
      this.#pending.unshift(request, queue);
    }
    for (const link of links) this.#readers.wake(link.index);
  }

  /** Notes that a queue waits for a request in one more entry. */
  addWaiting(link: QueueLink, entry: number): void {
    link.waiting.push(entry);
    if (link.waiting.length === 1) this.#readers.add(link.index);
  }

  /** Gives a queue what it waits for: `fuse_dev_do_read()`. */
  deliver(link: QueueLink): void {
    const { log, onTaken, end } = this.#options;
    while (link.open && link.waiting.length > 0) {
      const request = this.#next(link);
      if (request === undefined) return;
      if (!link.fill(request)) {
        //= fs/fuse/dev.c fuse_dev_do_read(): a request that the buffer cannot
        //= hold fails with EIO, a SETXATTR with E2BIG.
        const isSetxattr = request.row.opcode === OPCODES.SETXATTR.opcode;
        const message = `it cannot hold ${request.length} bytes`;
        log.add("small buffer", link.index, request.unique, 0, message);
        end(request, isSetxattr ? ERRNO.E2BIG : ERRNO.EIO);
        continue;
      }
      if (link.waiting.length === 0) this.#readers.remove(link.index);
      const { unique, call, needsReply } = request;
      onTaken?.({ queue: link.index, unique, call, needsReply });
      if (request.endsWhenTaken) request.state = "finished";
      else if (request.noReply) end(request, 0);
      //= fs/fuse/dev.c fuse_dev_do_read(): whoever was interrupted before the
      //= server read the request has it told now.
      else if (request.interrupted) this.interrupt(request);
    }
  }

  /**
   * Takes a queue out of the turn; what was to go there goes elsewhere.
   *
   * @returns Whether another one is open.
   */
  close(link: QueueLink): boolean {
    this.#open = this.#open.filter((index) => index !== link.index);
    this.#readers.remove(link.index);
    const isLast = this.#open.length === 0;
    for (const request of this.#pending.unbind(link.index)) {
      if (isLast) this.#pending.push(request, -1);
      else this.enqueue(request);
    }
    return !isLast;
  }

  /** Closes all queues; returns what was pending. */
  closeAll(): SimRequest[] {
    this.#open = [];
    this.#readers.clear();
    this.#interrupts.takeAll();
    this.#forgets.clear();
    return this.#pending.takeAll();
  }

  /** What a queue takes next. */
  #next(link: QueueLink): SimRequest | undefined {
    const { control } = this.#options;
    if (control === undefined || control === link.index) {
      //= fs/fuse/dev.c fuse_dev_do_read(): interrupts go first.
      for (;;) {
        const interrupted = this.#interrupts.shift();
        if (interrupted === undefined) break;
        if (interrupted.state === "sent") return this.#interruptOf(interrupted);
      }
      if (this.#forgets.isTheirTurn(this.#pending.has(link.index))) {
        const room = link.roomForRequest;
        return this.#own(this.#forgets.take(room, this.#options.minor()));
      }
    }
    return this.#pending.take(link.index);
  }

  #interruptOf(request: SimRequest): SimRequest {
    //= fs/fuse/dev.c fuse_read_interrupt(): the id of the request, once with
    //= the lowest bit set.
    const own = new SimRequest({
      opcode: "INTERRUPT",
      nodeid: 0n,
      body: encodeStruct("fuse_interrupt_in", { unique: request.unique }),
    }, this.#options.minor());
    own.endsWhenTaken = true;
    own.unique = request.unique | FUSE_INT_REQ_BIT;
    return own;
  }

  /** A message that no reply is waited for. */
  #own(call: SimCall): SimRequest {
    const request = new SimRequest(call, this.#options.minor());
    request.endsWhenTaken = true;
    request.unique = this.#options.unique();
    return request;
  }
}
