/** nbdkit, which serves a file on a Unix socket. */
export class NbdServer implements AsyncDisposable {
  readonly #socket: string;
  readonly #args: readonly string[];
  #process: Deno.ChildProcess | null = null;

  /** Prepares a server. */
  constructor(socket: string, ...args: string[]) {
    this.#socket = socket;
    this.#args = args;
  }

  /** Its export, without TLS. */
  get uri(): string {
    return `nbd+unix:///?socket=${this.#socket}`;
  }

  async start(): Promise<this> {
    const args = ["-f", "-U", this.#socket, ...this.#args];
    this.#process = new Deno.Command("nbdkit", { args, stderr: "null" })
      .spawn();
    for (let tries = 0; tries < 200; tries++) {
      try {
        await Deno.lstat(this.#socket);
        return this;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    throw new Error("nbdkit does not start");
  }

  /** Sends it a signal. */
  signal(signal: Deno.Signal): void {
    this.#process?.kill(signal);
  }

  async kill(): Promise<void> {
    try {
      this.#process?.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.#process?.status;
    this.#process = null;
    await Deno.remove(this.#socket).catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
