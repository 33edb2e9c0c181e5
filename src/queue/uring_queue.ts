import type { ProtocolVersion } from "../protocol/protocol_version.ts";
import { accessors } from "../protocol/accessors.ts";
import { ERRNO, errnoName } from "../base/errno.ts";
import type { RingOwner } from "../event/ring.ts";
import type { RingEvents } from "../event/ring_events.ts";
import { type Exchange, separateExchange } from "../protocol/exchange.ts";
import type { QueueEnd, RequestQueue } from "./request_queue.ts";
import type { RingEntries, RingEntry } from "./ring_entries.ts";

const IN_HEADER = accessors("fuse_in_header");
const OUT_HEADER = accessors("fuse_out_header");
const ENT_IN_OUT = accessors("fuse_uring_ent_in_out");
/** Where the request's fixed struct and fuse_uring_ent_in_out lie in headers. */
const { op_in: OP_IN_AT, ring_ent_in_out: ENT_IN_OUT_AT } =
  accessors("fuse_uring_req_header").at;

/** The options of a {@linkcode UringQueue}. */
export interface UringQueueOptions {
  /** The layout of messages, as negotiated. */
  readonly protocolVersion: ProtocolVersion;
  /**
   * A queue over /dev/fuse, through which INIT, FORGET and INTERRUPT still
   * arrive. The `UringQueue` closes it.
   */
  readonly device: RequestQueue;
  /**
   * Whether this queue takes the requests that arrive through the device; true
   * for exactly one queue of a connection.
   */
  readonly pollsDevice: boolean;
}

/** One entry with the request and reply in it. */
interface UringExchange extends Exchange {
  readonly number: number;
  readonly header: DataView;
}

/**
 * Requests through an io_uring, fs/fuse/dev_uring.c: the kernel fills entries,
 * and one system call commits replies and fetches requests.
 *
 * Only closing the io_uring takes the entries back from the kernel, so closing
 * the queue closes its event source.
 */
export class UringQueue implements RequestQueue, RingOwner {
  #protocolVersion: ProtocolVersion;
  readonly #events: RingEvents;
  readonly #entries: RingEntries;
  readonly #device: RequestQueue;
  readonly #pollsDevice: boolean;
  readonly #exchanges: readonly UringExchange[];
  /** Numbers of filled entries: `#filledCount` from `#filledAt` on, cyclic. */
  readonly #filled: Int32Array;
  #filledAt = 0;
  #filledCount = 0;
  /** Requests that `next()` returned and that have no reply yet. */
  #outstanding = 0;
  #started = false;
  #deviceIsReadable = false;
  /** Whether the kernel may still write to the entries of a closed ring. */
  #memoryInUse = false;
  #ended: QueueEnd | null = null;

  /** Registers entries on an event source. */
  constructor(
    events: RingEvents,
    entries: RingEntries,
    options: UringQueueOptions,
  ) {
    this.#events = events;
    this.#entries = entries;
    this.#protocolVersion = options.protocolVersion;
    this.#device = options.device;
    this.#pollsDevice = options.pollsDevice;
    this.#exchanges = entries.entries.map(exchangeOf);
    const count = this.#exchanges.length;
    this.#filled = new Int32Array(count);
    events.register(this, entries.first, count + 1);
  }

  get end(): QueueEnd | null {
    return this.#ended;
  }

  get protocolVersion(): ProtocolVersion {
    return this.#protocolVersion;
  }

  set protocolVersion(protocolVersion: ProtocolVersion) {
    this.#protocolVersion = protocolVersion;
    this.#device.protocolVersion = protocolVersion;
  }

