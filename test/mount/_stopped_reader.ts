/**
 * Exports whose output goes to a pipe that is full and that nothing reads.
 *
 * @module
 */
import { eventually, must, within } from "./_clients.ts";
import { MAIN } from "./_export_process.ts";
import { clearMounts } from "./_mounts.ts";
import { imageIn, MIB } from "./_harness.ts";

/** Blocks of a page that a pipe holds. */
const PIPE_PAGES = 16;

// The shell holds both ends of the pipe, so that opening it waits for nothing.
const SCRIPT = `rm -f "$1" && mkfifo "$1" && exec 7<>"$1" &&
dd if=/dev/zero of="$1" bs=4096 count=${PIPE_PAGES} oflag=nonblock status=none &&
shift && exec "$@" >&7 2>&7`;

/** An export whose standard output and error are one pipe. */
export class UnreadExport implements AsyncDisposable {
  /** The exported file. */
  readonly mountpoint: string;
  /** The control socket. */
  readonly control: string;
  /** The pipe. */
  readonly pipe: string;
  /** The process that serves. */
  readonly pid: number;
  /** Resolves to its exit code. */
  readonly ended: Promise<number>;

  private constructor(
    directory: string,
    mountpoint: string,
    pid: number,
    ended: Promise<number>,
  ) {
    this.mountpoint = mountpoint;
    this.control = `${directory}/sock`;
    this.pipe = `${directory}/pipe`;
    this.pid = pid;
    this.ended = ended;
  }

  /**
   * Starts one and waits until it is ready.
   *
   * @param lifeS Seconds after which it ends even if the test has died.
   */
  static async start(
    directory: string,
    options: readonly string[],
    lifeS: number = 60,
  ): Promise<UnreadExport> {
    const { image, mountpoint } = await imageIn(directory, MIB);
    const pidfile = `${directory}/pid`;
    const files = [`--control=${directory}/sock`, `--pidfile=${pidfile}`];
    const program = [
      Deno.execPath(),
      "run",
      "--no-prompt",
      "--allow-ffi",
      MAIN,
    ];
    const args = ["export", "-w", "--transport=device", ...files, ...options];
    const child = new Deno.Command("timeout", {
      args: [
        ...["-k", "5", String(lifeS), "sh", "-c", SCRIPT, "sh"],
        ...[`${directory}/pipe`, ...program, ...args, image, mountpoint],
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const ended = child.status.then(({ code }) => code);
    let pid = 0;
    await eventually(
      async () => {
        pid = Number(await Deno.readTextFile(pidfile).catch(() => "0"));
        return pid > 0;
      },
      "the export is ready",
      50_000,
    );
    return new UnreadExport(directory, mountpoint, pid, ended);
  }

  /** Writes blocks through the mount, one request each. */
  async write(blocks: number, blockSize: string): Promise<void> {
    const args = [`bs=${blockSize}`, `count=${blocks}`, "oflag=dsync"];
    const to = [`of=${this.mountpoint}`, "conv=notrunc", "status=none"];
    await must("dd", "if=/dev/zero", ...args, ...to);
  }

  /** Ends it by SIGTERM; returns the exit code and how long that took. */
  async stop(): Promise<{ code: number; ms: number }> {
    const start = performance.now();
    Deno.kill(this.pid, "SIGTERM");
    const code = await within(this.ended, "ending on SIGTERM", 30_000);
    return { code, ms: performance.now() - start };
  }

  /** Kills it, if it is still there. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearMounts(this.mountpoint);
    try {
      Deno.kill(this.pid, "SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.ended;
    clearMounts(this.mountpoint);
  }
}
