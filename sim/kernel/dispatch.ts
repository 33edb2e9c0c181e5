import { encodeStruct } from "../../src/protocol/codec.ts";
import { ERRNO } from "../../src/base/errno.ts";
import {
  FUSE_INT_REQ_BIT,
  FUSE_UNIQUE_RESEND,
} from "../../src/protocol/flags.ts";
import { OPCODES } from "../../src/protocol/opcodes.ts";
import type { SimAnswer, SimCall } from "./call.ts";
import type { Clock } from "../determinism/clock.ts";
import { Fifo } from "./fifo.ts";
import { type Forget, ForgetList } from "./forget_list.ts";
import { PendingList } from "./pending.ts";
import type { DispatchPolicy } from "./policy.ts";
import type { QueueLink } from "./queue_link.ts";
import { Readers, type WakeListener } from "./readers.ts";
import { SimRequest } from "./sim_request.ts";
import type { ViolationLog } from "./violation.ts";

/**
 * A request that has just become pending.
 *
 * @category Kernel
 */
export interface PendingRequest {
  /** The request's id. */
  readonly unique: bigint;
  /** The request. */
  readonly call: SimCall;
  /** When it was made, in microseconds of the kernel's clock. */
  readonly created: number;
  /** Bytes of the message. */
  readonly length: number;
  /** Resolves when it ends: by a reply, an interrupt or an abort. */
  readonly ended: Promise<SimAnswer>;
}

/**
 * A request that a queue has taken.
 *
 * @category Kernel
 */
export interface TakenRequest {
  /** The queue's number. */
  readonly queue: number;
  /** The request's id. */
  readonly unique: bigint;
  /** The request. */
  readonly call: SimCall;
  /** Whether the server has to reply. */
  readonly needsReply: boolean;
}

/** The options of a {@linkcode Dispatcher}. */
export interface DispatcherOptions {
  /** The queues, by number. */
  readonly links: readonly QueueLink[];
  /** The queue for INIT, INTERRUPT and FORGET; any queue if left out. */
  readonly control: number | undefined;
  /** Chooses the queue of each request. */
  readonly policy: DispatchPolicy;
  /** Records what the server does wrong. */
  readonly log: ViolationLog;
  /** Called with each request that becomes pending. */
  readonly onPending: ((pending: PendingRequest) => void) | undefined;
  /** Called with each request when a queue takes it. */
  readonly onTaken: ((taken: TakenRequest) => void) | undefined;
  /** Called when a reader that was woken runs. */
  readonly onWake: WakeListener | undefined;
  /** Measures the time that readers take to wake up. */
  readonly clock: Clock;
  /** Microseconds that a reader takes to wake up; at once if left out. */
  readonly wakeUs: (() => number) | undefined;
  /** The negotiated minor version. */
  readonly minor: () => number;
  /** Makes the id of a FORGET. */
  readonly unique: () => bigint;
  /** Ends a request that needs no reply or fits into no buffer. */
  readonly end: (request: SimRequest, errno: number) => void;
}

/** The request path: the pending list and its readers. `struct fuse_iqueue`. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #pending: PendingList;
  readonly #interrupts: Fifo<SimRequest> = new Fifo();
  readonly #forgets: ForgetList = new ForgetList();
  readonly #readers: Readers;
  /** The numbers of the queues that take pending requests. */
  #open: number[];

  /** Makes a dispatcher over all queues that are bound. */
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
      onWake: options.onWake,
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
    // INIT is sent when only the first descriptor is open.
    const isInit = request.row.opcode === OPCODES.INIT.opcode;
    const first = control ?? this.#open[0]!;
    const queue = isInit ? first : policy.assign(this.#open, request.cpu);
    this.#pending.push(request, queue);
    this.#options.onPending?.({
      unique: request.unique,
      call: request.call,
      created: request.created,
      length: request.length,
      ended: request.answer,
    });
    this.#readers.wake(queue);
  }

  /** Adds a queue that was bound to the connection later. */
  open(link: QueueLink): void {
    this.#open = [...this.#open, link.index].sort((a, b) => a - b);
  }

  /** Removes a pending request; returns whether it was still pending. */
  withdraw(request: SimRequest): boolean {
    return this.#pending.remove(request);
  }

  /** Sends INTERRUPT for a request. */
  interrupt(request: SimRequest): void {
    //= fs/fuse/dev.c fuse_dev_queue_interrupt(): at most once in the list.
    this.#interrupts.remove(request);
    this.#interrupts.push(request);
    this.#readers.wake(this.#options.control ?? -1);
  }

  /** Sends FORGET for an inode, when a queue next has room for it. */
  forget(forget: Forget): void {
    this.#forgets.push(forget);
    this.#readers.wake(this.#options.control ?? -1);
  }

  /** Sends every request again that the server has taken and not answered. */
  resend(): void {
    const { links, policy, control } = this.#options;
    const again = links.flatMap((link) => link.takeProcessing());
    for (const request of again.reverse()) {
      //= fs/fuse/dev.c fuse_resend(): to the head of the list, with the highest
      //= bit of the id set.
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

  /** A queue waits for a request in one more entry. */
  addWaiting(link: QueueLink, entry: number): void {
    link.waiting.push(entry);
    if (link.waiting.length === 1) this.#readers.add(link.index);
  }

  /** Fills the entries in which a queue waits: `fuse_dev_do_read()`. */
  deliver(link: QueueLink): void {
    const { log, onTaken, end } = this.#options;
    while (link.open && link.waiting.length > 0) {
      const request = this.#next(link);
      if (request === undefined) return;
      if (!link.fill(request)) {
        //= fs/fuse/dev.c fuse_dev_do_read(): a request that does not fit into
        //= the buffer fails with EIO, a SETXATTR with E2BIG.
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
      //= fs/fuse/dev.c fuse_dev_do_read(): the INTERRUPT of a request that was
      //= interrupted before the server read it is sent now.
      else if (request.interrupted) this.interrupt(request);
    }
  }

  /**
   * Removes a queue; requests that were bound to it go to other queues.
   *
   * @returns Whether another queue is open.
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

  /** Removes all queues; returns the pending requests. */
  closeAll(): SimRequest[] {
    this.#open = [];
    this.#readers.clear();
    this.#interrupts.takeAll();
    this.#forgets.clear();
    return this.#pending.takeAll();
  }

  /** The next request for a queue. */
  #next(link: QueueLink): SimRequest | undefined {
    const { control } = this.#options;
    if (control === undefined || control === link.index) {
      //= fs/fuse/dev.c fuse_dev_do_read(): interrupts first.
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
    //= fs/fuse/dev.c fuse_read_interrupt(): the id of the request, and as its
    //= own id the same with the lowest bit set.
    const own = new SimRequest({
      opcode: "INTERRUPT",
      nodeid: 0n,
      body: encodeStruct("fuse_interrupt_in", { unique: request.unique }),
    }, this.#options.minor());
    own.endsWhenTaken = true;
    own.unique = request.unique | FUSE_INT_REQ_BIT;
    return own;
  }

  /** A message that the server does not answer. */
  #own(call: SimCall): SimRequest {
    const request = new SimRequest(call, this.#options.minor());
    request.endsWhenTaken = true;
    request.unique = this.#options.unique();
    return request;
  }
}
