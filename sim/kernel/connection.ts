import { ERRNO } from "../../src/base/errno.ts";
import { isNegotiated } from "../../src/protocol/init.ts";
import { OPCODES } from "../../src/protocol/opcodes.ts";
import type { Clock } from "../determinism/clock.ts";
import { BackgroundLimit } from "./background.ts";
import type { SimAnswer, SimCall } from "./call.ts";
import { Fifo } from "./fifo.ts";
import {
  acceptInit,
  encodeOffer,
  type KernelLimits,
  type KernelOffer,
  LIMITS_BEFORE_INIT,
} from "./negotiation.ts";
import { SimRequest } from "./sim_request.ts";

/** The options of a {@linkcode Connection}. */
export interface ConnectionOptions {
  /** The offer of INIT. */
  readonly offered: KernelOffer;
  /** Gives the time at which each request is made. */
  readonly clock: Clock;
  /** The number of ring queues; 0 with read(2) and write(2). */
  readonly ringQueues: number;
  /** Appends a request to the pending list. */
  readonly enqueue: (request: SimRequest) => void;
  /** Removes a pending request; returns whether it was still pending. */
  readonly withdraw: (request: SimRequest) => boolean;
  /** Sends INTERRUPT for a request: `fuse_dev_queue_interrupt()`. */
  readonly interrupt: (request: SimRequest) => void;
  /** Whether every ring queue has an entry. */
  readonly queuesReady: () => boolean;
}

/**
 * The state that all queues share: who may send, and the negotiated limits.
 * `struct fuse_conn`.
 */
export class Connection {
  /** The negotiated limits. */
  limits: KernelLimits = LIMITS_BEFORE_INIT;
  /** Whether requests may be sent. */
  connected = true;
  /** Whether to send INTERRUPT; false after the server has refused one. */
  interrupts = true;
  /** Resolves after the reply to INIT: `null`, or what is wrong with it. */
  readonly initialised: Promise<string | null>;
  readonly #options: ConnectionOptions;
  readonly #background: BackgroundLimit;
  /** Requests whose senders sleep until they may send: `fc->blocked_waitq`. */
  readonly #sleepers: Fifo<SimRequest> = new Fifo();
  #initialised: (fault: string | null) => void;
  #ready = false;
  #failed = false;
  #lastUnique = 0n;
  #outstanding = 0;

