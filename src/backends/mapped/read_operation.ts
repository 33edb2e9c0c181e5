import { ERRNO } from "../../base/errno.ts";
import { Completion, type Receiver } from "../../event/completion.ts";
import type { Answer } from "../backend.ts";
import { MAPPED, Mapping } from "./mapping.ts";
import type { ReadSources } from "./read_sources.ts";
import { SliceBuffer } from "./slice_buffer.ts";

/** What an operation does next, or waits for. */
const STATE = {
  /** The next range has to be mapped. */
  MAP: 0,
  /** It is mapped. */
  MAPPED: 1,
  /** Bytes of the disk are being read. */
  BYTES: 2,
  /** A slice of a table is being read. */
  SLICE: 3,
  /** A compressed block is being read. */
  STREAM: 4,
} as const;

const NO_BUFFER = new Uint8Array(0);
/** Memory for streams has a multiple of so many bytes. */
const STREAM_PART = 65_536;

/**
 * One read that touches more than one mapping, or a table that is not cached, or
 * a compressed block.
 *
 * It makes one call at a time: requests are many, and an event source counts
 * each operation as a request that waits. It is used again for later reads, so
 * that it allocates nothing.
 */
export class ReadOperation implements Receiver<number> {
  readonly #from: ReadSources;
  readonly #idle: ReadOperation[];
  readonly #mapping = new Mapping();
  #state: typeof STATE[keyof typeof STATE] = STATE.MAP;
  #position = 0;
  #buffer: Uint8Array = NO_BUFFER;
  #start = 0;
  #length = 0;
  /** Bytes of the disk that have been read. */
  #done = 0;
  #answer: Completion<number> | null = null;
  /** Made when first needed. */
  #slice: SliceBuffer | null = null;
  #stream: Uint8Array<ArrayBuffer> = NO_BUFFER;
  /** Bytes of the slice or stream that have been read. */
  #filled = 0;

  /**
   * Makes an operation.
   *
   * @param from What it reads from.
   * @param idle Where it waits for its next use.
   */
  constructor(from: ReadSources, idle: ReadOperation[]) {
    this.#from = from;
    this.#idle = idle;
  }

  /** Reads a range; the parameters are those of `Backend.read()`. */
  read(
    position: number,
    buffer: Uint8Array,
    start: number,
    length: number,
  ): Answer {
    this.#position = position;
    this.#buffer = buffer;
    this.#start = start;
    this.#length = length;
    this.#done = 0;
    this.#state = STATE.MAP;
    this.#answer = null;
    let result: number | null;
    try {
      result = this.#run();
    } catch (error) {
      this.#release();
      throw error;
    }
    // What it waited for may have been there already.
    if (result === null) return this.#answer!;
    this.#release();
    return result;
  }

  complete(got: number): void {
    let result: number | null;
    try {
      const error = this.#took(got);
      result = error < 0 ? this.#end(error) : this.#run();
    } catch (error) {
      return this.fail(error);
    }
    if (result === null) return;
    const answer = this.#answer!;
    this.#release();
    answer.complete(result);
  }

  fail(error: unknown): void {
    const answer = this.#answer!;
    const done = this.#done;
    this.#release();
    // The error is told when the reader reads on.
    if (done > 0) answer.complete(done);
    else answer.fail(error);
  }

