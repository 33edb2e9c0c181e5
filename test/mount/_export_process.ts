/**
 * The program in a process of its own.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { TextLineStream } from "@std/streams";
import { userProgram } from "../_user_program.ts";
import { type Ended, must, within } from "./_clients.ts";
import { clearMounts } from "./_mounts.ts";

/** The program. */
export const MAIN: string = new URL("../../main.ts", import.meta.url).pathname;
/** Seconds after which a process ends even if the test has died. */
const PROCESS_S = 60;
/** Milliseconds that starting and stopping may take, unless a test says so. */
const READY_MS = 30_000;
const STOP_MS = 30_000;

/** A line that `--json` prints. */
export type Event = { readonly event: string } & Record<string, unknown>;

/** Totals of one queue in the "closed" event. */
export type Totals = Record<
  | "index"
  | "requests"
  | "reads"
  | "writes"
  | "bytesRead"
  | "bytesSpliced"
  | "bytesWritten"
  | "errors",
  number
>;

/** How a process is started. */
export interface ProcessOptions {
  /** The command that serves; default: `export`. */
  readonly command?: "export" | "mount";
  /** What is started in place of Deno and main.ts, with arguments. */
  readonly program?: readonly string[];
  /** Path of Deno; default: the Deno that runs the tests. */
  readonly deno?: string;
  /** Path of the program; default: main.ts of this repository. */
  readonly main?: string;
  /** A program that starts it, such as `setpriv`, with arguments. */
  readonly wrapper?: readonly string[];
  /** The user to run it as. */
  readonly uid?: number;
  /** Environment variables besides those of this process. */
  readonly env?: Record<string, string>;
  /** Options of `deno run`; default: `--allow-ffi`. */
  readonly permissions?: readonly string[];
  /** Seconds after which it ends even if the test has died. */
  readonly lifeS?: number;
  /** Milliseconds that starting and stopping may take each. */
  readonly limitMs?: number;
}

/** Runs the program to its end. */
export async function runMain(
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<Ended> {
  const { code, stdout, stderr } = await within(
    command(args, options).output(),
    `main.ts ${args.join(" ")}`,
  );
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

function command(
  args: readonly string[],
  options: ProcessOptions,
): Deno.Command {
  const { deno = Deno.execPath(), main = MAIN, wrapper = [] } = options;
  const { permissions = ["--allow-ffi"], lifeS = PROCESS_S, ...user } = options;
  const program = user.program ??
    [deno, "run", "--no-prompt", ...permissions, main];
  return new Deno.Command("timeout", {
    // Ends the process if the tests die before they end it.
    args: ["-k", "5", String(lifeS), ...wrapper, ...program, ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    ...user.env === undefined ? {} : { env: user.env },
    ...user.uid === undefined ? {} : { uid: user.uid, gid: user.uid },
  });
}

/** A running export or mount. */
export class ExportProcess implements AsyncDisposable {
  /** The "ready" event. */
  readonly ready: Event;
  /** The events so far. */
  readonly events: readonly Event[];
  /** Resolves when the process has ended. */
  readonly ended: Promise<Ended>;
  /** Process id of the server itself, not of the `timeout` above it. */
  readonly pid: number;
  readonly #mountpoint: string;
  readonly #stopMs: number;

  private constructor(
    ready: Event,
    events: readonly Event[],
    ended: Promise<Ended>,
    stopMs: number,
  ) {
    this.ready = ready;
    this.events = events;
    this.ended = ended;
    this.pid = ready.pid as number;
    this.#mountpoint = ready.mountpoint as string;
    this.#stopMs = stopMs;
  }

  /** Starts one and waits until it is ready. */
  static async start(
    args: readonly string[],
    options: ProcessOptions = {},
  ): Promise<ExportProcess> {
    // A test must not depend on the kernel's io_uring setting.
    const transport = args.some((arg) => arg.startsWith("--transport"))
      ? []
      : ["--transport=device"];
    const { command: name = "export" } = options;
    const line = [name, "--json", ...args, ...transport];
    const child = command(line, options).spawn();
    const events: Event[] = [];
    const ready = Promise.withResolvers<Event>();
    const stderr = new Response(child.stderr).text();
    const stdout = (async () => {
      const lines = child.stdout.pipeThrough(new TextDecoderStream())
        .pipeThrough(new TextLineStream());
      for await (const line of lines) {
        const event: Event = JSON.parse(line);
        events.push(event);
        if (event.event === "ready") ready.resolve(event);
      }
      return events.map((event) => JSON.stringify(event)).join("\n");
    })();
    const ended = Promise.all([child.status, stdout, stderr]).then(
      ([{ code }, stdout, stderr]) => ({ code, stdout, stderr }),
    );
    ended.then(({ code, stderr }) =>
      ready.reject(new Error(`The export ended with ${code}: ${stderr}`))
    );
    try {
      const { limitMs } = options;
      const first = await within(
        ready.promise,
        "starting",
        limitMs ?? READY_MS,
      );
      return new ExportProcess(first, events, ended, limitMs ?? STOP_MS);
    } catch (error) {
      try {
        child.kill("SIGTERM");
      } catch {
        // It has ended already.
      }
      await ended;
      throw error;
    }
  }

  /** Sends a signal to the process that serves, which must not have ended. */
  signal(signal: Deno.Signal): void {
    try {
      Deno.kill(this.pid, signal);
    } catch (cause) {
      const last = JSON.stringify(this.events.slice(-3));
      throw new Error(`The export has ended; its last events: ${last}`, {
        cause,
      });
    }
  }

  /**
   * Sends a signal once more, late enough for it to count: within half a second
   * it would be taken for the same one.
   */
  async signalAgain(signal: Deno.Signal): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 700));
    this.signal(signal);
  }

  /** Ends it by a signal, and waits for that. */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<Ended> {
    this.signal(signal);
    return await within(this.ended, `ending on ${signal}`, this.#stopMs);
  }

  /** The totals of each queue, once it has ended. */
  get totals(): Totals[] {
    const closed = this.events.find(({ event }) => event === "closed");
    if (closed === undefined) throw new Error("There was no closed event");
    return closed.queues as Totals[];
  }

  /** Unmounts and kills it, if it is still there. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearMounts(this.#mountpoint);
    try {
      this.signal("SIGCONT");
      this.signal("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.ended;
    clearMounts(this.#mountpoint);
  }
}

/** Options that start the program as a user without permissions. */
export async function asNobody(directory: string): Promise<ProcessOptions> {
  const { deno, main, denoDir } = await userProgram();
  await must("chmod", "-R", "a+rX", directory);
  return {
    deno,
    main,
    uid: 65534,
    env: { HOME: "/nonexistent", DENO_DIR: denoDir },
  };
}

/** Requires that the program ended with one sentence and printed no more. */
export function assertRefused(
  ended: Ended,
  code: number,
  sentence: string,
): void {
  assertEquals(ended, { code, stdout: "", stderr: `mqfuse: ${sentence}\n` });
}
