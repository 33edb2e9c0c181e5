/**
 * An NBD server in memory, which can lose connections and what it has not
 * flushed.
 *
 * @module
 */
import type {
  ConnectedSocket,
  SocketService,
} from "../../../src/backends/services.ts";
import { NO_SOCKETS } from "../_fake_files.ts";
import { dataPayload, extentPayload, holePayload } from "./_model_payloads.ts";
import { UserError } from "../../../src/base/user_error.ts";
import type {
  ByteStream,
  StreamOwner,
  Ticking,
} from "../../../src/event/byte_stream.ts";
import {
  BASE_ALLOCATION,
  COMMAND,
  EXPORT_FLAG,
  HANDSHAKE,
  INFO,
  MAGIC,
  OPTION,
  OPTION_ERROR,
  REPLY,
  REQUEST_MAGIC,
  SIMPLE_REPLY_MAGIC,
  STRUCTURED_REPLY_MAGIC,
} from "../../../src/backends/protocols/nbd/constants.ts";

const { HAS_FLAGS, SEND_FLUSH, SEND_WRITE_ZEROES, CAN_MULTI_CONN } =
  EXPORT_FLAG;

/** What the server offers. */
export interface ModelOptions {
  readonly size: number;
  readonly structured?: boolean;
  readonly minBlock?: number;
  readonly maxPayload?: number;
  readonly flags?: number;
  /** Decides how many bytes come at once; all that are there if left out. */
  readonly split?: () => number;
  /** Decides what is sent in place of a message. */
  readonly damage?: (message: Uint8Array) => Uint8Array;
  /**
   * Decides how long a request waits before it is carried out, and then before it
   * is answered, in milliseconds; nothing waits if left out.
   */
  readonly delay?: () => number;
  /**
   * Whether requests that were taken are carried out although their connection
   * was cut meanwhile; no if left out.
   */
  readonly outlives?: boolean;
}

/** The server, and the network that leads to it. */
export class ModelServer implements SocketService {
  /** What clients read. */
  bytes: Uint8Array;
  /** What would be there after a crash. */
  durable: Uint8Array;
  /** Whether connections are refused. */
  isDown = false;
  /** Connections that were made. */
  connections = 0;
  /** Requests that were carried out, by command. */
  readonly served: number[] = [];
  /** Whether requests are carried out and not answered. */
  isSilent = false;
  /** Whether replies have a wrong cookie. */
  isMad = false;
  /** How often it has started anew. */
  starts = 0;
  readonly options: ModelOptions;
  readonly #open = new Set<ModelConnection>();
  /** What it has to do once it goes on; `null` unless it hangs. */
  #stalled: (() => void)[] | null = null;

  /** Makes a server with an empty disk. */
  constructor(options: ModelOptions) {
    this.options = options;
    this.bytes = new Uint8Array(options.size);
    this.durable = new Uint8Array(options.size);
  }

  connect(_address: unknown, name: string): Promise<ConnectedSocket> {
    if (this.isDown) {
      return Promise.reject(new UserError(`Cannot open ${name}: refused`));
    }
    this.connections++;
    const connection = new ModelConnection(this);
    this.#open.add(connection);
    return Promise.resolve(connection);
  }

  tls = NO_SOCKETS.tls;

