import { ERRNO } from "../src/protocol/errno.ts";
import { agreed } from "../src/protocol/init.ts";
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

/**
 * The part of the kernel that every queue shares: who may send, and what holds
 * between kernel and server. `struct fuse_conn`.
 */
export class Connection {
  /** What was agreed on. */
  limits: KernelLimits = LIMITS_BEFORE_INIT;
  /** Whether requests may be sent. */
  connected = true;
  /** Whether the end came from abort, and the server wants to know. */
  aborted = false;
  /** Resolves when INIT was answered, to `null` or to what is wrong with it. */
  readonly initialised: Promise<string | null>;
  readonly #background: BackgroundLimit;
  /** Those who sleep until they may send: `fc->blocked_waitq`. */
  readonly #sleepers: Fifo<SimRequest> = new Fifo();
  readonly #pend: (request: SimRequest) => void;
  #ready = false;
  #failed = false;
  #lastUnique = 0n;
  #outstanding = 0;

  /**
   * Makes a connection and sends INIT.
   *
   * @param offer What INIT offers.
   * @param pend Takes each request that is to become pending.
   */
  constructor(offer: KernelOffer, pend: (request: SimRequest) => void) {
    this.#pend = pend;
    this.#background = new BackgroundLimit((request) => this.#send(request));
    const { promise, resolve } = Promise.withResolvers<string | null>();
    this.initialised = promise;
    const init = new SimRequest({
      opcode: "INIT",
      body: encodeOffer(offer),
      background: true,
      force: true,
    }, this.limits.minor);
    this.#initEnds = (errno, body) => resolve(this.#init(offer, errno, body));
    this.#initRequest = init;
  }

  #initRequest: SimRequest | null;
  readonly #initEnds: (errno: number, body: Uint8Array) => void;

  /** Sends INIT, once whoever takes pending requests is ready for it. */
  start(): void {
    this.#outstanding++;
    this.#background.add(this.#initRequest!);
  }

  /** Requests that were asked for and have not ended. */
  get outstanding(): number {
    return this.#outstanding;
  }

  /** Background requests that were sent and have not ended. */
  get backgroundActive(): number {
    return this.#background.active;
  }

  /** Those who sleep until they may send. */
  get sleeping(): number {
    return this.#sleepers.length;
  }

  /** Asks the server for something. */
  call(call: SimCall): Promise<SimAnswer> {
    const request = new SimRequest(call, this.limits.minor);
    this.#outstanding++;
    if (call.force || !this.#mustSleep(request)) this.#admit(request);
    else this.#sleepers.push(request);
    return request.answer;
  }

  /** Ends a request that became pending: `fuse_request_end()`. */
  end(request: SimRequest, errno: number, body?: Uint8Array): void {
    this.#outstanding--;
    const wake = request.call.background === true && this.#background.ended();
    if (request === this.#initRequest) {
      this.#initRequest = null;
      this.#initEnds(errno, body ?? new Uint8Array(0));
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

  #wakeOne(): void {
    const request = this.#sleepers.shift();
    if (request === undefined) return;
    if (this.#mustSleep(request)) this.#sleepers.unshift(request);
    else this.#admit(request);
  }

  #mustSleep({ call }: SimRequest): boolean {
    //= fs/fuse/dev.c fuse_block_alloc(): everyone before INIT is answered,
    //= background requests while there are too many.
    if (!this.connected) return false;
    return !this.#ready || call.background === true && this.#background.blocked;
  }

  #admit(request: SimRequest): void {
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
    //= fs/fuse/dev.c fuse_get_unique(): ids go up by FUSE_REQ_ID_STEP, 2.
    this.#lastUnique += 2n;
    request.unique = this.#lastUnique;
    this.#pend(request);
  }

  #init(offer: KernelOffer, errno: number, body: Uint8Array): string | null {
    const limits = errno === 0
      ? acceptInit(offer, body)
      : `the server answered with error ${errno}`;
    this.#ready = true;
    if (typeof limits === "string") this.#failed = true;
    else {
      this.limits = limits;
      if (limits.maxBackground > 0) this.#background.max = limits.maxBackground;
    }
    //= fs/fuse/inode.c fuse_set_initialized(), then wake_up_all().
    this.wakeAll();
    return typeof limits === "string" ? limits : null;
  }

  /** Whether the server wants ECONNABORTED rather than ENODEV after an abort. */
  get abortError(): boolean {
    return agreed(this.limits, "ABORT_ERROR");
  }
}
