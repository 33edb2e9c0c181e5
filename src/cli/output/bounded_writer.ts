import { ERRNO } from "../../base/errno.ts";
import { encodeName } from "../../base/name_bytes.ts";
import {
  countLines,
  type LineKind,
  type LineWriter,
  OutputError,
} from "./line_writer.ts";

/** Bytes of records that may wait for the reader: several of a wire log. */
export const RECORDS_MAX: number = 8 << 20;
/** Bytes that may wait, with the messages that come after such records. */
export const WAITING_MAX: number = RECORDS_MAX + (256 << 10);
/** Bytes that are written by one call, unless one line has more. */
const BATCH_BYTES = 64 << 10;
/** How long the end waits for a reader that reads nothing. */
const IDLE_MS = 1000;
/** How long it waits for a reader that is slow. */
const FINISH_MS = 3000;

/** What a {@linkcode BoundedWriter} writes to, and what it reports. */
export interface BoundedStream {
  /** The name in errors, such as `standard output`. */
  readonly name: string;
  /** Writes some bytes; resolves to how many, or to a negative errno. */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<number>;
  /** Describes an errno. */
  describe(errno: number): string;
  /** The line that tells a reader that lines are missing there. */
  droppedLine(lines: number): string;
  /**
   * Makes writers of the same file take turns, so that none writes into a line
   * of another one.
   */
  readonly turns?: Turns;
  /** Called when lines cannot be written, once for each run of failures. */
  onFailure?(error: OutputError): void;
}

/** Runs one task at a time, in the order of the calls. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs a task when all earlier ones have ended. */
  take<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task);
    this.#last = result.catch(() => {});
    return result;
  }
}

/** Lines that wait. */
interface Entry {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly lines: number;
  /** How many dropped lines it reports instead of being lines itself. */
  readonly reports: number;
}

const NEWLINE = encodeName("\n");

/**
 * Writes without ever waiting for the reader: lines wait in memory of a limited
 * size, and what finds no room there is dropped and counted. The reader is told
 * at that place how many lines are missing.
 */
export class BoundedWriter implements LineWriter {
  readonly #stream: BoundedStream;
  readonly #turns: Turns;
  #entries: Entry[] = [];
  /** Bytes of the entries, and of what is being written. */
  #waiting = 0;
  /** Whether records are dropped until half of their room is free again. */
  #isDropping = false;
  #dropped = 0;
  /** Dropped lines that the reader has not been told of. */
  #unreported = 0;
  #failure: OutputError | null = null;
  #lastFailed = false;
  /** Whether the reader has closed the stream. */
  #isClosed = false;
  /** Whether the last line was written in part. */
  #isTorn = false;
  #running: Promise<void> | null = null;
  #progressAt = 0;

  /** Wraps a stream. */
  constructor(stream: BoundedStream) {
    this.#stream = stream;
    this.#turns = stream.turns ?? new Turns();
  }

  get failure(): OutputError | null {
    return this.#failure;
  }

  get dropped(): number {
    return this.#dropped;
  }

  get isFull(): boolean {
    return this.#isClosed ||
      this.#isDropping && this.#waiting > RECORDS_MAX / 2;
  }