  /** Cuts every connection; the server itself goes on. */
  cut(): void {
    for (const connection of this.#open) connection.cut();
    this.#open.clear();
  }

  /** Crashes, and starts anew with what it had flushed. */
  crash(): void {
    this.cut();
    this.starts++;
    this.#stalled = null;
    this.bytes = this.durable.slice();
  }

  /** Hangs: takes requests, and carries out none and answers none. */
  stall(): void {
    this.#stalled ??= [];
  }

  /** Goes on with what it took while it hung, after other delays. */
  resume(): void {
    const steps = this.#stalled ?? [];
    this.#stalled = null;
    for (const step of steps) this.later(step);
  }

  /** Takes a step after a delay, unless it hangs then. */
  later(step: () => void): void {
    const { delay } = this.options;
    const start = () => {
      if (this.#stalled === null) step();
      else this.#stalled.push(step);
    };
    if (delay === undefined) start();
    else setTimeout(start, delay());
  }
}

/** One connection, seen by both sides. */
class ModelConnection implements ConnectedSocket, ByteStream {
  readonly #server: ModelServer;
  #input = new Uint8Array(0);
  #output: number[] = [];
  #phase: "greeting" | "options" | "transmission" = "greeting";
  #isCut = false;
  #owner: StreamOwner | null = null;
  #receiving: (() => void) | null = null;
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();

  constructor(server: ModelServer) {
    this.#server = server;
    const hello = new DataView(new ArrayBuffer(18));
    hello.setBigUint64(0, MAGIC.INIT);
    hello.setBigUint64(8, MAGIC.OPTION);
    hello.setUint16(16, HANDSHAKE.FIXED_NEWSTYLE | HANDSHAKE.NO_ZEROES);
    this.#put(hello);
  }

  cut(): void {
    this.#isCut = true;
    this.#wake();
  }

  async send(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  send(buffer: Uint8Array, start: number, length: number): void;
  send(
    buffer: Uint8Array,
    start = 0,
    length = buffer.length,
  ): Promise<void> | void {
    this.#take(buffer.slice(start, start + length));
    if (this.#owner === null) return Promise.resolve();
    queueMicrotask(() => this.#owner!.sent(this.#isCut ? -32 : 0));
  }

  // deno-lint-ignore no-explicit-any
  receive(...args: any[]): any {
    if (this.#owner === null) {
      const length = args[0] as number;
      if (this.#output.length < length) {
        return Promise.reject(new UserError("the model has nothing to say"));
      }
      return Promise.resolve(Uint8Array.from(this.#output.splice(0, length)));
    }
    const [buffer, start, length] = args as [Uint8Array, number, number];
    this.#receiving = () => {
      const most = this.#server.options.split?.() ?? Infinity;
      const count = Math.min(length, this.#output.length, Math.max(1, most));
      if (count === 0 && !this.#isCut) return;
      this.#receiving = null;
      // What had been sent before the cut is lost with it.
      if (this.#isCut) return this.#owner!.received(0);
      buffer.set(this.#output.splice(0, count), start);
      this.#owner!.received(count);
    };
    this.#wake();
  }

  stream(owner: StreamOwner): ByteStream {
    this.#owner = owner;
    return this;
  }

  started(): void {}

  expectsAhead(): void {}

  everySecond(owner: Ticking): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (owner.tick()) this.everySecond(owner);
    }, 1000);
    this.#timers.add(timer);
  }

  completed(operation: { settle(): void }): void {
    queueMicrotask(() => operation.settle());
  }

  close(): void {
    this.#isCut = true;
    this.#receiving = null;
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #wake(): void {
    queueMicrotask(() => this.#receiving?.());
  }

  #put(view: DataView<ArrayBuffer>, data?: Uint8Array): void {
    const { length } = new Uint8Array(view.buffer);
    let message = new Uint8Array(length + (data?.length ?? 0));
    message.set(new Uint8Array(view.buffer));
    if (data !== undefined) message.set(data, length);
    const { damage } = this.#server.options;
    if (damage !== undefined) message = new Uint8Array(damage(message));
    for (const byte of message) this.#output.push(byte);
    this.#wake();
  }

  #take(bytes: Uint8Array): void {
    if (this.#isCut) return;
    const all = new Uint8Array(this.#input.length + bytes.length);
    all.set(this.#input);
    all.set(bytes, this.#input.length);
    this.#input = all;
    for (;;) {
      const used = this.#message(new DataView(this.#input.buffer));
      if (used === 0) return;
      this.#input = this.#input.slice(used);
    }
  }

  #message(view: DataView<ArrayBuffer>): number {
    const { length } = this.#input;
    if (this.#phase === "greeting") {
      if (length < 4) return 0;
      this.#phase = "options";
      return 4;
    }
    if (this.#phase === "options") {
      if (length < 16 || length < 16 + view.getUint32(12)) return 0;
      this.#option(view.getUint32(8));
      return 16 + view.getUint32(12);
    }
    if (length < 28) return 0;
    const command = view.getUint16(6);
    const count = view.getUint32(24);
    const data = command === COMMAND.WRITE ? count : 0;
    if (length < 28 + data) return 0;
    if (view.getUint32(0) !== REQUEST_MAGIC) throw new Error("no request");
    this.#request(view, command, count);
    return 28 + data;
  }

  #option(code: number): void {
    const { options } = this.#server;
    const reply = (type: number, data = new Uint8Array(0)) => {
      const header = new DataView(new ArrayBuffer(20));
      header.setBigUint64(0, MAGIC.OPTION_REPLY);
      header.setUint32(8, code);
      header.setUint32(12, type);
      header.setUint32(16, data.length);
      this.#put(header, data);
    };
    if (code === OPTION.STRUCTURED_REPLY) {
      return reply(options.structured ? REPLY.ACK : OPTION_ERROR.UNSUPPORTED);
    }
    if (code === OPTION.SET_META_CONTEXT) {
      const name = new TextEncoder().encode(BASE_ALLOCATION);
      reply(REPLY.META_CONTEXT, Uint8Array.of(0, 0, 0, 9, ...name));
      return reply(REPLY.ACK);
    }
    const info = new DataView(new ArrayBuffer(12));
    info.setUint16(0, INFO.EXPORT);
    info.setBigUint64(2, BigInt(options.size));
    const flags = HAS_FLAGS | SEND_FLUSH | SEND_WRITE_ZEROES | CAN_MULTI_CONN;
    info.setUint16(10, options.flags ?? flags);
    reply(REPLY.INFO, new Uint8Array(info.buffer));
    const blocks = new DataView(new ArrayBuffer(14));
    blocks.setUint16(0, INFO.BLOCK_SIZE);
    blocks.setUint32(2, options.minBlock ?? 1);
    blocks.setUint32(6, 4096);
    blocks.setUint32(10, options.maxPayload ?? 32 << 20);
    reply(REPLY.INFO, new Uint8Array(blocks.buffer));
    reply(REPLY.ACK);
    this.#phase = "transmission";
  }

  #request(view: DataView<ArrayBuffer>, command: number, count: number): void {
    // What is written is taken now, the rest may be done later.
    const data = this.#input.slice(28, 28 + count);
    const server = this.#server;
    const { starts } = server;
    server.later(() => {
      const isOver = this.#isCut && server.options.outlives !== true;
      if (isOver || server.starts !== starts) return;
      this.#carryOut(view, command, count, data);
    });
  }

  #carryOut(
    view: DataView<ArrayBuffer>,
    command: number,
    count: number,
    written: Uint8Array,
  ): void {
    const server = this.#server;
    const at = Number(view.getBigUint64(16));
    const { minBlock = 1 } = server.options;
    if (at % minBlock !== 0 || count % minBlock !== 0) {
      return this.#answer(view, command, 22);
    }
    server.served[command] = (server.served[command] ?? 0) + 1;
    if (command === COMMAND.WRITE) {
      server.bytes.set(written, at);
    } else if (command === COMMAND.WRITE_ZEROES) {
      server.bytes.fill(0, at, at + count);
    } else if (command === COMMAND.FLUSH) {
      server.durable = server.bytes.slice();
    }
    if (server.isSilent) return;
    const data = command === COMMAND.READ
      ? server.bytes.slice(at, at + count)
      : undefined;
    server.later(() => {
      if (!this.#isCut) this.#answer(view, command, 0, data, at);
    });
  }

  #answer(
    request: DataView,
    command: number,
    error: number,
    data?: Uint8Array,
    at = 0,
  ): void {
    const mad = this.#server.isMad ? 1n : 0n;
    const cookie = request.getBigUint64(8) ^ mad;
    const isStructured = this.#server.options.structured === true;
    if (!isStructured || (command === COMMAND.WRITE && error === 0)) {
      const simple = new DataView(new ArrayBuffer(16));
      simple.setUint32(0, SIMPLE_REPLY_MAGIC);
      simple.setUint32(4, error);
      simple.setBigUint64(8, cookie);
      return this.#put(simple, data);
    }
    const chunk = (type: number, payload: Uint8Array, isLast: boolean) => {
      const header = new DataView(new ArrayBuffer(20));
      header.setUint32(0, STRUCTURED_REPLY_MAGIC);
      header.setUint16(4, isLast ? 1 : 0);
      header.setUint16(6, type);
      header.setBigUint64(8, cookie);
      header.setUint32(16, payload.length);
      this.#put(header, payload);
    };
    if (error !== 0) {
      return chunk(0x8001, Uint8Array.of(0, 0, 0, error, 0, 0), true);
    }
    if (command === COMMAND.BLOCK_STATUS) {
      const count = request.getUint32(24);
      const from = Number(request.getBigUint64(16));
      const payload = extentPayload(this.#server.bytes, from, count);
      return chunk(5, payload, true);
    }
    if (data === undefined) return chunk(0, new Uint8Array(0), true);
    // The second half first, and zeroes at the end as a hole.
    const half = Math.floor(data.length / 2);
    const placed = (from: number, to: number) =>
      dataPayload(at + from, data.subarray(from, to));
    if (half > 0) chunk(1, placed(half, data.length), false);
    const first = half > 0 ? half : data.length;
    if (data.subarray(0, first).every((byte) => byte === 0)) {
      return chunk(2, holePayload(at, first), true);
    }
    chunk(1, placed(0, first), true);
  }
}
