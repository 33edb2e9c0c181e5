/**
 * A web server of a test's own: nginx, with the files of one directory.
 *
 * @module
 */
import { within } from "./_harness.ts";

const NGINX = "/usr/sbin/nginx";

/** nginx, which is killed at the end. */
export class Nginx implements AsyncDisposable {
  readonly #directory: string;
  readonly #settings: string;
  readonly #port: number;
  #process: Deno.ChildProcess | null = null;

  private constructor(directory: string, settings: string) {
    this.#directory = directory;
    this.#settings = settings;
    this.#port = freePort();
  }

  /**
   * Starts a server.
   *
   * @param directory What it serves; its own files lie in `nginx` below it.
   * @param settings Further lines for its `server`.
   */
  static async start(directory: string, settings = ""): Promise<Nginx> {
    const server = new Nginx(directory, settings);
    await server.start();
    return server;
  }

  /** The URL of a file. */
  url(file: string, scheme = "http"): string {
    return `${scheme}://127.0.0.1:${this.#port}/${file}`;
  }

  async start(): Promise<void> {
    const own = `${this.#directory}/nginx`;
    await Deno.mkdir(own, { recursive: true });
    const listen = this.#settings.includes("ssl_certificate") ? " ssl" : "";
    await Deno.writeTextFile(
      `${own}/nginx.conf`,
      `daemon off; master_process off; pid ${own}/pid; error_log ${own}/error.log;
events {}
http {
  access_log ${own}/access.log; sendfile on; default_type application/octet-stream;
  client_body_temp_path ${own}; proxy_temp_path ${own}; fastcgi_temp_path ${own};
  uwsgi_temp_path ${own}; scgi_temp_path ${own}; keepalive_requests 100000;
  server { listen 127.0.0.1:${this.#port}${listen}; root ${this.#directory}; ${this.#settings} }
}
`,
    );
    this.#process = new Deno.Command(NGINX, {
      args: ["-p", own, "-c", `${own}/nginx.conf`],
      stdin: "null",
      stderr: "null",
    }).spawn();
    await within(this.#listens(), "nginx listens");
  }

  /** Lines of its log: one for each request. */
  async requests(): Promise<string[]> {
    const log = `${this.#directory}/nginx/access.log`;
    return (await Deno.readTextFile(log)).trim().split("\n");
  }

  async stop(): Promise<void> {
    this.#process?.kill("SIGKILL");
    await this.#process?.status;
    this.#process = null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #listens(): Promise<void> {
    for (;;) {
      try {
        const port = this.#port;
        const socket = await Deno.connect({ hostname: "127.0.0.1", port });
        return socket.close();
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }
}

/** A port that nobody listens on at the moment. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}
