import { ERRNO, errnoName } from "../../../base/errno.ts";
import type {
  ByteStream,
  StreamOwner,
  Ticking,
} from "../../../event/byte_stream.ts";
import { framingOf, type ResponseHead } from "./response_head.ts";
import {
  HEAD_MAX,
  ResponseParser,
  type ResponseSink,
} from "./response_parser.ts";
import { HttpViolation } from "./violation.ts";

const RECEIVE_BYTES = 256 * 1024;
/** Room that a call of receive() is given at least. */
const RECEIVE_LEAST = 64 * 1024;
/** How long a server may send nothing, in milliseconds. */
const SILENCE_MS = 20_000;
/** How long the head may take to come. */
const HEAD_MS = 30_000;
/** How slowly a body may come, in bytes a millisecond, beyond that time. */
const LEAST_SPEED = 4;
/** Bytes of an unwanted body that are read at most, to keep the connection. */
const UNWANTED_MAX = 64 * 1024;

/** One request and its response. Its methods run no code of a handler. */
export interface HttpExchange {
  /**
   * The head has come.
   *
   * @returns Whether the body is wanted.
   */
  head(head: ResponseHead): boolean;
  /** Bytes of a wanted body. */
  body(bytes: Uint8Array, start: number, end: number): void;
  /** The response is complete, and the connection idle or closed. */
  ended(): void;
  /**
   * The connection was lost before that.
   *
   * @param why Half a sentence.
   * @param isStale Whether the server may have closed a connection that was
   * idle, before it saw the request.
   */
  lost(why: string, isStale: boolean): void;
}

/** A connection to a server, with one request at a time. */
export class HttpConnection implements StreamOwner, ResponseSink, Ticking {
  /** Scheme, host and port to which it leads. */
  readonly origin: string;
  readonly #parser = new ResponseParser(this);
  readonly #bytes = new Uint8Array(RECEIVE_BYTES);
  #from = 0;
  #to = 0;
  #stream: ByteStream | null = null;
  #exchange: HttpExchange | null = null;
  /** The exchange that has ended, until it is told. */
  #over: HttpExchange | null = null;
  #isSending = false;
  #isReceiving = false;
  #isWanted = false;
  #unwanted = 0;
  #isClosed = false;
  #isReusable = true;
  #isTicking = false;
  /** Whether a response has come completely. */
  #wasUsed = false;
  /** Whether any byte of the present response has come. */
  #hasBytes = false;
  #hasHead = false;
  /** Times of performance.now(). */
  #begun = 0;
  #heard = 0;
  #bodyBytes = 0;
  /** Why the stream has failed, told before it ends. */
  #why: string | null = null;

  /** Makes a connection, which `attach()` gives a stream. */
  constructor(origin: string) {
    this.origin = origin;
  }

  /** Starts to use a stream. */
  attach(stream: ByteStream): void {
    this.#stream = stream;
  }

  /** The stream, to count what waits for it. */
  get stream(): ByteStream {
    return this.#stream!;
  }

  /** Whether it cannot be used any more. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether no exchange is under way. */
  get isIdle(): boolean {
    return this.#exchange === null && !this.#isSending && !this.#isClosed;
  }

  /** Sends a request; the connection must be idle. */
  start(exchange: HttpExchange, request: Uint8Array<ArrayBuffer>): void {
    this.#exchange = exchange;
    this.#hasBytes = this.#hasHead = false;
    this.#bodyBytes = 0;
    this.#unwanted = 0;
    this.#begun = this.#heard = performance.now();
    this.#parser.begin();
    const stream = this.#stream!;
    if (!this.#isTicking) {
      this.#isTicking = true;
      stream.everySecond(this);
    }
    this.#isSending = true;
    stream.send(request, 0, request.length);
    this.#receive();
  }

  sent(result: number): void {
    this.#isSending = false;
    // The answer, which tells more, may have come before.
    if (result < 0 && this.#exchange !== null) {
      this.#lose(this.#why ?? reasonOf("sending", -result));
    }
  }

  failed(why: string): void {
    this.#why = why;
  }

