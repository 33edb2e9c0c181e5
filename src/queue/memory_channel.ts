/**
 * The memory between a {@linkcode MemoryQueue} and the simulated kernel that
 * feeds it: entries that the server offers, the kernel fills with a request,
 * and the server fills with the reply.
 *
 * All of it is one SharedArrayBuffer, so that the two sides may be one thread
 * or two. Each ring has one writer and one reader.
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
 * How the bytes of an entry lie.
 *
 * @category Queues
 */
export type MemoryLayout =
  /** One buffer for the request, one for the reply, as with read(2). */
  | "contiguous"
  /** Headers and payload apart and shared by both, as in an io_uring entry. */
  | "separate";

/**
 * What describes a channel; plain data for another thread.
 *
 * @category Queues
 */
export interface MemoryChannelOptions {
  /** The queue's number among those of its connection. */
  readonly index: number;
  /** Entries: requests that may be outstanding at once. */
  readonly capacity: number;
  /** Largest payload of a READ or WRITE in bytes. */
  readonly maxPayload: number;
  /** How the bytes of an entry lie; contiguous if left out. */
  readonly layout?: MemoryLayout;
  /**
   * Rung by the server when it offers an entry or replies: one word shared by
   * all channels of a kernel. A word of its own if left out.
   */
  readonly kernelDoorbell?: Int32Array<SharedArrayBuffer>;
}

/**
 * What {@linkcode MemoryChannel.adopt} takes in another thread.
 *
 * @category Queues
 */
export interface MemoryChannelHandle {
  /** The options that the channel was made with. */
  readonly options: Required<MemoryChannelOptions>;
  /** Its memory. */
  readonly memory: SharedArrayBuffer;
}

/** Three rings of entry numbers, and the words around them. */
const OFFERED = 0;
const FILLED = 1;
const REPLIED = 2;
const RINGS = 3;
const WORD_END = RINGS;
const WORD_SERVER_BELL = RINGS + 1;
const WORDS = RINGS + 2;

const HEADERS_SIZE = sizeOf("fuse_uring_req_header");
const HEAD_MAX = 256;
const PAYLOAD_MIN = FUSE_MIN_READ_BUFFER;

/** A ring of entry numbers: one thread pushes, one shifts. */
export class EntryFifo {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #count: number;
  readonly #slots: Int32Array<SharedArrayBuffer>;
  #taken = 0;

  /** Lays a ring over shared words. */
  constructor(
    words: Int32Array<SharedArrayBuffer>,
    count: number,
    slots: Int32Array<SharedArrayBuffer>,
  ) {
    this.#words = words;
    this.#count = count;
    this.#slots = slots;
  }

  /** Entries that were pushed and not shifted by this thread. */
  get length(): number {
    return Atomics.load(this.#words, this.#count) - this.#taken | 0;
  }

  /** Appends an entry. */
  push(entry: number): void {
    const at = Atomics.load(this.#words, this.#count);
    this.#slots[(at >>> 0) % this.#slots.length] = entry;
    Atomics.store(this.#words, this.#count, at + 1 | 0);
  }

  /** Takes the oldest entry, -1 if there is none. */
  shift(): number {
    if (this.length === 0) return -1;
    const entry = this.#slots[(this.#taken >>> 0) % this.#slots.length]!;
    this.#taken = this.#taken + 1 | 0;
    return entry;
  }
}

/**
 * One entry as this thread sees it.
 *
 * @category Queues
 */
export interface MemoryEntry extends Exchange {
  /** Its number. */
  readonly number: number;
  /** Bytes of the request and of the reply that lie in it. */
  readonly lengths: Int32Array<SharedArrayBuffer>;
  /** The request's bytes, if they are contiguous; its headers if not. */
  readonly incoming: Uint8Array<SharedArrayBuffer>;
  /** The reply's bytes, if they are contiguous; the payload if not. */
  readonly outgoing: Uint8Array<SharedArrayBuffer>;
}

/**
 * The shared memory of one queue.
 *
 * @category Queues
 */
export class MemoryChannel {
  /** What the channel was made with. */
  readonly options: Required<MemoryChannelOptions>;
  /** All of its memory but the kernel's bell. */
  readonly memory: SharedArrayBuffer;
  /** Entries in which the server awaits a request. */
  readonly offered: EntryFifo;
  /** Entries that hold a request. */
  readonly filled: EntryFifo;
  /** Entries that hold a reply. */
  readonly replied: EntryFifo;
  /** Word that the kernel rings. */
  readonly serverDoorbell: Int32Array<SharedArrayBuffer>;
  /** Word that the server rings. */
  readonly kernelDoorbell: Int32Array<SharedArrayBuffer>;
  /** The entries, by number. */
  readonly entries: readonly MemoryEntry[];
  readonly #words: Int32Array<SharedArrayBuffer>;

  /** Looks at the memory of a channel; see {@linkcode MemoryChannel.create}. */
  constructor({ options, memory }: MemoryChannelHandle) {
    this.options = options;
    this.memory = memory;
    const slots = ringSlots(options);
    const words = new Int32Array(memory, 0, WORDS);
    const ring = (n: number) =>
      new EntryFifo(
        words,
        n,
        new Int32Array(memory, 4 * (WORDS + n * slots), slots),
      );
    this.#words = words;
    this.offered = ring(OFFERED);
    this.filled = ring(FILLED);
    this.replied = ring(REPLIED);
    this.serverDoorbell = new Int32Array(memory, 4 * WORD_SERVER_BELL, 1);
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

  /** What another thread needs to look at the same channel. */
  get handle(): MemoryChannelHandle {
    return { options: this.options, memory: this.memory };
  }

  /** 0 while both sides are there, else what the side that left said. */
  get ended(): number {
    return Atomics.load(this.#words, WORD_END);
  }

  /** Ends the channel for both sides; the first one to do so is heard. */
  end(code: number): void {
    Atomics.compareExchange(this.#words, WORD_END, 0, code);
    futexWake(this.serverDoorbell, 0);
    futexWake(this.kernelDoorbell, 0);
  }
}

function entriesStart(options: Required<MemoryChannelOptions>): number {
  return 64 * Math.ceil(4 * (WORDS + RINGS * ringSlots(options)) / 64);
}

/** A power of two, so that counts may wrap around at 2^32. */
function ringSlots({ capacity }: Required<MemoryChannelOptions>): number {
  return 2 ** Math.ceil(Math.log2(capacity));
}

function payloadSize({ maxPayload }: Required<MemoryChannelOptions>): number {
  return Math.max(PAYLOAD_MIN, maxPayload);
}

/** Two lengths, then head and payload of the request and of the reply. */
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
