import { Errno } from "../../base/errno.ts";
import type { Caller, May } from "../../filesystem/file_system.ts";
import type { Content } from "../static_node.ts";
import type { Keeper, StreamBudget } from "./stream_budget.ts";

/**
 * How many of the last bytes read from a stream are kept.
 * A file up to this size is read as a whole before the first byte is answered,
 * so that a wrong checksum, which a stream tells at its end, fails every read.
 */
export const WINDOW = 4 << 20;

interface Chunk {
  readonly start: number;
  readonly bytes: Uint8Array;
}

/**
 * A content that can only be read from its start on, such as compressed data. A
 * read within the last {@linkcode WINDOW} is answered from memory; one before
 * that starts the stream anew.
 */
export class StreamContent implements Content, Keeper {
  readonly #open: () => ReadableStream<Uint8Array>;
  readonly #size: number;
  readonly #budget: StreamBudget;
  #stream: ReadableStreamDefaultReader<Uint8Array> | null = null;
  #chunks: Chunk[] = [];
  /** Where the stream has been read to. */
  #end = 0;
  #isAtEnd = false;
  /** The last read, which the next one waits for. */
  #turn: Promise<unknown> = Promise.resolve();
  #reads = 0;

  /**
   * Makes a content.
   *
   * @param open Starts the stream of all its bytes.
   * @param size How many there are.
   * @param budget What limits the memory of all contents of an archive.
   */
  constructor(
    open: () => ReadableStream<Uint8Array>,
    size: number,
    budget: StreamBudget,
  ) {
    this.#open = open;
    this.#size = size;
    this.#budget = budget;
  }

  get kept(): number {
    return this.#end - this.#start;
  }

  get isBusy(): boolean {
    return this.#reads > 0;
  }

  read(into: Uint8Array, offset: number, caller: Caller): May<number> {
    const length = Math.max(0, Math.min(into.length, this.#size - offset));
    if (length === 0) return 0;
    const part = into.subarray(0, length);
    // What is kept of a whole file has passed its checksum.
    const isThere = offset >= this.#start && this.#hasRead(offset + length);
    if (isThere && !this.isBusy) return this.#copy(part, offset);
    this.#reads++;
    const read = this.#turn.then(() =>
      this.#readOn(part, offset, caller.signal)
    ).finally(() => this.#reads--);
    this.#turn = read.catch(() => {});
    return read;
  }

  drop(): void {
    // A stream that has failed rejects this, and the read has been told.
    this.#stream?.cancel().catch(() => {});
    this.#stream = null;
    this.#chunks = [];
    this.#end = 0;
    this.#isAtEnd = false;
  }

  get #start(): number {
    return this.#chunks[0]?.start ?? this.#end;
  }

  /** Whether what is before an offset has been read as far as necessary. */
  #hasRead(end: number): boolean {
    const isWhole = this.#size <= WINDOW || end === this.#size;
    return isWhole ? this.#isAtEnd : this.#end >= end;
  }

  async #readOn(
    into: Uint8Array,
    offset: number,
    signal: AbortSignal,
  ): Promise<number> {
    if (offset < this.#start) this.drop();
    while (!this.#hasRead(offset + into.length)) {
      // Programs do not expect EINTR where a read is near.
      if (offset - this.#end > WINDOW) signal.throwIfAborted();
      await this.#advance(offset);
    }
    const read = this.#copy(into, offset);
    this.#budget.use(this);
    return read;
  }

  async #advance(wanted: number): Promise<void> {
    try {
      this.#stream ??= this.#open().getReader();
      const { done, value } = await this.#stream.read();
      if (done) this.#finish();
      else this.#keep(value, wanted);
    } catch (error) {
      this.drop();
      throw error;
    }
  }

  #finish(): void {
    this.#isAtEnd = true;
    if (this.#end !== this.#size) throw new Errno("EIO");
  }

  /** Keeps a chunk, and drops what is before the window. */
  #keep(bytes: Uint8Array, wanted: number): void {
    this.#chunks.push({ start: this.#end, bytes });
    this.#end += bytes.length;
    const start = Math.min(this.#end - WINDOW, wanted);
    let before = 0;
    for (const { start: from, bytes: { length } } of this.#chunks) {
      if (from + length > start) break;
      before++;
    }
    this.#chunks.splice(0, before);
  }

  #copy(into: Uint8Array, offset: number): number {
    const end = offset + into.length;
    for (const { start, bytes } of this.#chunks) {
      const from = Math.max(start, offset);
      const to = Math.min(start + bytes.length, end);
      if (from >= to) continue;
      into.set(bytes.subarray(from - start, to - start), from - offset);
    }
    return into.length;
  }
}
