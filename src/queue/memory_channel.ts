/**
 * The memory between a {@linkcode MemoryQueue} and a simulated kernel. The
 * server offers entries, the kernel fills them with requests, and the server
 * fills them with replies.
 *
 * It is one SharedArrayBuffer, so the two sides can be in one thread or in two.
 * Entry numbers pass through FIFOs, each with one writer and one reader.
 *
 * @module
 */
import { futexWake } from "../shared_memory/futex.ts";
import {
  contiguousExchange,
  type Exchange,
  separateExchange,
} from "../protocol/exchange.ts";
import { FUSE_MIN_READ_BUFFER } from "../protocol/flags.ts";
import { sizeOf } from "../protocol/layout.ts";

/**
 * How the bytes of an entry are laid out.
 *
 * @category Queues
 */
export type MemoryLayout =
  /** One buffer for the request and one for the reply, as with read(2). */
  | "contiguous"
  /**
   * One buffer for headers and one for the payload, shared by request and
   * reply, as in an entry of FUSE over io_uring.
   */
  | "separate";

/**
 * The options of {@linkcode MemoryChannel.create}; plain data.
 *
 * @category Queues
 */
export interface MemoryChannelOptions {
  /** The queue's number among those of its connection. */
  readonly index: number;
  /** How many entries there are: requests that may be outstanding at once. */
  readonly capacity: number;
  /** Largest payload of a READ or WRITE in bytes. */
  readonly maxPayload: number;
  /** The layout of entries; contiguous if left out. */
  readonly layout?: MemoryLayout;
  /**
   * The word that the server changes when it offers an entry or replies. The
   * channels of a kernel share it; a new one if left out.
   */
  readonly kernelDoorbell?: Int32Array<SharedArrayBuffer>;
}

/**
 * What another thread needs to make its side of a channel; plain data.
 *
 * @category Queues
 */
export interface MemoryChannelHandle {
  /** The options that the channel was made with. */
  readonly options: Required<MemoryChannelOptions>;
  /** Its memory. */
  readonly memory: SharedArrayBuffer;
}

// The counts of three FIFOs, and two words more.
const OFFERED = 0;
const FILLED = 1;
const REPLIED = 2;
const FIFOS = 3;
const WORD_END = FIFOS;
const WORD_SERVER_DOORBELL = FIFOS + 1;
const WORDS = FIFOS + 2;

const HEADERS_SIZE = sizeOf("fuse_uring_req_header");
const HEAD_MAX = 256;
const PAYLOAD_MIN = FUSE_MIN_READ_BUFFER;

/** A FIFO of entry numbers: one thread pushes, one shifts. */
export class EntryFifo {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #count: number;
  readonly #slots: Int32Array<SharedArrayBuffer>;
  #taken = 0;

  /**
   * Wraps the memory of a FIFO.
   *
   * @param words The words of the channel.
   * @param count Which of them counts the entries that were pushed.
   * @param slots Room for as many entries as there can be.
   */
  constructor(
    words: Int32Array<SharedArrayBuffer>,
    count: number,
    slots: Int32Array<SharedArrayBuffer>,
  ) {
    this.#words = words;
    this.#count = count;
    this.#slots = slots;
  }

