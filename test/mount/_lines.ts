/**
 * A process that talks in lines.
 *
 * @module
 */
import { within } from "./_clients.ts";

/** Milliseconds for a line, on a loaded machine. */
const LINE_MS = 20_000;
/** Seconds after which a process is killed. */
const LIFE_S = 170;

/** A process whose lines a test reads, and which reads those of the test. */
export class LineProcess implements AsyncDisposable {
  /** The lines so far that `next()` has not returned. */
  readonly lines: string[] = [];
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  #wake: () => void = () => {};
  /** For messages: the program, and its last line. */
  readonly #program: string;
  #last = "its start";
  #inputIsOpen = true;
  #hasEnded = false;

  /** Starts a program. */
  constructor(program: string, ...args: string[]) {
    this.#program = [program, ...args].join(" ");
    const limit = ["--foreground", "-k", "15", String(LIFE_S)];
    this.#child = new Deno.Command("timeout", {
      args: [...limit, program, ...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#reading = this.#read();
  }

  /** Sends a line. */
  async send(line: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
  }

  /** Ends the program's standard input. */
  async closeInput(): Promise<void> {
    if (this.#inputIsOpen) await this.#input.close().catch(() => {});
    this.#inputIsOpen = false;
  }

  /** The next line. */
  async next(): Promise<string> {
    await this.until(() => this.lines.length > 0);
    return this.lines.shift()!;
  }

  /** Waits until the lines so far are as wanted. */
  async until(isDone: () => boolean): Promise<void> {
    while (!isDone()) {
      if (this.#hasEnded) {
        const { code } = await this.#child.status;
        throw new Error(
          `'${this.#program}' ended with ${code} after ${this.#last}`,
        );
      }
      const more = new Promise<void>((resolve) => this.#wake = resolve);
      const what = `a line of '${this.#program}' after ${this.#last}`;
      await within(more, what, LINE_MS);
    }
  }

  /** Ends the program by SIGTERM, which timeout(1) passes on. */
  terminate(): void {
    this.#child.kill("SIGTERM");
  }

  /** Waits for the program's end. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.closeInput();
    const { status } = this.#child;
    const kill = setTimeout(() => this.#child.kill("SIGTERM"), 5000);
    await status;
    clearTimeout(kill);
    await this.#reading;
  }

  async #read(): Promise<void> {
    let rest = "";
    const text = this.#child.stdout.pipeThrough(new TextDecoderStream());
    for await (const part of text) {
      const lines = (rest + part).split("\n");
      rest = lines.pop()!;
      this.lines.push(...lines);
      this.#last = lines.at(-1) ?? this.#last;
      this.#wake();
    }
    this.#hasEnded = true;
    this.#wake();
  }
}
