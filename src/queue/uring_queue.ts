import type { ProtocolVersion } from "../protocol/protocol_version.ts";
import { accessors } from "../protocol/accessors.ts";
import { US_PER_MS } from "../base/timespec.ts";
import { ERRNO, errnoName } from "../base/errno.ts";
import { type Exchange, separateExchange } from "../protocol/exchange.ts";
import type { FuseRing, FuseRingEntry } from "./fuse_ring.ts";
import { PollStrategy } from "./poll_strategy.ts";
import type { QueueEnd, RequestQueue } from "./request_queue.ts";
import { RingFiles } from "./ring_files.ts";

const IN_HEADER = accessors("fuse_in_header");
const OUT_HEADER = accessors("fuse_out_header");
const ENT_IN_OUT = accessors("fuse_uring_ent_in_out");
/** Where fuse_uring_ent_in_out lies in an entry's headers. */
const ENT_IN_OUT_AT = accessors("fuse_uring_req_header").at.ring_ent_in_out;
/** Polls in a row before giving the core away. */
const POLLS = 8;

/** Options of a {@linkcode UringQueue}. */
export interface UringQueueOptions {
  /** The layout agreed on. */
  readonly protocolVersion: ProtocolVersion;
  /** How long to poll before sleeping; by default adaptively. */
  readonly poll?: PollStrategy;
  /**
   * A queue over /dev/fuse itself, by which INIT, FORGET and INTERRUPT still
   * come. This queue closes it.
   */
  readonly device: RequestQueue;
  /**
   * Whether this queue takes what comes by the device: one queue of a
   * connection has to.
   */
  readonly watchDevice: boolean;
}

/** One entry of the ring. */
interface Entry extends Exchange {
  readonly number: number;
  readonly header: DataView;
}

/**
 * Requests through an io_uring: the kernel fills entries, and one call hands
 * over replies, fetches requests and does file I/O, as fs/fuse/dev_uring.c
 * demands.
 */
export class UringQueue implements RequestQueue {
  /** File I/O on the same ring. */
  readonly files: RingFiles;
  #protocolVersion: ProtocolVersion;
  readonly #ring: FuseRing;
  readonly #device: RequestQueue;
  readonly #watches: boolean;
  readonly #poll: PollStrategy;
  readonly #entries: readonly Entry[];
  readonly #isLively: () => boolean;
  /** Requests handed out and not answered. */
  #given = 0;
  /** Completions taken since the ring was entered last. */
  #batch = 0;
  #started = false;
  #deviceCalls = false;
  #waiting = false;
  #memoryLost = false;
  #end: QueueEnd | null = null;

