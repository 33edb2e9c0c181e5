import { ERRNO } from "../../base/errno.ts";
import { messageOf } from "../../base/message_of.ts";
import type {
  ByteStream,
  StreamOwner,
  Ticking,
} from "../../event/byte_stream.ts";
import type { CompletedOperation } from "../../event/ring_events.ts";
import { TLS_READ, type TlsEngine } from "./tls_engine.ts";

/** Bytes that are encrypted at once, and room for what they become. */
const SEND_BYTES = 128 * 1024;
const RECORD_BYTES = 16 * 1024;
/** More than any record adds to its bytes: RFC 8446, section 5.2. */
const RECORD_OVERHEAD = 256;
const OUTPUT_BYTES = SEND_BYTES + SEND_BYTES / RECORD_BYTES * RECORD_OVERHEAD;
const INPUT_BYTES = 128 * 1024;

/** A stream that carries TLS over another one. */
export class TlsStream implements ByteStream, StreamOwner {
  readonly #engine: TlsEngine;
  readonly #owner: StreamOwner;
  #raw: ByteStream | null = null;
  readonly #output = new Uint8Array(OUTPUT_BYTES);
  readonly #input = new Uint8Array(INPUT_BYTES);
  #isRawSending = false;
  #isRawReceiving = false;
  /** What the owner sends and was not encrypted yet. */
  #source: Uint8Array | null = null;
  #sourceAt = 0;
  #sourceLeft = 0;
  /** Where the owner receives. */
  #target: Uint8Array | null = null;
  #targetAt = 0;
  #targetLength = 0;
  #isDelivering = false;
  /** What every later `receive()` ends with; `null` while the stream goes on. */
  #end: number | null = null;
  #isClosed = false;

  /**
   * Uses an engine that is past the handshake, and frees it. The stream below
   * follows by `attach()`.
   */
  constructor(engine: TlsEngine, owner: StreamOwner) {
    this.#engine = engine;
    this.#owner = owner;
  }

  /** Starts to use the stream below, which it closes. */
  attach(raw: ByteStream): void {
    this.#raw = raw;
  }

  send(buffer: Uint8Array, start: number, length: number): void {
    this.#source = buffer;
    this.#sourceAt = start;
    this.#sourceLeft = length;
    this.#push();
  }

  receive(buffer: Uint8Array, start: number, length: number): void {
    this.#target = buffer;
    this.#targetAt = start;
    this.#targetLength = length;
    this.#deliver();
  }

  started(): void {
    this.#raw!.started();
  }

  completed(operation: CompletedOperation): void {
    this.#raw!.completed(operation);
  }

  expectsAhead(isExpected: boolean): void {
    this.#raw!.expectsAhead(isExpected);
  }

  everySecond(owner: Ticking): void {
    this.#raw!.everySecond(owner);
  }

  /** Ends at once, so without a close_notify. */
  close(discards: boolean = false): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#raw!.close(discards);
    this.#engine.free();
  }

  sent(result: number): void {
    this.#isRawSending = false;
    if (result < 0) return this.#sendFailed(result);
    this.#push();
    if (this.#isRawSending || this.#source === null) return;
    this.#source = null;
    this.#owner.sent(0);
  }

  received(result: number): void {
    this.#isRawReceiving = false;
    if (result > 0) this.#engine.feed(this.#input, 0, result);
    else if (result < 0) this.#end = result;
    else {
      this.#fail(
        -ERRNO.ECONNABORTED,
        "the connection ended without the end of TLS",
      );
    }
    this.#deliver();
  }

  /** Sends what the engine has for the peer, else more of the owner's bytes. */
  #push(): void {
    if (this.#isRawSending || this.#isClosed) return;
    const engine = this.#engine;
    let length = engine.take(this.#output, 0, OUTPUT_BYTES);
    if (length === 0 && this.#sourceLeft > 0) {
      const count = Math.min(this.#sourceLeft, SEND_BYTES);
      try {
        engine.write(this.#source!, this.#sourceAt, count);
      } catch (error) {
        this.#fail(-ERRNO.EPROTO, messageOf(error));
        return this.#sendFailed(-ERRNO.EPROTO);
      }
      this.#sourceAt += count;
      this.#sourceLeft -= count;
      length = engine.take(this.#output, 0, OUTPUT_BYTES);
    }
    if (length === 0) return;
    this.#isRawSending = true;
    this.#raw!.send(this.#output, 0, length);
  }

  #sendFailed(result: number): void {
    const wasSending = this.#source !== null;
    this.#source = null;
    this.#sourceLeft = 0;
    if (wasSending) this.#owner.sent(result);
  }

  /** Gives the owner what has come, as long as it wants more. */
  #deliver(): void {
    // The owner may ask for more while it is told of something.
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    while (this.#target !== null && !this.#isClosed) {
      const result = this.#read();
      if (result === TLS_READ.MORE) {
        this.#receiveMore();
        break;
      }
      this.#target = null;
      if (!this.#isClosed) this.#owner.received(result);
    }
    this.#isDelivering = false;
    // Reading may have made an answer of the protocol's own.
    this.#push();
  }

  #receiveMore(): void {
    if (this.#isRawReceiving) return;
    this.#isRawReceiving = true;
    this.#raw!.receive(this.#input, 0, INPUT_BYTES);
  }

  /** Reads records until there are no more of them, or no more room. */
  #read(): number {
    let done = 0;
    while (done < this.#targetLength) {
      const got = this.#readRecord(done);
      if (got <= 0) return done > 0 ? done : got;
      done += got;
    }
    return done;
  }

  /** Reads (a part of) one record: a count, `TLS_READ` or a negative errno. */
  #readRecord(done: number): number {
    const at = this.#targetAt + done;
    const room = this.#targetLength - done;
    let got: number = TLS_READ.MORE;
    try {
      got = this.#engine.read(this.#target!, at, room);
    } catch (error) {
      if (this.#end === null) this.#fail(-ERRNO.EPROTO, messageOf(error));
    }
    return got === TLS_READ.MORE ? this.#end ?? TLS_READ.MORE : got;
  }

  #fail(result: number, why: string): void {
    this.#end = result;
    this.#owner.failed?.(why);
  }
}
