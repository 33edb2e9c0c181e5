import { ProtocolVersion } from "../protocol/protocol_version.ts";
import { ERRNO } from "../base/errno.ts";
import { DeviceEvents } from "../event/device_events.ts";
import type { MessagePipe } from "../event/message_pipe.ts";
import type { Exchange } from "../protocol/exchange.ts";
import type { FuseDevice } from "./fuse_device.ts";
import { type AllocateMessages, heapMemory } from "./message_memory.ts";
import { OutstandingRequests } from "./outstanding_requests.ts";
import { endOfError, ReadErrors } from "./read_errors.ts";
import { isLost, refusedReply } from "./refused_reply.ts";
import { type BatchOptions, RequestBatch } from "./request_batch.ts";
import type { QueueEnd, RequestQueue } from "./request_queue.ts";
import type { SharedRoom } from "./shared_room.ts";
import type { Slot } from "./slot.ts";
import { SlotPool } from "./slot_pool.ts";

/** Bytes of memory of a queue by default. */
const MEMORY_MAX = 64 * 2 ** 20;
/** Milliseconds between two checks whether the other queues have room. */
const CHECK_ROOM_MS = 20;

/**
 * The options of a {@linkcode DeviceQueue}.
 *
 * @category Queues
 */
export interface DeviceQueueOptions {
  /** Largest payload of a READ or WRITE in bytes, as negotiated. */
  readonly maxPayload: number;
  /**
   * Bytes of memory that outstanding requests and their replies may take, at
   * least `queueMemoryMin(maxPayload)`; 64 MiB if left out.
   */
  readonly memoryMax?: number;
  /**
   * Provides that memory, also when more is needed; memory that is not aligned
   * if left out.
   */
  readonly allocate?: AllocateMessages;
  /** The layout of messages, as negotiated; that of INIT if left out. */
  readonly protocolVersion?: ProtocolVersion;
  /**
   * The event source that the thread sleeps in; by default one that does not
   * poll first.
   */
  readonly events?: DeviceEvents;
  /**
   * The other queues, which take requests while this one has no room; none if
   * left out.
   */
  readonly shared?: SharedRoom;
  /**
   * The pipe in which the handler leaves the data of replies that say
   * `isInPipe`; none do if left out.
   */
  readonly pipe?: MessagePipe | undefined;
}

/**
 * Requests from one /dev/fuse descriptor, fs/fuse/dev.c: read(2) fetches one,
 * and write(2) on the same descriptor answers it.
 *
 * Room for outstanding requests grows up to a bound. When it is used up,
 * requests are still read: INTERRUPT, FORGET and RELEASE are returned, others
 * wait inside of the queue until a reply makes room. Only a long WRITE, which
 * waits where it was read, keeps the queue from reading.
 *
 * @category Queues
 */
export class DeviceQueue implements RequestQueue {
  protocolVersion: ProtocolVersion;
  readonly #device: FuseDevice;
  readonly #events: DeviceEvents;
  readonly #shared: SharedRoom | null;
  readonly #pipe: MessagePipe | null;
  readonly #slots: SlotPool;
  readonly #requests: OutstandingRequests;
  #batch: RequestBatch | null = null;
  #batchDevice: FuseDevice | null = null;
  /** Whether the other queues were told that there is no room. */
  #toldFull = false;
  /** Resolves when a reply makes room in a full queue; made when needed. */
  #room: PromiseWithResolvers<void> | null = null;
  readonly #errors: ReadErrors = new ReadErrors();
  #end: QueueEnd | null = null;

