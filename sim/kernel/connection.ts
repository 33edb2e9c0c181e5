import { US_PER_S } from "../../src/base/timespec.ts";
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

/** What a {@linkcode Connection} works with. */
export interface ConnectionOptions {
  /** What INIT offers. */
  readonly offered: KernelOffer;
  /** Tells when requests are made. */
  readonly clock: Clock;
  /** Queues of an io_uring; 0 for read(2) and write(2). */
  readonly ringQueues: number;
  /** Takes each request that is to become pending. */
  readonly enqueue: (request: SimRequest) => void;
  /** Takes a pending request out of the list again; whether it was there. */
  readonly withdraw: (request: SimRequest) => boolean;
  /** Has the server told of a signal: `fuse_dev_queue_interrupt()`. */
  readonly interrupt: (request: SimRequest) => void;
  /** Whether every queue of an io_uring has an entry. */
  readonly queuesReady: () => boolean;
}

/**
 * The part of the kernel that every queue shares: who may send, and what holds
 * between kernel and server. `struct fuse_conn`.
 */
export class Connection {
  /** What was agreed on. */
  limits: KernelLimits = LIMITS_BEFORE_INIT;
  /** Whether requests may be sent. */
  connected = true;
  /** Whether the server knows INTERRUPT, as far as has been seen. */
  interrupts = true;
  /** Resolves when INIT was answered, to `null` or to what is wrong with it. */
  readonly initialised: Promise<string | null>;
  readonly #options: ConnectionOptions;
  readonly #background: BackgroundLimit;
  /** Those who sleep until they may send: `fc->blocked_waitq`. */
  readonly #sleepers: Fifo<SimRequest> = new Fifo();
  #initialised: (fault: string | null) => void;
  #ready = false;
  #failed = false;
  #lastUnique = 0n;
  #outstanding = 0;

  /** Makes a connection; INIT goes out with {@linkcode Connection.start}. */
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

  /** Sends INIT, once whoever takes pending requests is ready for it. */
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

  /** Requests that were asked for and have not ended. */
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

  /** Those who sleep until they may send. */
  get sleeping(): number {
    return this.#sleepers.length;
  }

  /** Whether the server wants ECONNABORTED rather than ENODEV after an abort. */
  get abortError(): boolean {
    return isNegotiated(this.limits, "ABORT_ERROR");
  }

  /** Asks the server for something. */
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
   * Sends what a RETRIEVE asks for: `fuse_simple_notify_reply()`.
   *
   * @param call A NOTIFY_REPLY, which has no reply.
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
   * Ends the connection: nobody is let in, and whoever sleeps is turned away.
   * What is pending or taken is for the caller to end.
   */
  disconnect(): void {
    this.connected = false;
    this.#background.open();
  }

  /** Wakes all who sleep, to be sent or turned away. */
  wakeAll(): void {
    for (const request of this.#sleepers.takeAll()) {
      if (this.#mustSleep(request)) this.#sleepers.push(request);
      else this.#admit(request);
    }
  }

  /** The next id: those of forgets and interrupts do not count up. */
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
    //= fs/fuse/dev.c fuse_block_alloc(): everyone before INIT is answered and
    //= before an io_uring is ready, background requests while there are too
    //= many.
    if (!this.connected) return false;
    if (!this.#ready) return true;
    if (call.background === true && this.#background.blocked) return true;
    return this.#options.ringQueues > 0 && !this.#options.queuesReady();
  }

  #admit(request: SimRequest): void {
    request.call.onAdmitted?.();
    //= fs/fuse/dev.c fuse_get_req(): ENOTCONN when the connection has ended,
    //= ECONNREFUSED when INIT has failed.
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

  /** Has a request hear of the signals that its caller gets. */
  #watch(request: SimRequest, signals: NonNullable<SimCall["signals"]>): void {
    const onSignal = () => this.#signalled(request, signals.killed);
    signals.subscribe(onSignal);
    request.answer.then(() => signals.unsubscribe(onSignal));
    // A call that begins while the process dies does not wait at all.
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
    //= fs/fuse/dev.c request_wait_answer(): a signal is passed on once the
    //= server has the request, unless it has said that it does not know how.
    if (this.interrupts) {
      request.interrupted = true;
      if (request.state === "sent") this.#options.interrupt(request);
    }
    //= fs/fuse/dev.c request_wait_answer(): SIGKILL takes back what the
    //= server has not read, with EINTR; what it has read is waited for.
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

/** Microseconds between two looks at what is outstanding. */
const PERIOD_US = 15e6;

/** What a request timeout watches. */
export interface TimeoutOptions {
  /** Tells the time. */
  readonly clock: Clock;
  /** Seconds after which a request is too old. */
  readonly seconds: number;
  /** When the oldest request that has not ended was made. */
  readonly oldest: () => number;
  /** Whether there is a connection to end. */
  readonly connected: () => boolean;
  /** Ends it. */
  readonly abort: () => void;
}

/** Ends a connection whose server lets a request wait too long. */
export function watchTimeout(options: TimeoutOptions): void {
  const { clock, seconds, oldest, connected, abort } = options;
  if (seconds === 0) return;
  //= fs/fuse/inode.c set_request_timeout(): never shorter than the time
  //= between two looks.
  const limitUs = Math.max(seconds * US_PER_S, PERIOD_US);
  const look = () => {
    if (!connected()) return;
    //= fs/fuse/dev.c fuse_check_timeout(): one request that is too old aborts
    //= the connection.
    if (clock.now - oldest() > limitUs) abort();
    else clock.after(PERIOD_US, look);
  };
  clock.after(PERIOD_US, look);
}
