import { ERRNO } from "../../base/errno.ts";
import { libc } from "../../linux/syscall/libc.ts";
import { statxDescriptor } from "../../linux/syscall/statx.ts";
import { strerror } from "../../linux/syscall/system_error.ts";
import { writeInThread } from "../../linux/io/thread_write.ts";
import { BlockingWriter, type Sink } from "./blocking_writer.ts";
import { BoundedWriter, Turns } from "./bounded_writer.ts";
import {
  type LineKind,
  lineOf,
  type LineWriter,
  type OutputError,
} from "./line_writer.ts";
import { logLine, type OutputFormat } from "./log_format.ts";

/** Where an {@linkcode Output} writes to. */
export interface Sinks {
  /** For results and events. */
  readonly stdout: Sink;
  /** For everything else. */
  readonly stderr: Sink;
}

/** A stream of the program. */
export type StreamName = "stdout" | "stderr";

const STDOUT = 1;
const STDERR = 2;

/**
 * How the output ended: everything was written, the reader of standard output has
 * closed it, or something could not be written.
 */
export type OutputEnd = "written" | "closed" | "failed";

/** The fields of an event. */
export type EventFields = Readonly<Record<string, unknown>>;

/** Writes all output of the program, in whole lines. */
export class Output {
  /** Whether events are printed to standard output. */
  readonly json: boolean;
  /** Whether standard error has lines of JSON, instead of text. */
  readonly jsonLog: boolean;
  /**
   * Whether lines can be redrawn in place: standard error is a terminal, has
   * text, and NO_COLOR does not ask for plain text.
   */
  readonly live: boolean;
  readonly #sinks: Sinks;
  #stdout: LineWriter;
  #stderr: LineWriter;
  /** Whether standard error says that standard output cannot be written to. */
  #isFailureTold = false;
  /** Lines at the end of the screen that the next redraw() replaces. */
  #drawn = 0;

  /**
   * Makes an output, which waits for its readers.
   *
   * @param format How to print events, and what standard error gets.
   * @param sinks The streams; those of the process if left out.
   */
  constructor({ json, log }: OutputFormat, sinks: Sinks = Deno) {
    this.json = json;
    this.jsonLog = log === "json";
    this.#sinks = sinks;
    this.live = !this.jsonLog && !Deno.noColor &&
      (sinks.stderr.isTerminal?.() ?? false);
    this.#stdout = new BlockingWriter(sinks.stdout, "standard output");
    this.#stderr = new BlockingWriter(sinks.stderr, "standard error");
  }