  /** Makes a queue of a descriptor; the queue closes it. */
  constructor(device: FuseDevice, options: DeviceQueueOptions) {
    this.#device = device;
    this.#events = options.events ?? new DeviceEvents(device);
    this.#shared = options.shared ?? null;
    this.#pipe = options.pipe ?? null;
    this.#slots = new SlotPool({
      maxPayload: options.maxPayload,
      memoryMax: options.memoryMax ?? MEMORY_MAX,
      allocate: options.allocate ?? heapMemory,
    });
    this.#requests = new OutstandingRequests(this.#slots);
    this.protocolVersion = options.protocolVersion ??
      ProtocolVersion.BEFORE_INIT;
  }

  get end(): QueueEnd | null {
    return this.#end;
  }

  /**
   * Allocates memory before the first request.
   *
   * @param largeSlots Requests of the largest size that it must have room for.
   */
  prepare(largeSlots: number): void {
    this.#slots.prepare(largeSlots);
  }

  /**
   * Reads requests in batches from now on, while they come fast enough, if the
   * kernel allows it.
   *
   * @returns Whether it does.
   *
   * @internal
   */
  startBatches(options: BatchOptions): boolean {
    this.#batch = new RequestBatch(options, this.#slots);
    this.#batchDevice = options.device;
    return this.#batch.probe();
  }

  /**
   * Whether requests wait that this queue has read, or replies that it has not
   * sent: what blocks the thread would block them.
   */
  get isBusy(): boolean {
    return this.#batch !== null && this.#batch.isBusy;
  }

  next(mayBlock: boolean): Exchange | null {
    if (this.#end !== null) return null;
    const requests = this.#requests;
    if (this.#batch !== null) this.#reclaim(this.#batch);
    if (requests.haveWaiting) {
      const slot = requests.admit(this.protocolVersion);
      if (slot !== null) {
        this.#tellRoom();
        return slot;
      }
    }
    for (;;) {
      const slot = this.#take(mayBlock);
      if (slot === null) return null;
      if (requests.count === 0) return requests.add(slot);
      const placed = requests.place(slot, this.protocolVersion);
      this.#tellRoom();
      if (placed !== null) return placed;
    }
  }

  async ready(): Promise<void> {
    if (this.#end !== null || this.#batch?.hasRead) return;
    this.#batch?.flush();
    if (this.#leavesRequests) {
      const timer = setTimeout(() => this.#endWait(), CHECK_ROOM_MS);
      await this.#roomOrOperation();
      return clearTimeout(timer);
    }
    // A queue without a slot to read into cannot read before a reply is sent.
    if (!this.#slots.reserveLarge()) return await this.#roomOrOperation();
    if (!this.#requests.haveWaiting) return await this.#events.ready();
    await Promise.race([this.#events.ready(), this.#nextRoom()]);
  }

  reply(exchange: Exchange): boolean {
    const slot = exchange as Slot;
    const { length, isInPipe } = slot.reply;
    // The pipe is needed for the next reply.
    const isSentLater = slot.batched && length > 0 && !isInPipe &&
      this.#end === null;
    if (isSentLater) {
      this.#requests.removeLater();
      this.#batch!.reply(slot);
    } else {
      this.#requests.remove(slot);
    }
    if (this.#room !== null) this.#endWait();
    if (this.#toldFull) this.#tellRoom();
    if (isSentLater) return true;
    if (length <= 0) {
      if (this.#end?.reason === "closed") this.#releaseUnused();
      return true;
    }
    return this.#write(slot, length);
  }

  close(): void {
    if (this.#end?.reason === "closed") return;
    this.#end = { reason: "closed", message: "The queue was closed" };
    this.#device.close();
    // Sends what waits, so the descriptor of batches is closed afterwards.
    this.#events.close();
    this.#batchDevice?.close();
    this.#tellRoom();
    this.#releaseUnused();
    this.#endWait();
  }

  /** Whether requests are left to other queues, because they have room. */
  get #leavesRequests(): boolean {
    return this.#toldFull && this.#shared!.othersHaveRoom();
  }

  /** The next valid request; `null` if there is none. */
  #take(mayBlock: boolean): Slot | null {
    for (;;) {
      const slot = this.#batch?.take() ?? this.#fetch(mayBlock);
      if (slot === null) return null;
      slot.reply.reset();
      const error = slot.request.validate(slot.received, this.protocolVersion);
      if (error === null) return slot;
      if (!error.answerable) {
        this.#end = { reason: "failed", message: error.message };
        this.#slots.free(slot);
        return null;
      }
      slot.reply.error(error.errno);
      if (slot.batched) {
        this.#batch!.reply(slot);
      } else {
        this.#device.write(slot.outgoing, slot.reply.length);
        this.#slots.free(slot);
      }
    }
  }

  /** Sends a reply from the pipe at once, as write(2) would. */
  #sendPipe(device: FuseDevice, { outgoing }: Slot, length: number): number {
    const pipe = this.#pipe!;
    const sent = pipe.send(device.fd);
    if (sent === length || isLost(-sent)) return sent;
    //= fs/fuse/dev.c fuse_dev_splice_write(): it takes the whole message out of
    //= the pipe or, as without memory, nothing.
    const left = pipe.drain(outgoing);
    return left === length ? device.write(outgoing, length) : sent;
  }

  /** Reads requests, and takes the first of them. */
  #fetch(mayBlock: boolean): Slot | null {
    const events = this.#events;
    const batch = this.#batch;
    while (this.#hasMemory()) {
      const isBeside = !mayBlock || events.isBusy;
      const isSingle = mayBlock && !isBeside && !batch?.isActive;
      if (batch === null || !batch.isUsable || isSingle) {
        batch?.flush();
        return this.#readSingly(mayBlock);
      }
      if (isBeside && events.isPolling && !events.waitBeside(mayBlock)) {
        return null;
      }
      const isBatch = batch.isActive ||
        (events.isBusy && !events.hasError);
      if (isBatch ? batch.fetch() : batch.readOne()) return batch.take();
      const errno = batch.takeErrno();
      if (errno !== 0) {
        if (this.#isRepeated(errno)) continue;
        return null;
      }
      if (events.hasCompleted) return null;
      if (events.isBusy) {
        if (!events.waitBeside(mayBlock)) return null;
      } else if (!isBatch) {
        return null;
      }
    }
    events.waitForOperation(mayBlock);
    return null;
  }

  /** Whether a request may be read now: there is memory, and it is our turn. */
  #hasMemory(): boolean {
    if (this.#slots.reserveLarge() && !this.#leavesRequests) return true;
    if (this.#batch === null) return false;
    this.#batch.flush();
    this.#tellRoom();
    return this.#slots.reserveLarge() && !this.#leavesRequests;
  }

  #readSingly(mayBlock: boolean): Slot | null {
    const slot = this.#slots.takeLarge();
    if (slot === null) return null;
    for (;;) {
      const received = this.#events.read(slot.incoming, mayBlock);
      if (received >= 0) {
        slot.received = received;
        slot.batched = false;
        this.#batch?.noteSingle(this.#events.cameAtOnce);
        return slot;
      }
      if (this.#isRepeated(-received)) continue;
      this.#slots.free(slot);
      return null;
    }
  }

  /** Takes back the memory of replies that were sent, or that others need. */
  #reclaim(batch: RequestBatch): void {
    if (this.#requests.haveWaiting) batch.flush();
    else batch.reclaim();
    if (this.#toldFull) this.#tellRoom();
  }

  /** Sends a reply at once, on the descriptor that its request came from. */
  #write(slot: Slot, length: number): boolean {
    if (this.#end?.reason === "closed") {
      this.#releaseUnused();
      return false;
    }
    const device = slot.batched ? this.#batchDevice! : this.#device;
    const written = slot.reply.isInPipe
      ? this.#sendPipe(device, slot, length)
      : device.write(slot.outgoing, length);
    if (written === length) return true;
    if (isLost(-written)) return false;
    const { request, reply, outgoing } = slot;
    const { opcode, unique } = request;
    const refused = { opcode, unique, length, errno: reply.errno };
    const error = refusedReply(refused, -written);
    reply.reset();
    reply.error(ERRNO.EIO);
    device.write(outgoing, reply.length);
    throw error;
  }

  #tellRoom(): void {
    if (this.#shared === null) return;
    const isFull = this.#end !== null || !this.#requests.haveRoom;
    if (isFull === this.#toldFull) return;
    this.#toldFull = isFull;
    this.#shared.tell(!isFull);
  }

  /** Resolves when a reply is sent, or the queue is closed. */
  #nextRoom(): Promise<void> {
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  /** The same, or when an operation has completed, which may cause a reply. */
  async #roomOrOperation(): Promise<void> {
    const room = this.#nextRoom();
    const operation = this.#events.operationReady();
    await (operation === null ? room : Promise.race([room, operation]));
  }

  /** Gives the memory back once the queue is closed and nothing uses it. */
  #releaseUnused(): void {
    if (this.#requests.count > 0 || this.#events.hasLostOperations) return;
    this.#requests.release();
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
    if (this.#errors.isRepeated(errno)) return true;
    this.#end ??= endOfError(errno);
    return false;
  }
}
