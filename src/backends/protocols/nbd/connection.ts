import { ERRNO } from "../../../base/errno.ts";
import type {
  ByteStream,
  StreamOwner,
  Ticking,
} from "../../../event/byte_stream.ts";
import { COMMAND, REQUEST_BYTES, REQUEST_MAGIC } from "./constants.ts";
import type { NbdExport } from "./handshake.ts";
import { ProtocolViolation, ReplyParser } from "./replies.ts";
import { type NbdRequest, OUTCOME } from "./request.ts";

/** Bytes that are sent at once, unless one WRITE alone has more. */
const SEND_BYTES = 256 * 1024;
const RECEIVE_BYTES = 256 * 1024;
/** Below it a message may be completed by the bytes that follow. */
const RECEIVE_LEAST = 4096;
/** How many times as long as a server may be silent a request may take. */
const LONG_TIMES = 10;

/** Is told once that a connection cannot be used any more. */
export interface ConnectionOwner {
  /** Called when no code of a handler may run. */
  lost(why: string): void;
}

/**
 * A connection in the transmission phase: one SEND in flight, which carries all
 * requests that wait, and one RECEIVE while a reply is awaited. It is lost if the
 * server is silent for too long while a reply is awaited.
 */
export class NbdConnection implements StreamOwner, Ticking {
  readonly #owner: ConnectionOwner;
  readonly #parser: ReplyParser;
  #stream: ByteStream | null = null;
  /** Requests that await a reply, by slot. */
  readonly #awaited: (NbdRequest | null)[] = [];
  readonly #freeSlots: number[] = [];
  readonly #generations: number[] = [];
  #count = 0;
  /** Requests that are still to be sent, from `#next` on. */
  #queue: NbdRequest[] = [];
  #next = 0;
  readonly #sendBuffer = new Uint8Array(SEND_BYTES);
  readonly #sendView = new DataView(this.#sendBuffer.buffer);
  #isSending = false;
  /** A WRITE whose header was sent without its data. */
  #separate: NbdRequest | null = null;
  readonly #bytes = new Uint8Array(RECEIVE_BYTES);
  /** What has come and was not taken apart yet. */
  #from = 0;
  #to = 0;
  #isReceiving = false;
  #isDirect = false;
  #isLost = false;
  readonly #silenceS: number;
  /**
   * Seconds that were counted since something was sent or came. A clock would go
   * on while this program, and with it the server's replies, are stopped.
   */
  #silent = 0;
  #isTicking = false;

