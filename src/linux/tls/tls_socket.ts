import type { ConnectedSocket } from "../../backends/services.ts";
import { UserError } from "../../base/user_error.ts";
import type { ByteStream, StreamOwner } from "../../event/byte_stream.ts";
import { TLS_READ, type TlsEngine } from "./tls_engine.ts";
import { TlsFailure } from "./tls_failure.ts";
import { TlsStream } from "./tls_stream.ts";

// struct TLSPlaintext { ContentType type; ProtocolVersion version; uint16 length;
// opaque fragment[length]; }: RFC 8446, section 5.1.
const HEADER_BYTES = 5;
const LENGTH_AT = 3;
const TYPES = { FIRST: 20, LAST: 24 } as const;
/** Room for what is sent at once. */
const OUTPUT_BYTES = 18 * 1024;

/** A connection that carries TLS over another one. */
export class TlsSocket implements ConnectedSocket {
  readonly #socket: ConnectedSocket;
  readonly #engine: TlsEngine;
  readonly #name: string;
  /** Whether the peer has said anything after the handshake. */
  #isHeard = false;
  #isClosed = false;

  /**
   * Does the handshake.
   *
   * @param socket The connection, which is closed in the end, or if this fails.
   * @param engine A new engine, which is freed likewise.
   * @param name The server's name in errors.
   * @throws {UserError} If the handshake fails.
   */
  static async start(
    socket: ConnectedSocket,
    engine: TlsEngine,
    name: string,
  ): Promise<TlsSocket> {
    const own = new TlsSocket(socket, engine, name);
    try {
      await own.#shakeHands();
      return own;
    } catch (error) {
      own.close();
      throw error;
    }
  }

  private constructor(
    socket: ConnectedSocket,
    engine: TlsEngine,
    name: string,
  ) {
    this.#socket = socket;
    this.#engine = engine;
    this.#name = name;
  }

  async send(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    if (bytes.length === 0) return;
    this.#do(() => this.#engine.write(bytes, 0, bytes.length));
    await this.#orWithCertificate(() => this.#flush());
  }

  async receive(length: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const got = this.#do(() => this.#engine.read(bytes, done, length - done));
      if (got === TLS_READ.END) {
        throw this.#failure("its server closed the connection");
      }
      if (got !== TLS_READ.MORE) done += got;
      else await this.#orWithCertificate(() => this.#receiveRecord());
    }
    this.#isHeard = true;
    return bytes;
  }

  stream(owner: StreamOwner): ByteStream {
    this.#isClosed = true;
    const stream = new TlsStream(this.#engine, owner);
    stream.attach(this.#socket.stream(stream));
    return stream;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#engine.finish();
    // Sent at once, or not at all if there is no room for it.
    void this.#flush().catch(() => {});
    this.#engine.free();
    this.#socket.close();
  }

  async #shakeHands(): Promise<void> {
    for (;;) {
      try {
        const isDone = this.#engine.handshake();
        await this.#flush();
        if (isDone) return;
      } catch (error) {
        // The peer learns why.
        await this.#flush().catch(() => {});
        throw this.#explained(error);
      }
      await this.#receiveRecord();
    }
  }

  /**
   * Adds to an error what may have caused it: since TLS 1.3 a server refuses a
   * client only after the handshake, and some just close the connection.
   */
  async #orWithCertificate(call: () => Promise<void>): Promise<void> {
    try {
      await call();
    } catch (error) {
      if (this.#isHeard || !(error instanceof UserError)) throw error;
      throw new UserError(
        `${error.message}, or, if it wants a certificate of this client, give --tls-cert and --tls-key`,
        { cause: error },
      );
    }
  }

  /**
   * Takes one record of the peer, and no byte that follows it, so that these are
   * there for the stream.
   */
  async #receiveRecord(): Promise<void> {
    const header = await this.#socket.receive(HEADER_BYTES);
    this.#engine.feed(header, 0, HEADER_BYTES);
    const isRecord = header[0]! >= TYPES.FIRST && header[0]! <= TYPES.LAST;
    // The engine says what is wrong with it.
    if (!isRecord) return;
    const length = new DataView(header.buffer).getUint16(LENGTH_AT);
    if (length === 0) return;
    const fragment = await this.#socket.receive(length);
    this.#engine.feed(fragment, 0, length);
  }

  /** Sends what the engine has for the peer. */
  async #flush(): Promise<void> {
    for (;;) {
      const bytes = new Uint8Array(OUTPUT_BYTES);
      const length = this.#engine.take(bytes, 0, bytes.length);
      if (length === 0) return;
      await this.#socket.send(bytes.subarray(0, length));
    }
  }

  #do<T>(call: () => T): T {
    try {
      return call();
    } catch (error) {
      throw this.#explained(error);
    }
  }

  #explained(error: unknown): unknown {
    return error instanceof TlsFailure ? this.#failure(error.message) : error;
  }

  #failure(why: string): UserError {
    return new UserError(`Cannot open ${this.#name}: ${why}`);
  }
}