  /**
   * Makes every later line return at once, although a reader has stopped or is
   * slow: lines wait in memory of a limited size, others are dropped and
   * counted. For commands that must obey meanwhile.
   *
   * @throws {UserError} If Deno may not call native code.
   */
  neverWait(): void {
    if (this.#sinks !== Deno) return;
    libc();
    const turns = isSameFile(STDOUT, STDERR) ? { turns: new Turns() } : {};
    this.#stdout = new BoundedWriter({
      ...turns,
      name: "standard output",
      write: writeTo(STDOUT, this.#sinks.stdout),
      describe: strerror,
      droppedLine: (lines) =>
        this.json
          ? `${JSON.stringify({ event: "dropped", lines })}\n`
          : `# ${droppedText(lines)}\n`,
      onFailure: (error) => this.#tellFailure(error),
    });
    this.#stderr = new BoundedWriter({
      ...turns,
      name: "standard error",
      write: writeTo(STDERR, this.#sinks.stderr),
      describe: strerror,
      droppedLine: (lines) =>
        this.jsonLog
          ? `${logLine("dropped", { lines })}\n`
          : `mqfuse: ${droppedText(lines)}\n`,
    });
  }

  /** The columns of the terminal, if standard error is one. */
  get columns(): number {
    return screenSize().columns;
  }

  /** How many lines were dropped, because they were not read in time. */
  get droppedLines(): number {
    return this.#stdout.dropped + this.#stderr.dropped;
  }

  /**
   * Prints a line of the result, to standard output.
   *
   * @throws {OutputError} If that cannot be written, unless the output never
   * waits: a command that only prints ends then.
   */
  print(line: string): void {
    this.#write("stdout", line, "message");
    const { failure } = this.#stdout;
    if (failure !== null && this.#stdout instanceof BlockingWriter) {
      throw failure;
    }
  }

  /**
   * Tells what happens on standard error.
   *
   * @param event The name of the event, and its fields, for a log of JSON.
   * @param lines The same for people.
   */
  log(
    event: string,
    fields: EventFields,
    lines: readonly string[],
    kind: LineKind = "message",
  ): void {
    this.#drawn = 0;
    const told = this.jsonLog ? [logLine(event, fields)] : lines;
    for (const line of told) this.#write("stderr", line, kind);
  }

  /** Tells something on standard error that is no event for `--json`. */
  say(message: string): void {
    this.log("notice", { message }, [message]);
  }

  /**
   * Prints one of many lines, which are dropped before messages are. It is
   * composed only if it is not dropped.
   *
   * @param compose Returns JSON if that is what the stream has.
   */
  record(compose: () => string, stream: StreamName): void {
    if (this.#writer(stream).isFull) return this.drop(1, stream);
    if (stream === "stderr") this.#drawn = 0;
    this.#write(stream, compose(), "record");
  }

  /** Counts records that were dropped before they came here. */
  drop(records: number, stream: StreamName): void {
    this.#writer(stream).drop(records);
  }

  /**
   * Prints a table for people, in place of that of the last call. If it is too
   * long for the screen, only its heading and its end are printed. The lines may
   * have colours, so nothing that others have named may be in them.
   */
  redraw(table: readonly string[]): void {
    const rows = Math.max(2, screenSize().rows - 1);
    const lines = table.length <= rows
      ? table
      : [...table.slice(0, 1), ...table.slice(1 - rows)];
    // Control sequences of every terminal since the VT100: up, clear below.
    const up = this.#drawn === 0 ? "" : `\x1b[${this.#drawn}A\x1b[J`;
    const text = up + lines.map((line) => `${line}\n`).join("");
    this.#drawn = this.#stderr.write(text, "record") ? lines.length : 0;
  }

  /** Prints an event for programs, with --json. */
  event(
    event: string,
    fields: EventFields = {},
    kind: LineKind = "message",
  ): void {
    if (!this.json) return;
    this.#write("stdout", JSON.stringify({ event, ...fields }), kind);
  }

  /** Prints an event for programs, and a sentence for people. */
  tell(event: string, fields: EventFields, message: string): void {
    this.event(event, fields);
    this.log(event, { message, ...fields }, [message]);
  }

  /**
   * Prints a report that is long: an event with --json, otherwise lines for
   * people. A log of JSON has the event in any case.
   */
  report(
    event: string,
    fields: EventFields,
    lines: readonly string[],
    kind: LineKind = "message",
  ): void {
    this.event(event, fields, kind);
    if (!this.json || this.jsonLog) this.log(event, fields, lines, kind);
  }

  /** Prints a sentence about what was repaired or is about to happen. */
  notice(message: string): void {
    this.event("notice", { message });
    this.log("notice", { message }, [`mqfuse: ${message}`]);
  }

  /**
   * Prints an error in one sentence.
   *
   * @param stack Where it happened, if that is to be printed too.
   */
  error(message: string, stack: readonly string[] = []): void {
    this.event("error", { message });
    const fields = stack.length === 0 ? { message } : { message, stack };
    this.log("error", fields, [`mqfuse: ${message}`, ...stack]);
  }

  /**
   * Waits for the readers for a limited time; nothing may be printed afterwards.
   * If standard output could not be written to, standard error says so.
   */
  async finish(): Promise<OutputEnd> {
    await Promise.all([this.#stdout.finish(), this.#stderr.finish()]);
    const { failure } = this.#stdout;
    if (failure?.isClosed) return "closed";
    if (failure !== null && !this.#isFailureTold) this.#tellFailure(failure);
    await this.#stderr.finish();
    const isOk = failure === null && (this.#stderr.failure?.isClosed ?? true);
    return isOk ? "written" : "failed";
  }

  #write(stream: StreamName, line: string, kind: LineKind): void {
    this.#writer(stream).write(lineOf(line), kind);
  }

  #writer(stream: StreamName): LineWriter {
    return stream === "stdout" ? this.#stdout : this.#stderr;
  }

  #tellFailure(error: OutputError): void {
    this.#isFailureTold = true;
    const { message } = error;
    this.log("error", { message }, [`mqfuse: ${message}`]);
  }
}

/** What writes to a descriptor. */
function writeTo(
  fd: number,
  sink: Sink,
): (bytes: Uint8Array<ArrayBuffer>) => Promise<number> {
  const isTerminal = sink.isTerminal?.() ?? false;
  return async (bytes) => {
    const result = await writeInThread(fd, bytes);
    // A terminal that was closed is a reader that has gone.
    return isTerminal && result === -ERRNO.EIO ? -ERRNO.EPIPE : result;
  };
}

/** The size of the terminal; infinite where it is unknown. */
function screenSize(): { readonly columns: number; readonly rows: number } {
  try {
    const { columns, rows } = Deno.consoleSize();
    return { columns: columns || Infinity, rows: rows || Infinity };
  } catch {
    return { columns: Infinity, rows: Infinity };
  }
}

function droppedText(lines: number): string {
  const what = lines === 1 ? "1 line was" : `${lines} lines were`;
  return `${what} dropped here, because the output was not read in time`;
}

/** Whether two descriptors lead to the same pipe, terminal or file. */
function isSameFile(a: number, b: number): boolean {
  const one = statxDescriptor(a);
  const other = statxDescriptor(b);
  if (typeof one === "number" || typeof other === "number") return true;
  return one.device === other.device && one.inode === other.inode;
}
