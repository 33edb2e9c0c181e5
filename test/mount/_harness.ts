/**
 * The program as a process of its own, and clients as others: no test opens
 * the mount itself, so that none can wait for a server that hangs.
 *
 * @module
 */
import { TextLineStream } from "@std/streams";
import { findMount, readMounts } from "../../src/linux/mount/mountinfo.ts";
import { unmountExactly } from "../../src/linux/mount/fuse_mount.ts";
import { userProgram } from "../_user_program.ts";
import { type Ended, exists, must, randomFile, within } from "./_clients.ts";

export * from "./_clients.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const PREFIX = "mqfuse_kernel_";
/** Longest life of a process that a test starts, should the test die. */
const PROCESS_S = 60;
const READY_MS = 10_000;

/** What `--json` prints. */
export type Event = { readonly event: string } & Record<string, unknown>;

/** Totals of one queue in the "closed" event. */
export type Totals = Record<
  | "index"
  | "requests"
  | "reads"
  | "writes"
  | "bytesRead"
  | "bytesWritten"
  | "errors",
  number
>;

/** How to start a process. */
export interface ProcessOptions {
  /** The Deno to run; the one that runs the tests if left out. */
  readonly deno?: string;
  /** The program; this repository's if left out. */
  readonly main?: string;
  /** A program that runs it, such as `setpriv`, with arguments. */
  readonly wrapper?: readonly string[];
  /** The user to run it as. */
  readonly uid?: number;
  /** Environment variables besides those of this process. */
  readonly env?: Record<string, string>;
  /** Options of `deno run`; `--allow-ffi` if left out. */
  readonly permissions?: readonly string[];
  /** Seconds after which it is ended, should the test die. */
  readonly lifeS?: number;
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
  const line = ["run", "--no-prompt", ...permissions, main, ...args];
  return new Deno.Command("timeout", {
    // The tests may die; nobody would end what they started.
    args: ["-k", "5", String(lifeS), ...wrapper, deno, ...line],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    ...user.env === undefined ? {} : { env: user.env },
    ...user.uid === undefined ? {} : { uid: user.uid, gid: user.uid },
  });
}

/** An export that runs. */
export class ExportProcess implements AsyncDisposable {
  /** The "ready" event. */
  readonly ready: Event;
  /** The events so far. */
  readonly events: readonly Event[];
  /** Resolves when the process has ended. */
  readonly ended: Promise<Ended>;
  /** The process that serves, not the one that watches over it. */
  readonly pid: number;
  readonly #mountpoint: string;

  private constructor(
    ready: Event,
    events: readonly Event[],
    ended: Promise<Ended>,
  ) {
    this.ready = ready;
    this.events = events;
    this.ended = ended;
    this.pid = ready.pid as number;
    this.#mountpoint = ready.mountpoint as string;
  }

  /** Starts one and waits until it is ready. */
  static async start(
    args: readonly string[],
    options: ProcessOptions = {},
  ): Promise<ExportProcess> {
    // Whatever this machine has switched on, a test says what it is about.
    const transport = args.some((arg) => arg.startsWith("--transport"))
      ? []
      : ["--transport=device"];
    const child = command(["export", "--json", ...args, ...transport], options)
      .spawn();
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
      const first = await within(ready.promise, "starting", READY_MS);
      return new ExportProcess(first, events, ended);
    } catch (error) {
      try {
        child.kill("SIGTERM");
      } catch {
        // It has ended by itself.
      }
      await ended;
      throw error;
    }
  }

  /** Sends a signal to the process that serves. */
  signal(signal: Deno.Signal): void {
    Deno.kill(this.pid, signal);
  }

  /** Ends it by a signal, and waits for that. */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<Ended> {
    this.signal(signal);
    return await within(this.ended, `ending on ${signal}`, 10_000);
  }

  /** The totals of each queue, once it has ended. */
  get totals(): Totals[] {
    const closed = this.events.find(({ event }) => event === "closed");
    if (closed === undefined) throw new Error("There was no closed event");
    return closed.queues as Totals[];
  }

  /** Ends it whatever has become of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearMounts(this.#mountpoint);
    try {
      this.signal("SIGCONT");
      this.signal("SIGKILL");
    } catch {
      // It has ended already, as it should.
    }
    await this.ended;
    clearMounts(this.#mountpoint);
  }
}

/** Gives a test a directory of its own. */
export async function inDirectory(
  body: (directory: string) => Promise<void>,
): Promise<void> {
  await sweep();
  const prefix = `${PREFIX}${Deno.pid}_`;
  const directory = await Deno.realPath(await Deno.makeTempDir({ prefix }));
  try {
    await within(body(directory), "the test", 60_000);
  } finally {
    clearMounts(`${directory}/`);
    await Deno.remove(directory, { recursive: true });
  }
}

/** Starts the program as a user who owns nothing. */
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

/** Whether anything is mounted at a path. */
export function isMounted(path: string): boolean {
  return findMount(path) !== null;
}

/** An image of random bytes and an empty file to show it at. */
export async function imageIn(
  directory: string,
  size: number = 8 << 20,
): Promise<{ image: string; mountpoint: string }> {
  const image = `${directory}/disk.img`;
  const mountpoint = `${directory}/mnt.img`;
  await randomFile(image, size);
  await Deno.writeTextFile(mountpoint, "underneath");
  return { image, mountpoint };
}

/** Takes down what is mounted at a path, or below one that ends in "/". */
export function clearMounts(path: string): void {
  for (const mount of readMounts().toReversed()) {
    const { mountPoint } = mount;
    const meant = path.endsWith("/")
      ? mountPoint.startsWith(path)
      : mountPoint === path;
    if (meant && mount.type.startsWith("fuse")) unmountExactly(mount);
  }
}

/** Clears what a crashed run of these tests left behind. */
async function sweep(): Promise<void> {
  for await (const { name } of Deno.readDir("/tmp")) {
    const pid = new RegExp(`^${PREFIX}(\\d+)_`).exec(name)?.[1];
    if (pid === undefined || await exists(`/proc/${pid}`)) continue;
    clearMounts(`/tmp/${name}/`);
    await Deno.remove(`/tmp/${name}`, { recursive: true });
  }
}
