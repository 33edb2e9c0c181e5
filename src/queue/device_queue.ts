import { ProtocolVersion } from "../protocol/protocol_version.ts";
import { US_PER_MS } from "../base/timespec.ts";
import { ERRNO, errnoName } from "../base/errno.ts";
import { contiguousExchange, type Exchange } from "../protocol/exchange.ts";
import { FUSE_MIN_READ_BUFFER } from "../protocol/flags.ts";
import { sizeOf } from "../protocol/layout.ts";
import type { FuseDevice } from "./fuse_device.ts";
import { PollStrategy } from "./poll_strategy.ts";
import type { QueueEnd, RequestQueue } from "./request_queue.ts";

/** Bytes in front of a WRITE's data. */
const WRITE_HEAD_SIZE = sizeOf("fuse_in_header") + sizeOf("fuse_write_in");
const OUT_HEADER_SIZE = sizeOf("fuse_out_header");

/** Polls in a row before giving the core away. */
const POLLS = 4;

/** Options of a {@linkcode DeviceQueue}. */
export interface DeviceQueueOptions {
  /** Largest payload of a READ or WRITE in bytes, as negotiated. */
  readonly maxPayload: number;
  /** Requests that may be outstanding at once; 16 if left out. */
  readonly capacity?: number;
  /** The layout agreed on; that of INIT if left out. */
  readonly protocolVersion?: ProtocolVersion;
  /** How long to poll before sleeping; not at all if left out. */
  readonly poll?: PollStrategy;
  /**
   * How long `next(true)` sleeps at most, in milliseconds, where the end of the
   * session may fail to wake whoever sleeps; without limit if left out. All
   * queues that sleep so are woken for each request.
   */
  readonly longestSleepMs?: number | undefined;
  /**
   * Makes a buffer of `size` bytes whose byte `dataAt` begins a page, as direct
   * I/O needs it; any buffer will do otherwise.
   */
  readonly allocate?: (
    size: number,
    dataAt: number,
  ) => Uint8Array<ArrayBuffer>;
}

interface Slot extends Exchange {
  readonly incoming: Uint8Array<ArrayBuffer>;
  readonly outgoing: Uint8Array<ArrayBuffer>;
}

/**
 * Requests from one /dev/fuse descriptor: read(2) fetches one, write(2) on the
 * same descriptor answers it, as fs/fuse/dev.c demands.
 */
export class DeviceQueue implements RequestQueue {
  protocolVersion: ProtocolVersion;
  readonly #device: FuseDevice;
  readonly #capacity: number;
  readonly #maxPayload: number;
  readonly #poll: PollStrategy;
  readonly #isPending: () => boolean;
  readonly #longestSleepMs: number | undefined;
  readonly #allocate: NonNullable<DeviceQueueOptions["allocate"]>;
  readonly #free: Slot[] = [];
  #slots = 0;
  /** Resolves when a reply makes room in a full queue; made when needed. */
  #room: PromiseWithResolvers<void> | null = null;
  #end: QueueEnd | null = null;

  /** Makes a queue of a descriptor; the queue closes it. */
  constructor(device: FuseDevice, options: DeviceQueueOptions) {
    this.#device = device;
    this.#capacity = options.capacity ?? 16;
    this.#maxPayload = options.maxPayload;
    this.#poll = options.poll ?? new PollStrategy(0);
    this.#isPending = () => device.poll();
    this.#longestSleepMs = options.longestSleepMs;
    this.#allocate = options.allocate ?? ((size) => new Uint8Array(size));
    this.protocolVersion = options.protocolVersion ??
      ProtocolVersion.BEFORE_INIT;
  }

  get end(): QueueEnd | null {
    return this.#end;
  }

