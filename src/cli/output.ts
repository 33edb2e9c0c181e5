/** Takes bytes: standard output or standard error. */
export interface Sink {
  /** Writes some of the bytes, and returns how many. */
  writeSync(bytes: Uint8Array): number;
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
  readonly #sinks: Sinks;

  /**
   * Makes an output.
   *
   * @param json Whether {@linkcode Output.event} prints anything.
   * @param sinks Where to; the process's own streams if left out.
   */
  constructor(json: boolean, sinks: Sinks = Deno) {
    this.json = json;
    this.#sinks = sinks;
  }

  /** Prints a line of what was asked for. */
  print(line: string): void {
    writeLine(this.#sinks.stdout, line);
  }

  /** Prints a line for whoever watches. */
  say(line: string): void {
    writeLine(this.#sinks.stderr, line);
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
  let rest = ENCODER.encode(`${line.replace(/\p{Cc}/gu, escaped)}\n`);
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