  /** Entries that were pushed, and that this thread has not shifted. */
  get length(): number {
    return Atomics.load(this.#words, this.#count) - this.#taken | 0;
  }

  /** Appends an entry. */
  push(entry: number): void {
    const at = Atomics.load(this.#words, this.#count);
    this.#slots[(at >>> 0) % this.#slots.length] = entry;
    Atomics.store(this.#words, this.#count, at + 1 | 0);
  }

  /** Takes the oldest entry; -1 if there is none. */
  shift(): number {
    if (this.length === 0) return -1;
    const entry = this.#slots[(this.#taken >>> 0) % this.#slots.length]!;
    this.#taken = this.#taken + 1 | 0;
    return entry;
  }
}

/**
 * One entry, as views of this thread.
 *
 * @category Queues
 */
export interface MemoryEntry extends Exchange {
  /** Its number. */
  readonly number: number;
  /** The lengths of its request and its reply, in bytes. */
  readonly lengths: Int32Array<SharedArrayBuffer>;
  /** The request if the layout is contiguous, else the headers. */
  readonly incoming: Uint8Array<SharedArrayBuffer>;
  /** The reply if the layout is contiguous, else the payload. */
  readonly outgoing: Uint8Array<SharedArrayBuffer>;
}

/**
 * The shared memory of one queue.
 *
 * @category Queues
 */
export class MemoryChannel {
  /** The options that it was made with. */
  readonly options: Required<MemoryChannelOptions>;
  /** All of its memory but the kernel's doorbell. */
  readonly memory: SharedArrayBuffer;
  /** Entries that the server offers for a request. */
  readonly offered: EntryFifo;
  /** Entries that hold a request. */
  readonly filled: EntryFifo;
  /** Entries that hold a reply. */
  readonly replied: EntryFifo;
  /** The word that the kernel changes to wake the server. */
  readonly serverDoorbell: Int32Array<SharedArrayBuffer>;
  /** The word that the server changes to wake the kernel. */
  readonly kernelDoorbell: Int32Array<SharedArrayBuffer>;
  /** The entries, by number. */
  readonly entries: readonly MemoryEntry[];
  readonly #words: Int32Array<SharedArrayBuffer>;

  /** Wraps the memory of a channel; {@linkcode MemoryChannel.create} makes it. */
  constructor({ options, memory }: MemoryChannelHandle) {
    this.options = options;
    this.memory = memory;
    const slots = fifoSlots(options);
    const words = new Int32Array(memory, 0, WORDS);
    const fifo = (n: number) =>
      new EntryFifo(
        words,
        n,
        new Int32Array(memory, 4 * (WORDS + n * slots), slots),
      );
    this.#words = words;
    this.offered = fifo(OFFERED);
    this.filled = fifo(FILLED);
    this.replied = fifo(REPLIED);
    this.serverDoorbell = new Int32Array(memory, 4 * WORD_SERVER_DOORBELL, 1);
    this.kernelDoorbell = options.kernelDoorbell;
    this.entries = Array.from(
      { length: options.capacity },
      (_, number) => entryOf(memory, options, number),
    );
  }

  /** Makes a channel. */
  static create(options: MemoryChannelOptions): MemoryChannel {
    const complete: Required<MemoryChannelOptions> = {
      ...options,
      layout: options.layout ?? "contiguous",
      kernelDoorbell: options.kernelDoorbell ??
        new Int32Array(new SharedArrayBuffer(4)),
    };
    const size = entriesStart(complete) +
      complete.capacity * entrySize(complete);
    const memory = new SharedArrayBuffer(size);
    return new MemoryChannel({ options: complete, memory });
  }

  /** What another thread needs to make its side of the channel. */
  get handle(): MemoryChannelHandle {
    return { options: this.options, memory: this.memory };
  }

  /** The code with which the channel ended; 0 while it is open. */
  get ended(): number {
    return Atomics.load(this.#words, WORD_END);
  }

  /** Ends the channel for both sides; of several calls, the first one counts. */
  end(code: number): void {
    Atomics.compareExchange(this.#words, WORD_END, 0, code);
    futexWake(this.serverDoorbell, 0);
    futexWake(this.kernelDoorbell, 0);
  }
}

function entriesStart(options: Required<MemoryChannelOptions>): number {
  return 64 * Math.ceil(4 * (WORDS + FIFOS * fifoSlots(options)) / 64);
}

/** A power of two, so that counts can wrap around at 2^32. */
function fifoSlots({ capacity }: Required<MemoryChannelOptions>): number {
  return 2 ** Math.ceil(Math.log2(capacity));
}

function payloadSize({ maxPayload }: Required<MemoryChannelOptions>): number {
  return Math.max(PAYLOAD_MIN, maxPayload);
}

/** Bytes of an entry: two lengths, then the request and the reply. */
function entrySize(options: Required<MemoryChannelOptions>): number {
  const half = HEAD_MAX + payloadSize(options);
  const size = options.layout === "contiguous"
    ? 2 * half
    : HEADERS_SIZE + payloadSize(options);
  return 64 + 64 * Math.ceil(size / 64);
}

function entryOf(
  memory: SharedArrayBuffer,
  options: Required<MemoryChannelOptions>,
  number: number,
): MemoryEntry {
  const start = entriesStart(options) + number * entrySize(options);
  const lengths = new Int32Array(memory, start, 2);
  const bytes = (at: number, size: number) =>
    new Uint8Array(memory, start + 64 + at, size);
  const half = HEAD_MAX + payloadSize(options);
  const contiguous = options.layout === "contiguous";
  const incoming = bytes(0, contiguous ? half : HEADERS_SIZE);
  const outgoing = contiguous
    ? bytes(half, half)
    : bytes(HEADERS_SIZE, payloadSize(options));
  const exchange = contiguous
    ? contiguousExchange(incoming, outgoing)
    : separateExchange(incoming, outgoing);
  return { number, lengths, incoming, outgoing, ...exchange };
}