  next(mayBlock: boolean): Exchange | null {
    // The memory of a closed ring is unmapped.
    if (this.#ended?.reason === "closed") return null;
    if (!this.#started) this.#start();
    let submitted = false;
    for (;;) {
      const exchange = this.#takeFilled() ?? this.#takeFromDevice();
      if (exchange !== null) return exchange;
      if (this.#ended !== null) return null;
      // The caller settles completed operations, then comes back.
      if (this.#events.hasCompleted) return null;
      if (submitted && !mayBlock) return null;
      submitted = this.#events.wait(mayBlock);
    }
  }

  async ready(): Promise<void> {
    if (this.#ended === null && !this.#started) this.#start();
    if (this.#ended !== null || this.#deviceIsReadable) return;
    if (this.#filledCount > 0 || this.#events.hasCompleted) return;
    await this.#events.ready();
  }

  reply(exchange: Exchange): boolean {
    const { number, header, reply } = exchange as UringExchange;
    this.#outstanding--;
    if (this.#ended !== null) this.#releaseUnused();
    if (number === undefined) return this.#device.reply(exchange);
    if (this.#ended !== null) return false;
    const length = reply.length;
    if (length <= 0) OUT_HEADER.set.error(header, 0, 0);
    const body = Math.max(0, length - OUT_HEADER.size);
    ENT_IN_OUT.set.payload_sz(header, ENT_IN_OUT_AT, body);
    this.#entries.commit(number);
    this.#events.pushed();
    return true;
  }

  close(): void {
    this.#events.close();
  }

  completed(slot: number, result: number): void {
    if (slot === this.#exchanges.length) {
      this.#deviceIsReadable = true;
    } else if (result === 0) {
      const at = this.#filledAt + this.#filledCount++;
      this.#filled[at % this.#filled.length] = slot;
    } else {
      this.#failed(slot, result);
    }
  }

  ringFailed(errno: number): void {
    this.#fail("use the io_uring", errno);
  }

  ringClosed(quiet: boolean): void {
    this.#ended = { reason: "closed", message: "The queue was closed" };
    this.#memoryInUse = !quiet;
    this.#device.close();
    this.#releaseUnused();
  }

  #start(): void {
    this.#started = true;
    for (const { number } of this.#exchanges) this.#entries.register(number);
    if (this.#pollsDevice) this.#entries.pollDevice();
  }

  /** The next request in a filled entry. */
  #takeFilled(): Exchange | null {
    while (this.#filledCount > 0) {
      const exchange = this.#exchanges[this.#filled[this.#filledAt]!]!;
      this.#filledAt = (this.#filledAt + 1) % this.#filled.length;
      this.#filledCount--;
      if (this.#begin(exchange)) return exchange;
    }
    return null;
  }

  /** Binds an exchange to the request in its entry; whether it is valid. */
  #begin(exchange: UringExchange): boolean {
    const { header, request, reply } = exchange;
    const bodySize = this.#protocolVersion.bodySize(
      IN_HEADER.get.opcode(header),
    );
    const least = IN_HEADER.size + bodySize;
    const length = IN_HEADER.get.len(header);
    const received = bodySize < 0 || length < least
      ? length
      : least + payloadSize(exchange, bodySize);
    this.#outstanding++;
    reply.reset();
    const error = request.validate(received, this.#protocolVersion);
    if (error === null) return true;
    if (error.answerable) {
      reply.error(error.errno);
      this.reply(exchange);
    } else {
      this.#outstanding--;
      this.#ended ??= { reason: "failed", message: error.message };
    }
    return false;
  }

  #failed(entry: number, result: number): void {
    switch (-result) {
      case ERRNO.EAGAIN:
      case ERRNO.EINTR:
        this.#entries.repeat(entry);
        return this.#events.pushed();
      case ERRNO.ENOTCONN:
      case ERRNO.ENODEV:
        this.#ended ??= { reason: "unmounted", message: "The mount has gone" };
        return;
      case ERRNO.ECONNABORTED:
      case ERRNO.ECANCELED:
        this.#ended ??= {
          reason: "aborted",
          message: "The connection was aborted",
        };
        return;
      default:
        this.#fail("offer an entry of the ring", -result);
    }
  }

  /** The next request from /dev/fuse. */
  #takeFromDevice(): Exchange | null {
    if (!this.#deviceIsReadable) return null;
    const exchange = this.#device.next(false);
    if (exchange !== null) {
      this.#outstanding++;
      return exchange;
    }
    this.#deviceIsReadable = false;
    if (this.#device.end !== null) this.#ended ??= this.#device.end;
    else this.#entries.pollDevice();
    return null;
  }

  #fail(what: string, errno: number): void {
    this.#ended ??= {
      reason: "failed",
      message: `Cannot ${what}: ${errnoName(errno)}`,
    };
  }

  /**
   * Unmaps the entries once the ring is closed and no request is outstanding.
   */
  #releaseUnused(): void {
    if (this.#ended?.reason !== "closed" || this.#memoryInUse) return;
    if (this.#outstanding === 0) this.#entries.release();
  }
}

function exchangeOf(
  { headers, payload }: RingEntry,
  number: number,
): UringExchange {
  const exchange = separateExchange(headers, payload);
  return { ...exchange, number, header: exchange.reply.header };
}

/**
 * Bytes that follow the fixed struct, which alone the kernel counts.
 *
 * In a NOTIFY_REPLY it leaves the place of the struct as it is and puts the
 * struct in front of the payload (fuse_retrieve() in fs/fuse/dev.c of Linux
 * 6.18). Both are then moved to where they are in all other requests.
 */
function payloadSize(
  { header, reply }: UringExchange,
  bodySize: number,
): number {
  const size = ENT_IN_OUT.get.payload_sz(header, ENT_IN_OUT_AT);
  const isInPayload = bodySize > 0 &&
    size === IN_HEADER.get.len(header) - IN_HEADER.size;
  if (!isInPayload) return size;
  const payload = reply.data;
  const at = header.byteOffset + OP_IN_AT;
  new Uint8Array(header.buffer, at, bodySize)
    .set(payload.subarray(0, bodySize));
  payload.copyWithin(0, bodySize, size);
  return size - bodySize;
}
