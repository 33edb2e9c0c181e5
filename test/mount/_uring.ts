/**
 * FUSE over io_uring for tests: the kernel's setting, and a server as a
 * process of its own.
 *
 * @module
 */
import { TextLineStream } from "@std/streams";
import { kernelTest } from "../requirements.ts";
import { clearMounts, eventually, within } from "./_harness.ts";

const PARAMETER = "/sys/module/fuse/parameters/enable_uring";
const SERVER = new URL("./_uring_server.ts", import.meta.url).pathname;

/** What the server prints. */
export interface ServerEvent {
  /** How requests travel. */
  readonly transport?: {
    readonly kind: string;
    readonly reason: string | null;
  };
  /** Whether it ended as it should. */
  readonly clean?: boolean;
  /** What went wrong. */
  readonly problems?: string[];
  /** How each queue ended. */
  readonly ends?: { readonly reason: string }[];
  /** Totals of each queue. */
  readonly queues?: { readonly requests: number; readonly errors: number }[];
  /** Why it could not start. */
  readonly failed?: string;
}

/** Runs a test with the kernel's setting changed, and puts it back. */
export async function withSetting(
  value: "Y" | "N",
  body: () => Promise<void>,
): Promise<void> {
  const before = await Deno.readTextFile(PARAMETER);
  try {
    await Deno.writeTextFile(PARAMETER, value);
    await body();
  } finally {
    await Deno.writeTextFile(PARAMETER, before);
  }
}

/** Registers a test with FUSE over io_uring switched on. */
export function uringTest(
  name: string,
  fn: () => Promise<void>,
  programs: readonly string[] = [],
): void {
  kernelTest(name, () => withSetting("Y", fn), programs);
}

/** Whether this kernel has the setting at all. */
export function hasSetting(): boolean {
  try {
    return Deno.statSync(PARAMETER).isFile;
  } catch {
    return false;
  }
}

/** A server that runs. */
export class UringServer implements AsyncDisposable {
  /** Its first event. */
  readonly first: ServerEvent;
  readonly #child: Deno.ChildProcess;
  readonly #last: Promise<ServerEvent>;
  readonly #mountpoint: string;

  private constructor(
    first: ServerEvent,
    child: Deno.ChildProcess,
    last: Promise<ServerEvent>,
    mountpoint: string,
  ) {
    this.first = first;
    this.#child = child;
    this.#last = last;
    this.#mountpoint = mountpoint;
  }

  /** Starts one with options of `mountExport`. */
  static async start(
    options: Record<string, unknown> & { mountpoint: string },
  ): Promise<UringServer> {
    const child = new Deno.Command("timeout", {
      args: ["-k", "2", "60", Deno.execPath(), "run", "-A", SERVER].concat(
        JSON.stringify(options),
      ),
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const first = Promise.withResolvers<ServerEvent>();
    const last = (async () => {
      let event: ServerEvent = { failed: "it printed nothing" };
      const lines = child.stdout.pipeThrough(new TextDecoderStream())
        .pipeThrough(new TextLineStream());
      for await (const line of lines) {
        event = JSON.parse(line);
        first.resolve(event);
      }
      first.resolve(event);
      await child.status;
      return event;
    })();
    const { mountpoint } = options;
    const event = await within(first.promise, "starting", 15_000);
    return new UringServer(event, child, last, mountpoint);
  }

  /** Ends it, and tells how that went. */
  async stop(): Promise<ServerEvent> {
    this.#child.kill("SIGTERM");
    return await this.ended();
  }

  /** Waits until it has ended by itself. */
  async ended(): Promise<ServerEvent> {
    return await within(this.#last, "ending", 10_000);
  }

  /** Ends it whatever has become of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearMounts(this.#mountpoint);
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended already, as it should.
    }
    await this.#child.status;
    await this.#last;
    await eventually(() => {
      clearMounts(this.#mountpoint);
      return true;
    }, "unmounting");
  }
}
