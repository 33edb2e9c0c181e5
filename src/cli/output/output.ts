/** Standard output or standard error. */
export interface Sink {
  /** Writes some of the bytes, and returns how many. */
  writeSync(bytes: Uint8Array): number;
  /** Whether it is a terminal; no if left out. */
  isTerminal?(): boolean;
}

/** Where an {@linkcode Output} writes to. */
export interface Sinks {
  /** For results and events. */
  readonly stdout: Sink;
  /** For everything else. */
  readonly stderr: Sink;
}

const ENCODER = new TextEncoder();
const RETRY_MS = 1;

/**
 * Writes all output of the program. Each line is written whole and at once, so
 * that none is lost when the program ends.
 */
export class Output {
  /** Whether events are printed to standard output. */
  readonly json: boolean;
  /** Whether lines can be redrawn in place: standard error is a terminal. */
  readonly live: boolean;
  readonly #sinks: Sinks;
  /** Lines at the end of the screen that the next redraw() replaces. */
  #drawn = 0;

  /**
   * Makes an output.
   *
   * @param json Whether {@linkcode Output.event} prints anything.
   * @param sinks The streams; those of the process if left out.
   */
  constructor(json: boolean, sinks: Sinks = Deno) {
    this.json = json;
    this.#sinks = sinks;
    this.live = sinks.stderr.isTerminal?.() ?? false;
  }

  /** Prints a line of the result, to standard output. */
  print(line: string): void {
    writeLine(this.#sinks.stdout, line);
  }

  /** Prints a line for people, to standard error. */
  say(line: string): void {
    this.#drawn = 0;
    writeLine(this.#sinks.stderr, line);
  }

  /**
   * Prints a table for people, in place of that of the last call. If it is too
   * long for the screen, only its heading and its end are printed.
   */
  redraw(table: readonly string[]): void {
    const rows = Math.max(2, screenRows() - 1);
    const lines = table.length <= rows
      ? table
      : [...table.slice(0, 1), ...table.slice(1 - rows)];
    // Control sequences of every terminal since the VT100: up, clear below.
    const up = this.#drawn === 0 ? "" : `\x1b[${this.#drawn}A\x1b[J`;
    writeText(this.#sinks.stderr, up);
    for (const line of lines) writeLine(this.#sinks.stderr, line);
    this.#drawn = lines.length;
  }

  /** Prints an event for programs, with --json. */
  event(event: string, fields: Record<string, unknown> = {}): void {
    if (this.json) this.print(JSON.stringify({ event, ...fields }));
  }

  /** Prints a sentence about what was repaired or is about to happen. */
  notice(message: string): void {
    this.event("notice", { message });
    this.say(`mqfuse: ${message}`);
  }

  /** Prints an error in one sentence. */
  error(message: string): void {
    this.event("error", { message });
    this.say(`mqfuse: ${message}`);
  }
}

function writeLine(sink: Sink, line: string): void {
  // A name with a line break must not start a new line.
  writeText(sink, `${line.replace(/\p{Cc}/gu, escaped)}\n`);
}

function writeText(sink: Sink, text: string): void {
  let rest = ENCODER.encode(text);
  while (rest.byteLength > 0) {
    try {
      rest = rest.subarray(sink.writeSync(rest));
    } catch (error) {
      // The reader has closed the pipe: the export continues without output.
      if (!isTemporary(error)) return;
      sleep(RETRY_MS);
    }
  }
}

function screenRows(): number {
  try {
    return Deno.consoleSize().rows || Infinity;
  } catch {
    return Infinity;
  }
}

function escaped(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
}

/** Whether the stream is a full pipe that another program made nonblocking. */
function isTemporary(error: unknown): boolean {
  return error instanceof Deno.errors.WouldBlock ||
    error instanceof Deno.errors.Interrupted;
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
