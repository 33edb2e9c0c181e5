/**
 * A web server in memory, which answers requests as a test wants.
 *
 * @module
 */
import type {
  ConnectedSocket,
  SocketService,
  TlsClient,
} from "../../../src/backends/services.ts";
import { UserError } from "../../../src/base/user_error.ts";
import type {
  ByteStream,
  StreamOwner,
  Ticking,
} from "../../../src/event/byte_stream.ts";

/** A request as the server sees it. */
export interface ModelRequest {
  readonly target: string;
  /** Values by names in lower case. */
  readonly fields: ReadonlyMap<string, string>;
  /** What Range asks for; both ends are included. */
  readonly range: readonly [first: number, last: number] | null;
  /** How many requests came before on all connections. */
  readonly number: number;
}

/** The bytes of an answer, or what becomes of the connection instead. */
export type ModelAnswer = Uint8Array | string | "close" | "silence";

/** The server, and the network that leads to it. */
export class ModelWebServer implements SocketService {
  /** What is at every path. */
  bytes: Uint8Array<ArrayBuffer>;
  etag: string | null = '"1"';
  lastModified: string | null = null;
  /** Whether connections are refused. */
  isDown = false;
  /** Answers in place of the usual ones; those, if it returns `null`. */
  answer: (request: ModelRequest) => ModelAnswer | null = () => null;
  /** How many bytes come at once. */
  split: () => number = () => Infinity;
  /** Bytes after which a connection ends. */
  endsAfter = Infinity;
  readonly requests: ModelRequest[] = [];
  connections = 0;
  /** How often bytes have come at a client. */
  arrivals = 0;
  /** Hosts to which connections were made. */
  readonly hosts: string[] = [];
  /** Hosts for which TLS was begun. */
  readonly tlsHosts: string[] = [];
  readonly #open = new Set<ModelConnection>();

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.bytes = bytes;
  }

  connect(address: unknown, name: string): Promise<ConnectedSocket> {
    if (this.isDown) {
      return Promise.reject(
        new UserError(`Cannot open ${name}: nothing can be reached`),
      );
    }
    this.connections++;
    this.hosts.push((address as { host: string }).host);
    const connection = new ModelConnection(this);
    this.#open.add(connection);
    return Promise.resolve(connection);
  }

  /** TLS without TLS: it only notes for which host it is begun. */
  tls(): TlsClient {
    return {
      start: (socket, host) => {
        this.tlsHosts.push(host);
        return Promise.resolve(socket);
      },
      close() {},
    };
  }

  /** Cuts every connection. */
  cut(): void {
    for (const connection of this.#open) connection.cut();
    this.#open.clear();
  }

  /** Lets the owners of all connections look at the clock. */
  tick(): void {
    for (const connection of this.#open) connection.tick();
  }

  /** The usual answer to a request. */
  usual({ range, fields }: ModelRequest): Uint8Array | string {
    const match = fields.get("if-match");
    const validators = (this.etag === null ? "" : `ETag: ${this.etag}\r\n`) +
      (this.lastModified === null
        ? ""
        : `Last-Modified: ${this.lastModified}\r\n`);
    if (match !== undefined && match !== this.etag) {
      return "HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n";
    }
    const { length } = this.bytes;
    const [first, last] = range ?? [0, length - 1];
    if (first >= length) {
      return `HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */${length}\r\nContent-Length: 0\r\n${validators}\r\n`;
    }
    const end = Math.min(last + 1, length);
    const head =
      `HTTP/1.1 206 Partial Content\r\nContent-Range: bytes ${first}-${
        end - 1
      }/${length}\r\nContent-Length: ${end - first}\r\n${validators}\r\n`;
    return withBody(head, this.bytes.subarray(first, end));
  }
}

/** Takes the head of a request apart, without the empty line at its end. */
export function requestOf(head: string, number: number): ModelRequest {
  const lines = head.split("\r\n");
  const fields = new Map(
    lines.slice(1).map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 2)];
    }),
  );
  const range = /^bytes=(\d+)-(\d+)$/.exec(fields.get("range") ?? "");
  return {
    target: lines[0]!.split(" ")[1]!,
    fields,
    range: range === null ? null : [Number(range[1]), Number(range[2])],
    number,
  };
}

