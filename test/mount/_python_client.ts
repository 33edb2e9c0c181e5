/**
 * A program that keeps files of a mount open and makes system calls as it is
 * told.
 *
 * @module
 */
import { TextLineStream } from "@std/streams";
import { within } from "./_clients.ts";

/** Seconds after which it ends even if the test has died. */
const LIFE_S = 60;
const END = "-- done --";

/** Its names: `path`, `size`, `before` (the bytes at the start), `result()`. */
const PROGRAM = `
import errno, mmap, os, sys, traceback
path = sys.argv[1]
size = os.stat(path).st_size
with open(path, "rb") as file: before = file.read()
def result(call, *args):
    try:
        call(*args)
        return "0"
    except OSError as error:
        return errno.errorcode[error.errno]
names = globals()
for line in sys.stdin:
    try: exec(eval(line), names)
    except BaseException: print(traceback.format_exc())
    print("${END}", flush=True)
`;

/** A running client. */
export class PythonClient implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: ReadableStreamDefaultReader<string>;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#input = child.stdin.getWriter();
    this.#output = child.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
  }

  /** Starts one, which reads the whole file first. */
  static async start(path: string): Promise<PythonClient> {
    const child = new Deno.Command("timeout", {
      args: ["-k", "2", `${LIFE_S}`, "python3", "-uc", PROGRAM, path],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const client = new PythonClient(child);
    await client.run("");
    return client;
  }

  /** Runs statements; returns the lines that they print. */
  async run(script: string): Promise<string[]> {
    const line = `${JSON.stringify(script)}\n`;
    await this.#input.write(new TextEncoder().encode(line));
    const lines: string[] = [];
    for (;;) {
      const { value } = await within(this.#output.read(), "the client");
      if (value === undefined) throw new Error("The client has died");
      if (value.startsWith("Traceback")) throw new Error(await this.#rest());
      if (value === END) return lines;
      lines.push(value);
    }
  }

  async #rest(): Promise<string> {
    const lines: string[] = [];
    for (;;) {
      const { value } = await within(this.#output.read(), "the client");
      if (value === undefined || value === END) return lines.join("\n");
      lines.push(value);
    }
  }

  /** Ends it, which closes its files. */
  async end(): Promise<void> {
    await this.#input.close().catch(() => {});
    await within(this.#child.status, "the end of the client");
  }

  /** Kills it, if it is still there. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.#input.close().catch(() => {});
    await this.#output.cancel();
    await this.#child.status;
  }
}
