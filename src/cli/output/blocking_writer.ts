import { messageOf } from "../../base/message_of.ts";
import { encodeName } from "../../base/name_bytes.ts";
import { type LineWriter, OutputError } from "./line_writer.ts";

/** Standard output or standard error. */
export interface Sink {
  /** Writes some of the bytes, and returns how many. */
  writeSync(bytes: Uint8Array): number;
  /** Whether it is a terminal; no if left out. */
  isTerminal?(): boolean;
}

const RETRY_MS = 1;

/**
 * Writes at once and waits for the reader, as most programs do: nothing is ever
 * dropped, unless it cannot be written.
 */
export class BlockingWriter implements LineWriter {
  readonly #sink: Sink;
  readonly #name: string;
  #failure: OutputError | null = null;
  #dropped = 0;

  /**
   * Wraps a stream.
   *
   * @param name Its name in errors, such as `standard output`.
   */
  constructor(sink: Sink, name: string) {
    this.#sink = sink;
    this.#name = name;
  }

  get failure(): OutputError | null {
    return this.#failure;
  }

  get isFull(): boolean {
    return false;
  }

  get dropped(): number {
    return this.#dropped;
  }

  write(text: string): boolean {
    let rest = encodeName(text);
    // After a failure the lines would have a gap.
    while (rest.byteLength > 0 && this.#failure === null) {
      try {
        rest = rest.subarray(this.#sink.writeSync(rest));
      } catch (error) {
        if (isTemporary(error)) sleep(RETRY_MS);
        else this.#failure = this.#errorOf(error);
      }
    }
    return this.#failure === null;
  }

  drop(lines: number): void {
    this.#dropped += lines;
  }

  finish(): Promise<void> {
    return Promise.resolve();
  }

  #errorOf(error: unknown): OutputError {
    const text = messageOf(error);
    const reason = text.replace(/ \(os error \d+\)$/, "");
    const isClosed = error instanceof Deno.errors.BrokenPipe;
    return new OutputError(this.#name, reason, isClosed);
  }
}

/** Whether the stream is a full pipe that another program made nonblocking. */
function isTemporary(error: unknown): boolean {
  return error instanceof Deno.errors.WouldBlock ||
    error instanceof Deno.errors.Interrupted;
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
