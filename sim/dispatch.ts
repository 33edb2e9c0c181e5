import { ERRNO } from "../src/protocol/errno.ts";
import { OPCODES } from "../src/protocol/opcodes.ts";
import type { SimCall } from "./call.ts";
import { PendingList } from "./pending.ts";
import type { DispatchPolicy } from "./policy.ts";
import type { QueueLink } from "./queue_link.ts";
import type { SimRequest } from "./sim_request.ts";
import type { ViolationLog } from "./violation.ts";

/** A request that a queue has taken. */
export interface TakenRequest {
  /** The queue. */
  readonly queue: number;
  /** The request's id. */
  readonly unique: bigint;
  /** What is asked. */
  readonly call: SimCall;
}

/** What a {@linkcode Dispatcher} works with. */
export interface DispatcherOptions {
  /** The queues, by number. */
  readonly links: readonly QueueLink[];
  /** Who gets which request. */
  readonly policy: DispatchPolicy;
  /** Where defects are noted. */
  readonly log: ViolationLog;
  /** Hears of each request as a queue takes it. */
  readonly onTaken: ((taken: TakenRequest) => void) | undefined;
  /** Ends a request that was taken, or cannot be. */
  readonly end: (request: SimRequest, errno: number) => void;
}

/** Brings requests to queues: `struct fuse_iqueue` and its readers. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #pending: PendingList;
  #open: number[];
  /** Queues that wait for a request, the longest-waiting first. */
  #readers: number[] = [];

  /** Makes a dispatcher whose queues are all open. */
  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#pending = new PendingList(options.links.length);
    this.#open = options.links.map(({ index }) => index);
  }

  /** Requests that no queue has taken. */
  get pending(): number {
    return this.#pending.length;
  }

  /** Makes a request pending: `fuse_dev_queue_req()`. */
  pend(request: SimRequest): void {
    const { policy, links } = this.#options;
    // INIT comes when there is but the first descriptor.
    const isInit = request.row.opcode === OPCODES.INIT.opcode;
    const queue = isInit ? this.#open[0]! : policy.assign(this.#open);
    this.#pending.push(request, queue);
    if (queue >= 0) this.feed(links[queue]!);
    else if (this.#readers.length > 0) {
      this.feed(links[policy.wake(this.#readers)]!);
    }
  }

  /** Notes that a queue waits for a request in one more entry. */
  await(link: QueueLink, entry: number): void {
    link.waiting.push(entry);
    if (link.waiting.length === 1) this.#readers.push(link.index);
  }

  /** Gives a queue what it waits for: `fuse_dev_do_read()`. */
  feed(link: QueueLink): void {
    const { log, onTaken, end } = this.#options;
    while (link.open && link.waiting.length > 0) {
      const request = this.#pending.take(link.index);
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
      if (link.waiting.length === 0) this.#forgetReader(link.index);
      const { unique, call } = request;
      onTaken?.({ queue: link.index, unique, call });
      if (request.noReply) end(request, 0);
    }
  }

  /**
   * Takes a queue out of the turn; what was to go there goes elsewhere.
   *
   * @returns Whether another one is open.
   */
  close(link: QueueLink): boolean {
    this.#open = this.#open.filter((index) => index !== link.index);
    this.#forgetReader(link.index);
    const isLast = this.#open.length === 0;
    for (const request of this.#pending.unbind(link.index)) {
      if (isLast) this.#pending.push(request, -1);
      else this.pend(request);
    }
    return !isLast;
  }

  /** Closes all queues; returns what was pending. */
  closeAll(): SimRequest[] {
    this.#open = [];
    this.#readers = [];
    return this.#pending.takeAll();
  }

  #forgetReader(index: number): void {
    const at = this.#readers.indexOf(index);
    if (at >= 0) this.#readers.splice(at, 1);
  }
}