  /**
   * Makes a connection, which `attach()` gives a stream.
   *
   * @param silenceS How long the server may be silent, in seconds.
   */
  constructor(exported: NbdExport, owner: ConnectionOwner, silenceS: number) {
    this.#owner = owner;
    this.#silenceS = silenceS;
    this.#parser = new ReplyParser(exported, {
      find: (high, low) => this.#find(high, low),
      answered: (request) => this.#answered(request),
    });
  }

  /** Starts to use a stream that is past the handshake. */
  attach(stream: ByteStream): void {
    this.#stream = stream;
  }

  /** Sends a request; its `settle()` follows when it is answered or lost. */
  submit(request: NbdRequest): void {
    const slot = this.#freeSlots.pop() ?? this.#awaited.length;
    request.slot = slot;
    request.generation =
      this.#generations[slot] =
        (this.#generations[slot] ?? 0) + 1 >>> 0;
    this.#awaited[slot] = request;
    if (this.#count++ === 0) this.#watch();
    this.#stream!.started();
    this.#queue.push(request);
    this.#send();
    this.#receive();
  }

  sent(result: number): void {
    this.#isSending = false;
    this.#silent = 0;
    if (result < 0) return this.#lose(`sending failed (error ${-result})`);
    this.#send();
  }

  received(result: number): void {
    this.#isReceiving = false;
    this.#silent = 0;
    if (result <= 0) {
      return this.#lose(
        result === 0
          ? "the server closed the connection"
          : `receiving failed (error ${-result})`,
      );
    }
    try {
      if (this.#isDirect) this.#parser.filled(result);
      else {
        this.#to += result;
        this.#from = this.#parser.take(this.#bytes, this.#from, this.#to);
      }
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error;
      return this.#lose(`the server broke the protocol: ${error.message}`);
    }
    this.#receive();
  }

  tick(): boolean {
    this.#isTicking = this.#count > 0 && !this.#isLost;
    if (!this.#isTicking) return false;
    const limit = this.#silenceS;
    // A server may be silent while it flushes or zeroes, which may take long.
    let isSlow = false;
    let longest = 0;
    for (const request of this.#awaited) {
      if (request === null) continue;
      longest = Math.max(longest, ++request.waitedS);
      isSlow ||= mayBeSlow(request.command);
    }
    if (++this.#silent > limit && !isSlow) {
      this.#lose(`the server has been silent for ${limit} seconds`);
    } else if (longest > LONG_TIMES * limit) {
      const seconds = LONG_TIMES * limit;
      this.#lose(
        `the server has not answered a request for ${seconds} seconds`,
      );
    }
    return this.#isTicking = !this.#isLost;
  }

  /** Closes the connection, without a word to the server. */
  close(): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#stream?.close();
  }

  /** Counts seconds from the first request that waits. */
  #watch(): void {
    this.#silent = 0;
    if (this.#isTicking) return;
    this.#isTicking = true;
    this.#stream!.everySecond(this);
  }

  /** Sends as many requests as fit into one buffer. */
  #send(): void {
    if (this.#isSending || this.#isLost) return;
    const separate = this.#separate;
    if (separate !== null) {
      this.#separate = null;
      const { buffer, start, length } = separate;
      return this.#sendFrom(buffer!, start, length);
    }
    let length = 0;
    while (this.#next < this.#queue.length) {
      const request = this.#queue[this.#next]!;
      const data = request.command === COMMAND.WRITE ? request.length : 0;
      const end = length + REQUEST_BYTES + data;
      if (end > SEND_BYTES && length > 0) break;
      this.#next++;
      this.#header(request, length);
      length += REQUEST_BYTES;
      if (end > SEND_BYTES) {
        this.#separate = request;
        break;
      }
      if (data === 0) continue;
      const { buffer, start } = request;
      this.#sendBuffer.set(buffer!.subarray(start, start + data), length);
      length += data;
    }
    if (this.#next === this.#queue.length) {
      this.#queue.length = 0;
      this.#next = 0;
    }
    if (length > 0) this.#sendFrom(this.#sendBuffer, 0, length);
  }

  #sendFrom(buffer: Uint8Array, start: number, length: number): void {
    this.#isSending = true;
    this.#stream!.send(buffer, start, length);
  }

  #header(request: NbdRequest, at: number): void {
    const view = this.#sendView;
    const { offset } = request;
    view.setUint32(at, REQUEST_MAGIC);
    view.setUint16(at + 4, request.flags);
    view.setUint16(at + 6, request.command);
    view.setUint32(at + 8, request.generation);
    view.setUint32(at + 12, request.slot);
    view.setUint32(at + 16, Math.floor(offset / 2 ** 32));
    view.setUint32(at + 20, offset % 2 ** 32);
    view.setUint32(at + 24, request.length);
  }

  /** Receives while a reply is awaited. */
  #receive(): void {
    if (this.#isReceiving || this.#isLost || this.#count === 0) return;
    const parser = this.#parser;
    this.#isReceiving = true;
    // Much of one READ goes to its place without a copy.
    this.#isDirect = this.#from === this.#to &&
      parser.directLength >= RECEIVE_LEAST;
    if (this.#isDirect) {
      const { directBuffer, directStart, directLength } = parser;
      return this.#stream!.receive(directBuffer, directStart, directLength);
    }
    if (this.#from === this.#to) this.#from = this.#to = 0;
    else if (RECEIVE_BYTES - this.#to < RECEIVE_LEAST) this.#compact();
    this.#stream!.receive(this.#bytes, this.#to, RECEIVE_BYTES - this.#to);
  }

  /** Moves the part of a message that has come to the start of the buffer. */
  #compact(): void {
    this.#bytes.copyWithin(0, this.#from, this.#to);
    this.#to -= this.#from;
    this.#from = 0;
    // A chunk without data is smaller than the buffer, or breaks the protocol.
    if (this.#to < RECEIVE_BYTES) return;
    throw new ProtocolViolation("a chunk is too long");
  }

  #find(high: number, low: number): NbdRequest | null {
    const request = this.#awaited[low] ?? null;
    return request?.generation === high ? request : null;
  }

  #answered(request: NbdRequest): void {
    request.outcome = OUTCOME.ANSWERED;
    this.#awaited[request.slot] = null;
    this.#freeSlots.push(request.slot);
    this.#count--;
    this.#stream!.completed(request);
  }

  /** The connection cannot be used further: its owner and all requests learn it. */
  #lose(why: string): void {
    if (this.#isLost) return;
    this.#isLost = true;
    const stream = this.#stream!;
    this.#owner.lost(why);
    for (const request of this.#awaited) {
      if (request === null) continue;
      request.outcome = OUTCOME.LOST;
      request.error = -ERRNO.EIO;
      stream.completed(request);
    }
    this.#awaited.length = 0;
    // What was not sent yet would arrive after what is sent in its place.
    stream.close(true);
  }
}

/** Whether a request may take far longer than others. */
function mayBeSlow(command: number): boolean {
  return command === COMMAND.FLUSH || command === COMMAND.TRIM ||
    command === COMMAND.WRITE_ZEROES;
}
