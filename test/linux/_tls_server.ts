import { driverServices } from "../../src/session/driver_services.ts";
import type { ConnectedSocket, TlsFiles } from "../../src/backends/services.ts";
import type { StreamOwner } from "../../src/event/byte_stream.ts";
import type { Certificate } from "../_certificates.ts";

/** The name of the server in errors. */
export const NAME = "test:";
const LIMIT_MS = 10_000;

/** openssl(1) as a server of TLS on a free port of this machine. */
export class TlsServer implements AsyncDisposable {
  readonly port: number;
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: ReadableStreamDefaultReader<string>;
  #text = "";

  private constructor(process: Deno.ChildProcess, port: number) {
    this.port = port;
    this.#process = process;
    this.#input = process.stdin.getWriter();
    this.#output = process.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
  }

  /** Starts a server. */
  static async start(
    { certificate, key }: Certificate,
    ...args: string[]
  ): Promise<TlsServer> {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr as Deno.NetAddr;
    listener.close();
    const process = new Deno.Command("openssl", {
      args: [
        ...["s_server", "-accept", `127.0.0.1:${port}`],
        ...["-cert", certificate, "-key", key, ...args],
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const server = new TlsServer(process, port);
    await server.said("ACCEPT");
    return server;
  }

  /** Types a line at its terminal. */
  async type(line: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
  }

  /** Waits for a text in its output, after what was waited for before. */
  async said(text: string): Promise<void> {
    while (!this.#text.includes(text)) {
      const { value, done } = await this.#output.read();
      if (done) throw new Error(`s_server did not say ${text}: ${this.#text}`);
      this.#text += value;
    }
    this.#text = this.#text.slice(this.#text.indexOf(text) + text.length);
  }

  kill(): void {
    this.#process.kill("SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.kill();
    } catch {
      // It has ended.
    }
    await this.#input.close().catch(() => {});
    await this.#output.cancel();
    await this.#process.status;
  }
}

/** Connects to a port of this machine. */
export function connect(port: number): Promise<ConnectedSocket> {
  const address = { kind: "tcp", host: "127.0.0.1", port } as const;
  return driverServices({}).sockets.connect(address, NAME, LIMIT_MS);
}

/** Connects and does the handshake. */
export async function startTls(
  port: number,
  host: string,
  files: Partial<TlsFiles>,
  protocols: readonly string[] = [],
): Promise<ConnectedSocket> {
  const all = { ca: null, certificate: null, key: null, ...files };
  const client = driverServices({}).sockets.tls(all, NAME);
  try {
    return await client.start(await connect(port), host, protocols);
  } finally {
    client.close();
  }
}

/** A stream, used by promises. */
export class TestStream implements StreamOwner {
  readonly #stream;
  #sent: ((result: number) => void) | null = null;
  #received: ((result: number) => void) | null = null;
  /** What `failed()` was told. */
  why = "";

  constructor(socket: ConnectedSocket) {
    this.#stream = socket.stream(this);
  }

  send(bytes: Uint8Array): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.#sent = resolve;
    this.#stream.send(bytes, 0, bytes.length);
    return promise;
  }

  receive(bytes: Uint8Array, start = 0): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.#received = resolve;
    this.#stream.receive(bytes, start, bytes.length - start);
    return promise;
  }

  /** Receives a text of a known length. */
  async text(length: number): Promise<string> {
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const got = await this.receive(bytes, done);
      if (got <= 0) throw new Error(`The stream ended: ${got} ${this.why}`);
      done += got;
    }
    return new TextDecoder().decode(bytes);
  }

  sent(result: number): void {
    this.#sent!(result);
  }

  received(result: number): void {
    this.#received!(result);
  }

  failed(why: string): void {
    this.why = why;
  }

  close(): void {
    this.#stream.close();
  }
}
