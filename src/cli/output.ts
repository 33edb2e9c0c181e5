/** Takes bytes: standard output or standard error. */
export interface Sink {
  /** Writes some of the bytes, and returns how many. */
  writeSync(bytes: Uint8Array): number;
  /** Whether somebody looks at it on a terminal; no if left out. */
  isTerminal?(): boolean;
}

/** Where an {@linkcode Output} writes to. */
export interface Sinks {
  /** For what was asked for. */
  readonly stdout: Sink;
  /** For everything else. */
  readonly stderr: Sink;
}

const ENCODER = new TextEncoder();
const LOOK_AGAIN_MS = 1;

/**
 * Everything that the program prints: whole lines, and each at once, so that
 * none is lost when the program ends.
 */
export class Output {
  /** Whether events are printed to standard output. */
  readonly json: boolean;
  /** Whether lines can be redrawn in place, where somebody watches. */
  readonly live: boolean;
  readonly #sinks: Sinks;
  /** Lines at the end of the screen that the next redraw() is to replace. */
  #drawn = 0;

  /**
   * Makes an output.
   *
   * @param json Whether {@linkcode Output.event} prints anything.
   * @param sinks Where to; the process's own streams if left out.
   */
  constructor(json: boolean, sinks: Sinks = Deno) {
    this.json = json;
    this.#sinks = sinks;
    this.live = sinks.stderr.isTerminal?.() ?? false;
  }

  /** Prints a line of what was asked for. */
  print(line: string): void {
    writeLine(this.#sinks.stdout, line);
  }

  /** Prints a line for whoever watches. */
  say(line: string): void {
    this.#drawn = 0;
    writeLine(this.#sinks.stderr, line);
  }

  /**
   * Prints lines for whoever watches, over those of the last such call. Of a
   * table that is too long for the screen, the heading and the end are shown.
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

  /** Prints an event for programs, if they asked for events. */
  event(event: string, fields: Record<string, unknown> = {}): void {
    if (this.json) this.print(JSON.stringify({ event, ...fields }));
  }

  /** Tells of something that was put right, or is about to happen. */
  notice(message: string): void {
    this.event("notice", { message });
    this.say(`mqfuse: ${message}`);
  }

  /** Tells of something that went wrong, in one sentence. */
  error(message: string): void {
    this.event("error", { message });
    this.say(`mqfuse: ${message}`);
  }
}

function writeLine(sink: Sink, line: string): void {
  // A name with a line break in it must not make two lines.
  writeText(sink, `${line.replace(/\p{Cc}/gu, escaped)}\n`);
}

function writeText(sink: Sink, text: string): void {
  let rest = ENCODER.encode(text);
  while (rest.byteLength > 0) {
    try {
      rest = rest.subarray(sink.writeSync(rest));
    } catch (error) {
      // Nobody reads any more: that is no reason to stop serving.
      if (!isNotYet(error)) return;
      sleep(LOOK_AGAIN_MS);
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

/** Whether a pipe that another program set to O_NONBLOCK is full. */
function isNotYet(error: unknown): boolean {
  return error instanceof Deno.errors.WouldBlock ||
    error instanceof Deno.errors.Interrupted;
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