  /** Goes on as far as possible; `null` if it waits. */
  #run(): number | null {
    while (this.#done < this.#length) {
      const got = this.#next();
      if (typeof got !== "number") {
        this.#answer ??= Completion.start();
        Completion.of(got).deliverTo(this);
        return null;
      }
      const error = this.#took(got);
      if (error < 0) return this.#end(error);
    }
    return this.#done;
  }

  #end(error: number): number {
    return this.#done > 0 ? this.#done : error;
  }

  /** Makes the next call. */
  #next(): Answer {
    const { lookup } = this.#from;
    const position = this.#position + this.#done;
    if (this.#state === STATE.MAP) {
      const left = this.#length - this.#done;
      if (lookup.map(position, left, this.#mapping)) {
        this.#state = STATE.MAPPED;
      } else {
        this.#slice ??= new SliceBuffer(this.#from.sliceSize);
        lookup.prepare(position, this.#slice);
        this.#filled = 0;
        this.#state = STATE.SLICE;
      }
    }
    switch (this.#state) {
      case STATE.SLICE:
        return this.#readSlice(this.#slice!);
      case STATE.STREAM:
        return this.#readStream();
      default:
        return this.#readMapped(position);
    }
  }

  #readMapped(position: number): Answer {
    const { files, blocks, damage } = this.#from;
    const mapping = this.#mapping;
    const { kind, host, length } = mapping;
    const at = this.#start + this.#done;
    this.#state = STATE.BYTES;
    switch (kind) {
      case MAPPED.DATA:
        return files[mapping.file]!.backend.read(
          host,
          this.#buffer,
          at,
          length,
        );
      case MAPPED.UNALLOCATED:
        return this.#readBacking(position);
      case MAPPED.ZERO:
        return this.#zero(length);
      case MAPPED.COMPRESSED:
        if (blocks.copy(mapping, this.#buffer, at)) return length;
        this.#filled = 0;
        this.#state = STATE.STREAM;
        return this.#readStream();
      default:
        damage.found(`its table at byte ${position} of the disk`);
        return -ERRNO.EIO;
    }
  }

  #readBacking(position: number): Answer {
    const { backing } = this.#from;
    const { length } = this.#mapping;
    const there = backing === null
      ? 0
      : Math.min(length, backing.size - position);
    if (there <= 0) return this.#zero(length);
    const at = this.#start + this.#done;
    return backing!.backend.read(position, this.#buffer, at, there);
  }

  #zero(length: number): number {
    const at = this.#start + this.#done;
    this.#buffer.fill(0, at, at + length);
    return length;
  }

  #readSlice({ bytes, file, host }: SliceBuffer): Answer {
    const filled = this.#filled;
    const left = bytes.length - filled;
    const { backend } = this.#from.files[file]!;
    return backend.read(host + filled, bytes, filled, left);
  }

  #readStream(): Answer {
    const { file, host, streamLength } = this.#mapping;
    const filled = this.#filled;
    if (this.#stream.length < streamLength) {
      const parts = Math.ceil(streamLength / STREAM_PART);
      this.#stream = new Uint8Array(parts * STREAM_PART);
    }
    const left = streamLength - filled;
    const { backend } = this.#from.files[file]!;
    return backend.read(host + filled, this.#stream, filled, left);
  }

  /** Takes the result of a call; a negative errno if the read has to end. */
  #took(got: number): number {
    if (got < 0) return got;
    switch (this.#state) {
      case STATE.SLICE:
        return this.#tookSlice(got, this.#slice!);
      case STATE.STREAM:
        return this.#tookStream(got);
      default: {
        const bytes = got === 0 ? this.#pastEnd() : got;
        if (bytes < 0) return bytes;
        this.#done += bytes;
        this.#state = STATE.MAP;
        return 0;
      }
    }
  }

  #tookSlice(got: number, slice: SliceBuffer): number {
    // The table lies beyond the end of the file.
    if (got === 0) return -ERRNO.EIO;
    this.#filled += got;
    if (this.#filled < slice.bytes.length) return 0;
    const position = this.#position + this.#done;
    const left = this.#length - this.#done;
    const { lookup } = this.#from;
    const isMapped = lookup.mapRead(slice, position, left, this.#mapping);
    this.#state = isMapped ? STATE.MAPPED : STATE.MAP;
    return 0;
  }

  #tookStream(got: number): number {
    const { blocks } = this.#from;
    const { streamLength } = this.#mapping;
    this.#filled += got;
    // The last stream may end before its last sector does.
    if (got > 0 && this.#filled < streamLength) return 0;
    const stream = this.#stream.subarray(0, this.#filled);
    if (!blocks.add(this.#mapping, stream)) return -ERRNO.EIO;
    // It may have been written anew meanwhile, so it is looked up once more.
    this.#state = STATE.MAP;
    return 0;
  }

  /** Bytes that are zeroes because the last cluster of a file is not whole. */
  #pastEnd(): number {
    const { kind, file, host, length } = this.#mapping;
    const { end, zeroEnd } = this.#from.files[file]!;
    if (kind !== MAPPED.DATA || host < end || host >= zeroEnd) {
      return -ERRNO.EIO;
    }
    return this.#zero(Math.min(length, zeroEnd - host));
  }

  #release(): void {
    this.#buffer = NO_BUFFER;
    this.#idle.push(this);
  }
}
