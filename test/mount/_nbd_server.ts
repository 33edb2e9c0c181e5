/** nbdkit or qemu-nbd, which serves a file on a Unix socket. */
export class NbdServer implements AsyncDisposable {
  readonly #socket: string;
  #command: readonly string[];
  #process: Deno.ChildProcess | null = null;

  /** Prepares nbdkit. */
  constructor(socket: string, ...args: string[]) {
    this.#socket = socket;
    this.#command = ["nbdkit", "-f", "-U", socket, ...args];
  }

  /** Prepares qemu-nbd, for any number of clients. */
  static qemu(socket: string, ...args: string[]): NbdServer {
    const server = new NbdServer(socket);
    const shared = ["--persistent", "--shared=0", `--socket=${socket}`];
    server.#command = ["qemu-nbd", ...shared, ...args];
    return server;
  }

  /** Its export, without TLS. */
  get uri(): string {
    return `nbd+unix:///?socket=${this.#socket}`;
  }

  async start(): Promise<this> {
    const [program, ...args] = this.#command;
    this.#process = new Deno.Command(program!, { args, stderr: "null" })
      .spawn();
    for (let tries = 0; tries < 200; tries++) {
      try {
        await Deno.lstat(this.#socket);
        return this;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    throw new Error(`${program} does not start`);
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