  write(text: string, kind: LineKind): boolean {
    // Without a reader, there is nothing to keep or to count.
    if (this.#isClosed) return false;
    const bytes = encodeName(text);
    const lines = countLines(text);
    if (!this.#hasRoom(bytes.byteLength, kind)) {
      this.drop(lines);
      return false;
    }
    this.#report();
    this.#add({ bytes, lines, reports: 0 });
    this.#start();
    return true;
  }

  drop(lines: number): void {
    if (this.#isClosed) return;
    this.#dropped += lines;
    this.#unreported += lines;
  }

  async finish(): Promise<void> {
    const start = performance.now();
    this.#progressAt = start;
    if (!this.#isClosed && !this.#lastFailed) this.#report();
    this.#start();
    while (this.#running !== null) {
      const now = performance.now();
      const left = Math.min(
        start + FINISH_MS - now,
        this.#progressAt + IDLE_MS - now,
      );
      if (left <= 0) return;
      await settledWithin(this.#running, left);
    }
  }

  #hasRoom(size: number, kind: LineKind): boolean {
    // A line that is larger than all of the room is taken alone.
    if (this.#waiting === 0) return true;
    if (kind === "message") return this.#waiting + size <= WAITING_MAX;
    const max = this.#isDropping ? RECORDS_MAX / 2 : RECORDS_MAX;
    this.#isDropping = this.#waiting + size > max;
    return !this.#isDropping;
  }

  #add(entry: Entry): void {
    this.#entries.push(entry);
    this.#waiting += entry.bytes.byteLength;
  }

  /** Adds the line that says how many lines are missing, if any are. */
  #report(): void {
    const reports = this.#unreported;
    if (reports === 0) return;
    this.#unreported = 0;
    const bytes = encodeName(this.#stream.droppedLine(reports));
    this.#add({ bytes, lines: 0, reports });
  }

  #start(): void {
    if (this.#entries.length > 0) this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    while (this.#entries.length > 0) {
      const batch = this.#takeBatch();
      const bytes = joined(batch, this.#isTorn);
      const { count, errno } = await this.#turns.take(() =>
        this.#writeAll(bytes)
      );
      this.#waiting -= sizeOf(batch);
      if (errno === 0) {
        this.#isTorn = false;
        this.#lastFailed = false;
        if (this.#entries.length === 0) this.#report();
      } else if (errno === ERRNO.EPIPE) {
        this.#close();
      } else {
        this.#lose(batch, count - (bytes.byteLength - sizeOf(batch)));
        this.#fail(errno);
      }
    }
    this.#running = null;
  }

  #takeBatch(): Entry[] {
    let size = 0;
    let length = 0;
    for (const { bytes } of this.#entries) {
      size += bytes.byteLength;
      if (length > 0 && size > BATCH_BYTES) break;
      length++;
    }
    return this.#entries.splice(0, length);
  }

  async #writeAll(
    bytes: Uint8Array<ArrayBuffer>,
  ): Promise<{ count: number; errno: number }> {
    let count = 0;
    while (count < bytes.byteLength) {
      const result = await this.#stream.write(bytes.subarray(count));
      if (result < 0) return { count, errno: -result };
      if (result > 0) this.#progressAt = performance.now();
      count += result;
    }
    return { count, errno: 0 };
  }

  /** Counts the entries of a batch that were not written whole. */
  #lose(batch: readonly Entry[], written: number): void {
    let end = 0;
    for (const { bytes, lines, reports } of batch) {
      const start = end;
      end += bytes.byteLength;
      if (end <= written) continue;
      this.#isTorn = written > start || this.#isTorn;
      this.#dropped += lines;
      this.#unreported += lines + reports;
    }
  }

  #close(): void {
    this.#isClosed = true;
    this.#entries = [];
    this.#waiting = 0;
  }

  #fail(errno: number): void {
    const { name } = this.#stream;
    const error = new OutputError(name, this.#stream.describe(errno), false);
    this.#failure ??= error;
    if (!this.#lastFailed) this.#stream.onFailure?.(error);
    this.#lastFailed = true;
  }
}

function joined(
  batch: readonly Entry[],
  isTorn: boolean,
): Uint8Array<ArrayBuffer> {
  const head = isTorn ? NEWLINE.byteLength : 0;
  const bytes = new Uint8Array(head + sizeOf(batch));
  if (isTorn) bytes.set(NEWLINE);
  let at = head;
  for (const entry of batch) {
    bytes.set(entry.bytes, at);
    at += entry.bytes.byteLength;
  }
  return bytes;
}

function sizeOf(batch: readonly Entry[]): number {
  return batch.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
}

/** Waits for a promise, for some milliseconds at most. */
async function settledWithin(
  promise: Promise<void>,
  ms: number,
): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([promise, timeout]);
  clearTimeout(timer);
}