  next(mayBlock: boolean): Exchange | null {
    if (this.#end !== null) return null;
    const slot = this.#free.pop() ?? this.#newSlot();
    if (slot === null) return null;
    const sleeps = mayBlock && this.#longestSleepMs === undefined;
    this.#device.setBlocking(sleeps);
    if (mayBlock && !sleeps) this.#device.poll(this.#longestSleepMs);
    for (;;) {
      const received = sleeps
        ? this.#readWaiting(slot)
        : this.#device.read(slot.incoming);
      if (received < 0) {
        if (this.#goesOn(-received, sleeps)) continue;
        break;
      }
      slot.reply.reset();
      const error = slot.request.validate(received, this.protocolVersion);
      if (error === null) return slot;
      if (!error.answerable) {
        this.#end = { reason: "failed", message: error.message };
        break;
      }
      slot.reply.error(error.errno);
      this.#device.write(slot.outgoing, slot.reply.length);
    }
    this.#free.push(slot);
    return null;
  }

  ready(): Promise<void> {
    if (this.#end !== null) return Promise.resolve();
    if (this.#free.length > 0 || this.#slots < this.#capacity) {
      return this.#device.readable();
    }
    // Readable or not: no request can be taken before a reply is sent.
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  reply(exchange: Exchange): boolean {
    const slot = exchange as Slot;
    const length = slot.reply.length;
    this.#free.push(slot);
    if (this.#room !== null) this.#endWait();
    if (length === 0) return true;
    if (this.#end?.reason === "closed") return false;
    return this.#device.write(slot.outgoing, length) === length;
  }

  close(): void {
    if (this.#end?.reason === "closed") return;
    this.#end = { reason: "closed", message: "The queue was closed" };
    this.#device.close();
    this.#endWait();
  }

  #endWait(): void {
    this.#room?.resolve();
    this.#room = null;
  }

  /** read(2) that sleeps, polling before that if it pays. */
  #readWaiting(slot: Slot): number {
    const device = this.#device;
    const window = this.#poll.window(1);
    if (window === 0 && !this.#poll.adapts) return device.read(slot.incoming);
    if (window > 0 && this.#poll.poll(window, POLLS, this.#isPending)) {
      this.#poll.waited(0);
      return device.read(slot.incoming);
    }
    const start = performance.now();
    // Another reader may have been faster; sleeping here, no herd forms.
    const received = device.read(slot.incoming);
    this.#poll.waited(window + (performance.now() - start) * US_PER_MS);
    return received;
  }

  /** Whether a failed read(2) is to be repeated; notes the end if it is one. */
  #goesOn(errno: number, sleeps: boolean): boolean {
    switch (errno) {
      case ERRNO.EAGAIN:
        // A descriptor that blocks has no reason to say so; ask again.
        return sleeps;
      case ERRNO.ENOENT:
      case ERRNO.EINTR:
        // The request was withdrawn while it was being copied.
        return true;
      case ERRNO.ENODEV:
        this.#end = { reason: "unmounted", message: "The mount has gone" };
        return false;
      case ERRNO.ECONNABORTED:
        this.#end = {
          reason: "aborted",
          message: "The connection was aborted",
        };
        return false;
      default:
        this.#end = {
          reason: "failed",
          message: `Cannot read /dev/fuse: ${errnoName(errno)}`,
        };
        return false;
    }
  }

  #newSlot(): Slot | null {
    if (this.#slots === this.#capacity) return null;
    this.#slots++;
    //= fs/fuse/dev.c fuse_dev_do_read(): a buffer holds at least
    //= FUSE_MIN_READ_BUFFER bytes
    //= and the head of a WRITE with max_write bytes of data.
    const incoming = this.#allocate(
      Math.max(FUSE_MIN_READ_BUFFER, WRITE_HEAD_SIZE + this.#maxPayload),
      WRITE_HEAD_SIZE,
    );
    const outgoing = this.#allocate(
      Math.max(FUSE_MIN_READ_BUFFER, OUT_HEADER_SIZE + this.#maxPayload),
      OUT_HEADER_SIZE,
    );
    return { incoming, outgoing, ...contiguousExchange(incoming, outgoing) };
  }
}
