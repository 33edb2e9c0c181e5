import { ProtocolVersion } from "../protocol/protocol_version.ts";
import { ERRNO, errnoName } from "../base/errno.ts";
import { DeviceEvents } from "../event/device_events.ts";
import { contiguousExchange, type Exchange } from "../protocol/exchange.ts";
import { FUSE_MIN_READ_BUFFER } from "../protocol/flags.ts";
import { sizeOf } from "../protocol/layout.ts";
import type { FuseDevice } from "./fuse_device.ts";
import type { QueueEnd, RequestQueue } from "./request_queue.ts";

/** Bytes before a WRITE's data. */
const WRITE_HEAD_SIZE = sizeOf("fuse_in_header") + sizeOf("fuse_write_in");
const OUT_HEADER_SIZE = sizeOf("fuse_out_header");

/**
 * The options of a {@linkcode DeviceQueue}.
 *
 * @category Queues
 */
export interface DeviceQueueOptions {
  /** Largest payload of a READ or WRITE in bytes, as negotiated. */
  readonly maxPayload: number;
  /** Requests that may be outstanding at once; 16 if left out. */
  readonly capacity?: number;
  /** The layout of messages, as negotiated; that of INIT if left out. */
  readonly protocolVersion?: ProtocolVersion;
  /**
   * The event source that the thread sleeps in; by default one that does not
   * poll first.
   */
  readonly events?: DeviceEvents;
  /**
   * Makes a buffer of `size` bytes whose byte `dataAt` begins a page, for
   * direct I/O; not aligned if left out.
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
 * Requests from one /dev/fuse descriptor, fs/fuse/dev.c: read(2) fetches one,
 * and write(2) on the same descriptor answers it.
 *
 * @category Queues
 */
export class DeviceQueue implements RequestQueue {
  protocolVersion: ProtocolVersion;
  readonly #device: FuseDevice;
  readonly #capacity: number;
  readonly #maxPayload: number;
  readonly #events: DeviceEvents;
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
    this.#events = options.events ?? new DeviceEvents(device);
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
    if (slot === null) {
      this.#events.waitForOperation(mayBlock);
      return null;
    }
    for (;;) {
      const received = this.#events.read(slot.incoming, mayBlock);
      if (received < 0) {
        if (this.#isRepeated(-received)) continue;
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
      return this.#events.ready();
    }
    // A full queue cannot take a request before a reply is sent.
    const { promise } = this.#room ??= Promise.withResolvers();
    const operation = this.#events.operationReady();
    return operation === null ? promise : Promise.race([promise, operation]);
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
    this.#events.close();
    this.#endWait();
  }

  #endWait(): void {
    this.#room?.resolve();
    this.#room = null;
  }

  /**
   * Whether to repeat a failed read(2). Notes the end of the queue if the error
   * means that.
   */
  #isRepeated(errno: number): boolean {
    switch (errno) {
      case ERRNO.EAGAIN:
        return false;
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