  /** Makes a connection; {@linkcode Connection.start} sends INIT. */
  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#background = new BackgroundLimit(
      (request) => this.#send(request),
      options.ringQueues,
    );
    const { promise, resolve } = Promise.withResolvers<string | null>();
    this.initialised = promise;
    this.#initialised = resolve;
  }

  /** Sends INIT, once the pending list is ready. */
  start(): void {
    //= fs/fuse/inode.c fuse_send_init(): in the background, before all others.
    this.#outstanding++;
    this.#background.add(this.#make({
      opcode: "INIT",
      body: encodeOffer(this.#options.offered),
      background: true,
      force: true,
    }));
  }

  /** Requests that have not ended. */
  get outstanding(): number {
    return this.#outstanding;
  }

  /** Background requests that were sent and have not ended. */
  get backgroundActive(): number {
    return this.#background.active;
  }

  /** Background requests that the limit holds back. */
  get backgroundWaiting(): number {
    return this.#background.waiting;
  }

  /** When the oldest request that the limit holds back was made. */
  get oldestWaiting(): number {
    return this.#background.oldest;
  }

  /** Requests whose senders sleep until they may send. */
  get sleeping(): number {
    return this.#sleepers.length;
  }

  /**
   * Whether the server wants ECONNABORTED rather than ENODEV after an abort.
   */
  get abortError(): boolean {
    return isNegotiated(this.limits, "ABORT_ERROR");
  }

  /** Sends a request. */
  call(call: SimCall): Promise<SimAnswer> {
    const request = this.#make(call);
    this.#outstanding++;
    if (call.signals !== undefined && !call.background) {
      this.#watch(request, call.signals);
    }
    if (call.force || !this.#mustSleep(request)) this.#admit(request);
    else this.#sleepers.push(request);
    return request.answer;
  }

  /**
   * Sends the reply to a RETRIEVE: `fuse_simple_notify_reply()`.
   *
   * @param call A NOTIFY_REPLY, which is itself not answered.
   * @param unique The id that the server has chosen.
   */
  notifyReply(call: SimCall, unique: bigint): void {
    const request = this.#make(call);
    this.#outstanding++;
    request.unique = unique;
    request.state = "pending";
    this.#options.enqueue(request);
  }

  /** Ends a request that became pending: `fuse_request_end()`. */
  end(request: SimRequest, errno: number, body?: Uint8Array): void {
    if (request.state === "finished") return;
    this.#outstanding--;
    const wake = request.call.background === true &&
      this.#background.ended(request);
    if (request.row.opcode === OPCODES.INIT.opcode) {
      this.#init(errno, body ?? new Uint8Array(0));
    }
    request.end(errno, body);
    if (wake) this.#wakeOne();
  }

  /**
   * Ends the connection: no request is accepted any more. The caller ends the
   * requests that are pending or taken.
   */
  disconnect(): void {
    this.connected = false;
    this.#background.open();
  }

  /** Wakes all sleepers, to be sent or refused. */
  wakeAll(): void {
    for (const request of this.#sleepers.takeAll()) {
      if (this.#mustSleep(request)) this.#sleepers.push(request);
      else this.#admit(request);
    }
  }

  /** The next id. The ids of INTERRUPT and FORGET are not counted. */
  nextUnique(): bigint {
    //= fs/fuse/dev.c fuse_get_unique(): ids go up by FUSE_REQ_ID_STEP, 2.
    return this.#lastUnique += 2n;
  }

  #make(call: SimCall): SimRequest {
    const request = new SimRequest(call, this.limits.minor);
    request.created = this.#options.clock.now;
    return request;
  }

  #wakeOne(): void {
    const request = this.#sleepers.shift();
    if (request === undefined) return;
    if (this.#mustSleep(request)) this.#sleepers.unshift(request);
    else this.#admit(request);
  }

  #mustSleep({ call }: SimRequest): boolean {
    //= fs/fuse/dev.c fuse_block_alloc(): all requests until INIT is answered
    //= and the ring queues are ready; background requests beyond the limit.
    if (!this.connected) return false;
    if (!this.#ready) return true;
    if (call.background === true && this.#background.blocked) return true;
    return this.#options.ringQueues > 0 && !this.#options.queuesReady();
  }

  #admit(request: SimRequest): void {
    request.call.onAdmitted?.();
    //= fs/fuse/dev.c fuse_get_req(): ENOTCONN after the connection has ended,
    //= ECONNREFUSED after INIT has failed.
    if (!this.connected) return this.#refuse(request, ERRNO.ENOTCONN);
    if (this.#failed && !request.call.force) {
      return this.#refuse(request, ERRNO.ECONNREFUSED);
    }
    if (request.call.background) this.#background.add(request);
    else this.#send(request);
  }

  #refuse(request: SimRequest, errno: number): void {
    this.#outstanding--;
    request.end(errno);
  }

  #send(request: SimRequest): void {
    request.unique = this.nextUnique();
    request.state = "pending";
    this.#options.enqueue(request);
  }

  /** Passes the signals of a request's process on to the request. */
  #watch(request: SimRequest, signals: NonNullable<SimCall["signals"]>): void {
    const onSignal = () => this.#signalled(request, signals.killed);
    signals.subscribe(onSignal);
    request.answer.then(() => signals.unsubscribe(onSignal));
    // A call that begins while the process is dying does not wait.
    if (signals.killed) queueMicrotask(onSignal);
  }

  #signalled(request: SimRequest, killed: boolean): void {
    if (request.state === "finished") return;
    if (request.state === "waiting") {
      //= fs/fuse/dev.c fuse_get_req(): only SIGKILL ends the sleep before a
      //= request is made, with EINTR.
      if (!killed || !this.#sleepers.remove(request)) return;
      return this.#refuse(request, ERRNO.EINTR);
    }
    //= fs/fuse/dev.c request_wait_answer(): the server is told of a signal once
    //= it has read the request, unless it does not know INTERRUPT.
    if (this.interrupts) {
      request.interrupted = true;
      if (request.state === "sent") this.#options.interrupt(request);
    }
    //= fs/fuse/dev.c request_wait_answer(): SIGKILL withdraws a request that
    //= the server has not read, with EINTR. One that it has read is waited for.
    const givesUp = killed && !request.call.force;
    if (givesUp && this.#options.withdraw(request)) {
      this.end(request, ERRNO.EINTR);
    }
  }

  #init(errno: number, body: Uint8Array): void {
    const limits = errno === 0
      ? acceptInit(this.#options.offered, body)
      : `the server answered with error ${errno}`;
    this.#ready = true;
    if (typeof limits === "string") this.#failed = true;
    else {
      this.limits = limits;
      if (limits.maxBackground > 0) this.#background.max = limits.maxBackground;
    }
    //= fs/fuse/inode.c fuse_set_initialized(), then wake_up_all().
    this.wakeAll();
    this.#initialised(typeof limits === "string" ? limits : null);
  }
}
