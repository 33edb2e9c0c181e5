/**
 * The programs of examples/, in processes of their own.
 *
 * @module
 */
import { assertMatch } from "@std/assert";
import { run as runProgram, within } from "./_clients.ts";
import { clearMounts } from "./_mounts.ts";

const EXAMPLES = new URL("../../examples/", import.meta.url);
const START_MS = 15_000;
const END_MS = 5_000;
/** Seconds after which a script or an example ends by force. */
const LIFE_S = 50;

/** How a program ended. */
export interface Result {
  readonly code: number;
  /** Its output, errors last. */
  readonly text: string;
}

/** Runs a bash script in a directory. */
export async function script(directory: string, text: string): Promise<Result> {
  const line = `cd "$1" || exit\n${text}`;
  const limit = ["-k", "15", String(LIFE_S)];
  const environment = ["env", "LC_ALL=C", "TZ=UTC"];
  const { code, stdout, stderr } = await new Deno.Command("timeout", {
    args: [...limit, ...environment, "bash", "-c", line, "bash", directory],
  }).output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

/** Runs an example to its end. */
export async function runExample(
  name: string,
  ...args: string[]
): Promise<Result> {
  const path = new URL(name, EXAMPLES).pathname;
  const deno = ["run", "--allow-ffi", path, ...args];
  const { code, stdout, stderr } = await runProgram(Deno.execPath(), ...deno);
  return { code, text: stdout + stderr };
}

/** An example that serves a mount. */
export class ExampleProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #output: ReadableStreamDefaultReader<Uint8Array>;
  readonly #mountpoint: string;

  private constructor(child: Deno.ChildProcess, mountpoint: string) {
    this.#child = child;
    this.#output = child.stdout.getReader();
    this.#mountpoint = mountpoint;
  }

  /**
   * Starts an example and waits until it serves.
   *
   * @param name Its path below examples/.
   * @param mountpoint Its last argument.
   * @param options Options of `deno run`, and the arguments before the last.
   */
  static async start(
    name: string,
    mountpoint: string,
    { permissions = ["--allow-ffi"], args = [], lifeS = LIFE_S }: {
      readonly permissions?: readonly string[];
      readonly args?: readonly string[];
      /** Seconds after which it ends by force. */
      readonly lifeS?: number;
    } = {},
  ): Promise<ExampleProcess> {
    const path = new URL(name, EXAMPLES).pathname;
    // In the foreground timeout(1) forwards signals.
    const limit = ["--foreground", "-k", "15", String(lifeS)];
    const deno = [Deno.execPath(), "run", ...permissions, path];
    const child = new Deno.Command("timeout", {
      args: [...limit, ...deno, ...args, mountpoint],
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const process = new ExampleProcess(child, mountpoint);
    try {
      const first = process.#output.read();
      const { value } = await within(first, `starting ${name}`, START_MS);
      assertMatch(new TextDecoder().decode(value), /^\w+ing|Now/);
      return process;
    } catch (error) {
      await process[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Kills the example itself, not the program that limits its time. */
  async kill(): Promise<void> {
    await runProgram("pkill", "-KILL", "-P", String(this.#child.pid));
    await this.ended();
  }

  /** Ends it with a signal; returns its exit code. */
  async stop(signal: Deno.Signal): Promise<number> {
    this.#child.kill(signal);
    return await this.ended();
  }

  /** Waits until it has ended; returns its exit code. */
  async ended(): Promise<number> {
    const { code } = await within(this.#child.status, "ending", END_MS);
    return code;
  }

  /** Unmounts and ends it, if it is still there. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearMounts(this.#mountpoint);
    try {
      this.#child.kill("SIGTERM");
    } catch {
      // It has ended already.
    }
    await this.#child.status;
    await this.#output.cancel();
  }
}