  received(result: number): void {
    this.#isReceiving = false;
    if (result <= 0) return this.#ended(result);
    this.#heard = performance.now();
    this.#hasBytes = true;
    this.#to += result;
    try {
      this.#from = this.#parser.take(this.#bytes, this.#from, this.#to);
    } catch (error) {
      if (!(error instanceof HttpViolation)) throw error;
      this.#lose(error.message);
    }
    this.#tellEnd();
    if (!this.#isClosed) this.#receive();
  }

  head(head: ResponseHead): void {
    this.#isWanted = this.#exchange!.head(head);
    this.#hasHead = true;
    if (this.#isWanted) return;
    const framing = framingOf(head);
    const isShort = framing.kind === "chunked" ||
      (framing.kind === "length" && framing.length <= UNWANTED_MAX);
    if (!isShort) this.#endExchange(false);
  }

  body(bytes: Uint8Array, start: number, end: number): void {
    this.#bodyBytes += end - start;
    if (this.#exchange === null) return;
    if (this.#isWanted) return this.#exchange.body(bytes, start, end);
    this.#unwanted += end - start;
    // The rest would take longer than another connection does.
    if (this.#unwanted > UNWANTED_MAX) this.#endExchange(false);
  }

  ended(isReusable: boolean): void {
    this.#endExchange(isReusable);
  }

  tick(): boolean {
    this.#isTicking = false;
    if (this.#exchange === null || this.#isClosed) return false;
    const now = performance.now();
    const limit = this.#hasHead
      ? HEAD_MS + this.#bodyBytes / LEAST_SPEED
      : HEAD_MS;
    if (now - this.#heard > SILENCE_MS) {
      this.#lose(`it sends nothing for ${SILENCE_MS / 1000} seconds`);
    } else if (now - this.#begun > limit) {
      this.#lose("it sends too slowly");
    }
    return this.#isTicking = !this.#isClosed;
  }

  /** Closes the connection; its exchange is told nothing. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#exchange = null;
    this.#stream?.close();
  }

  /** The stream has ended. */
  #ended(result: number): void {
    if (this.#exchange === null) return this.close();
    try {
      if (result === 0 && this.#parser.closed()) return this.#tellEnd();
    } catch (error) {
      if (!(error instanceof HttpViolation)) throw error;
      return this.#lose(error.message);
    }
    this.#lose(
      this.#why ??
        (result === 0
          ? "it closed the connection"
          : reasonOf("receiving", -result)),
    );
  }

  #endExchange(isReusable: boolean): void {
    // The exchange of an unwanted body has ended before the body does.
    if (this.#exchange === null) return;
    this.#over = this.#exchange;
    this.#exchange = null;
    this.#wasUsed = true;
    // An answer that came before all of its request fits nothing.
    if (!isReusable || this.#isSending) this.close();
  }

  /** Tells an exchange that it has ended: it may start the next one. */
  #tellEnd(): void {
    const over = this.#over;
    this.#over = null;
    over?.ended();
  }

  #lose(why: string): void {
    const exchange = this.#exchange;
    this.close();
    // An unwanted body adds nothing to its head.
    if (this.#hasHead && !this.#isWanted) return exchange?.ended();
    exchange?.lost(why, this.#wasUsed && !this.#hasBytes);
  }

  #receive(): void {
    if (this.#isReceiving || this.#exchange === null) return;
    if (this.#from === this.#to) this.#from = this.#to = 0;
    else if (RECEIVE_BYTES - this.#to < RECEIVE_LEAST) this.#compact();
    this.#isReceiving = true;
    this.#stream!.receive(this.#bytes, this.#to, RECEIVE_BYTES - this.#to);
  }

  /** Moves the part of a line that has come to the start of the buffer. */
  #compact(): void {
    this.#bytes.copyWithin(0, this.#from, this.#to);
    this.#to -= this.#from;
    this.#from = 0;
  }
}

/** Why a call has failed: half a sentence. */
function reasonOf(call: string, error: number): string {
  return error === ERRNO.EPIPE || error === ERRNO.ECONNRESET
    ? "it closed the connection"
    : `${call} failed (${errnoName(error)})`;
}

// A head that has not come completely always leaves room.
if (HEAD_MAX + RECEIVE_LEAST > RECEIVE_BYTES) throw new RangeError("HEAD_MAX");