  /** Makes a queue of a ring, which the queue closes. */
  constructor(ring: FuseRing, options: UringQueueOptions) {
    this.#ring = ring;
    this.#protocolVersion = options.protocolVersion;
    this.#device = options.device;
    this.#watches = options.watchDevice;
    this.#poll = options.poll ?? new PollStrategy();
    this.files = new RingFiles(ring, () => this.#submitIfWaiting());
    this.#entries = ring.entries.map(entryOf);
    this.#isLively = () => ring.lively;
  }

  get end(): QueueEnd | null {
    return this.#end;
  }

  get protocolVersion(): ProtocolVersion {
    return this.#protocolVersion;
  }

  set protocolVersion(protocolVersion: ProtocolVersion) {
    this.#protocolVersion = protocolVersion;
    this.#device.protocolVersion = protocolVersion;
  }

  get carried(): number {
    return this.files.inFlight;
  }

  next(mayBlock: boolean): Exchange | null {
    // A closed ring's memory is gone.
    if (this.#end?.reason === "closed") return null;
    if (!this.#started) this.#start();
    let entered = false;
    for (;;) {
      const exchange = this.#taken() ??
        (this.#deviceCalls ? this.#fromDevice() : null);
      if (exchange !== null) return exchange;
      if (this.#end !== null) return null;
      // What is outstanding besides file I/O is somebody's promise.
      if (mayBlock && this.#given <= this.files.inFlight) this.#wait();
      else if (entered) return null;
      else this.#enter(0);
      entered = true;
    }
  }

  async ready(): Promise<void> {
    if (this.#end === null) {
      if (!this.#started) this.#start();
      this.#enter(0);
    }
    if (this.#end !== null || this.#ring.lively || this.#deviceCalls) return;
    this.#waiting = true;
    await this.#ring.readable();
    this.#waiting = false;
  }

  reply(exchange: Exchange): boolean {
    const entry = exchange as Entry;
    this.#given--;
    if (this.#end !== null) this.#releaseUnused();
    if (entry.number === undefined) return this.#device.reply(exchange);
    if (this.#end !== null) return false;
    const { reply, header } = entry;
    const length = reply.length;
    if (length === 0) OUT_HEADER.set.error(header, 0, 0);
    const body = Math.max(0, length - OUT_HEADER.size);
    ENT_IN_OUT.set.payload_sz(header, ENT_IN_OUT_AT, body);
    this.#ring.commit(entry.number);
    this.#submitIfWaiting();
    return true;
  }

  settleCarried(): void {
    const first = this.#entries.length + 1;
    while (this.files.inFlight > 0) {
      if (!this.#ring.take()) {
        if (this.#ring.enter(1) < 0) return;
      } else if (this.#ring.tag >= first) {
        this.files.completed(this.#ring.tag - first, this.#ring.result);
      }
    }
  }

  close(): void {
    if (this.#end?.reason === "closed") return;
    this.settleCarried();
    if (this.#end === null && this.#ring.dirty) this.#enter(0);
    this.#end = { reason: "closed", message: "The queue was closed" };
    // What the kernel may still write to must stay mapped.
    this.#memoryLost = this.files.inFlight > 0;
    this.#ring.close();
    this.#device.close();
    this.files.abandon();
    this.#releaseUnused();
  }

  #start(): void {
    this.#started = true;
    for (const { number } of this.#entries) this.#ring.register(number);
    if (this.#watches) this.#ring.watch();
  }

  /** The next request among the completions that are there. */
  #taken(): Exchange | null {
    const ring = this.#ring;
    const count = this.#entries.length;
    while (ring.take()) {
      const { tag, result } = ring;
      this.#batch++;
      if (tag > count) this.files.completed(tag - count - 1, result);
      else if (tag === count) this.#deviceCalls = true;
      else if (result === 0) {
        const entry = this.#entries[tag]!;
        if (this.#begin(entry)) return entry;
      } else this.#failed(tag, result);
    }
    return null;
  }

  /** Binds an entry to the request in it; whether it is to be given out. */
  #begin(entry: Entry): boolean {
    const { header, request, reply } = entry;
    const bodySize = this.#protocolVersion.bodySize(
      IN_HEADER.get.opcode(header),
    );
    const least = IN_HEADER.size + bodySize;
    const length = IN_HEADER.get.len(header);
    // The kernel counts only what follows the fixed struct.
    const received = bodySize < 0 || length < least
      ? length
      : least + ENT_IN_OUT.get.payload_sz(header, ENT_IN_OUT_AT);
    this.#given++;
    reply.reset();
    const error = request.validate(received, this.#protocolVersion);
    if (error === null) return true;
    if (error.answerable) {
      reply.error(error.errno);
      this.reply(entry);
    } else {
      this.#given--;
      this.#end ??= { reason: "failed", message: error.message };
    }
    return false;
  }

  #failed(tag: number, result: number): void {
    switch (-result) {
      case ERRNO.EAGAIN:
      case ERRNO.EINTR:
        return this.#ring.repeat(tag);
      case ERRNO.ENOTCONN:
      case ERRNO.ENODEV:
        this.#end ??= { reason: "unmounted", message: "The mount has gone" };
        return;
      case ERRNO.ECONNABORTED:
      case ERRNO.ECANCELED:
        this.#end ??= {
          reason: "aborted",
          message: "The connection was aborted",
        };
        return;
      default:
        this.#broken("offer an entry of the ring", result);
    }
  }

  #fromDevice(): Exchange | null {
    const exchange = this.#device.next(false);
    if (exchange !== null) {
      this.#given++;
      return exchange;
    }
    this.#deviceCalls = false;
    if (this.#device.end !== null) this.#end ??= this.#device.end;
    else this.#ring.watch();
    return null;
  }

  /** Sleeps until something completes, polling before that if it pays. */
  #wait(): void {
    const window = this.#poll.window(this.#batch);
    const alone = this.#batch < 2;
    this.#batch = 0;
    if (window === 0 && !(alone && this.#poll.adapts)) return this.#enter(1);
    if (window > 0) {
      if (this.#ring.dirty) this.#enter(0);
      if (this.#poll.poll(window, POLLS, this.#isLively)) {
        this.#poll.waited(0);
        return this.#enter(0);
      }
    }
    const start = performance.now();
    this.#enter(1);
    this.#poll.waited(window + (performance.now() - start) * US_PER_MS);
  }

  /** Nobody else enters the ring while `ready()` waits. */
  #submitIfWaiting(): void {
    if (this.#waiting) this.#enter(0);
  }

  #enter(least: 0 | 1): void {
    const result = this.#ring.enter(least);
    if (result >= 0 || result === -ERRNO.EAGAIN || result === -ERRNO.EBUSY) {
      return;
    }
    this.#broken("use the io_uring", result);
  }

  #broken(what: string, result: number): void {
    this.#end ??= {
      reason: "failed",
      message: `Cannot ${what}: ${errnoName(-result)}`,
    };
  }

  /** Gives the memory back once the queue is closed and nobody has any. */
  #releaseUnused(): void {
    if (this.#end?.reason !== "closed" || this.#memoryLost) return;
    if (this.#given === 0) this.#ring.release();
  }
}

function entryOf({ headers, payload }: FuseRingEntry, number: number): Entry {
  const exchange = separateExchange(headers, payload);
  return { ...exchange, number, header: exchange.reply.header };
}