/** A head and a body. */
export function withBody(head: string, body: Uint8Array): Uint8Array {
  const start = new TextEncoder().encode(head);
  const all = new Uint8Array(start.length + body.length);
  all.set(start);
  all.set(body, start.length);
  return all;
}

/** One connection, seen by both sides. */
class ModelConnection implements ConnectedSocket, ByteStream {
  readonly #server: ModelWebServer;
  #input = "";
  #output: Uint8Array[] = [];
  #isCut = false;
  #endsNext = false;
  #sent = 0;
  #owner: StreamOwner | null = null;
  #receiving: (() => void) | null = null;
  #ticking: Ticking | null = null;

  constructor(server: ModelWebServer) {
    this.#server = server;
  }

  cut(): void {
    this.#isCut = true;
    this.#wake();
  }

  tick(): void {
    if (this.#ticking?.tick() === false) this.#ticking = null;
  }

  send(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  send(buffer: Uint8Array, start: number, length: number): void;
  send(
    buffer: Uint8Array,
    start = 0,
    length = buffer.length,
  ): Promise<void> | void {
    const part = buffer.subarray(start, start + length);
    this.#input += new TextDecoder("latin1").decode(part);
    queueMicrotask(() => this.#owner?.sent(this.#isCut ? -32 : 0));
    this.#take();
  }

  // deno-lint-ignore no-explicit-any
  receive(...args: any[]): any {
    const [buffer, start, length] = args as [Uint8Array, number, number];
    this.#receiving = () => {
      const [first] = this.#output;
      if (this.#isCut || this.#sent >= this.#server.endsAfter) {
        this.#receiving = null;
        this.#isCut = true;
        return this.#owner!.received(0);
      }
      if (first === undefined) {
        if (!this.#endsNext) return;
        this.#receiving = null;
        return this.#owner!.received(0);
      }
      this.#receiving = null;
      const left = this.#server.endsAfter - this.#sent;
      const most = Math.max(1, this.#server.split());
      const count = Math.min(length, first.length, most, left);
      buffer.set(first.subarray(0, count), start);
      this.#output[0] = first.subarray(count);
      if (count === first.length) this.#output.shift();
      this.#sent += count;
      this.#server.arrivals++;
      this.#owner?.received(count);
    };
    this.#wake();
  }

  stream(owner: StreamOwner): ByteStream {
    this.#owner = owner;
    return this;
  }

  started(): void {}

  completed(operation: { settle(): void }): void {
    queueMicrotask(() => operation.settle());
  }

  expectsAhead(): void {}

  everySecond(owner: Ticking): void {
    this.#ticking = owner;
  }

  close(): void {
    this.#isCut = true;
    this.#receiving = null;
    this.#owner = null;
  }

  #wake(): void {
    queueMicrotask(() => this.#receiving?.());
  }

  #take(): void {
    for (;;) {
      const end = this.#input.indexOf("\r\n\r\n");
      if (end < 0) return;
      const head = this.#input.slice(0, end);
      this.#input = this.#input.slice(end + 4);
      this.#answer(head);
    }
  }

  #answer(head: string): void {
    const server = this.#server;
    const request = requestOf(head, server.requests.length);
    server.requests.push(request);
    const answer = server.answer(request) ?? server.usual(request);
    if (answer === "silence") return;
    if (answer === "close") return this.cut();
    const bytes = typeof answer === "string"
      ? new TextEncoder().encode(answer)
      : answer;
    if (bytes.length > 0) this.#output.push(bytes);
    this.#endsNext = /\r\nConnection: close\r\n/i.test(
      new TextDecoder("latin1").decode(bytes.subarray(0, 2000)),
    );
    this.#wake();
  }
}
