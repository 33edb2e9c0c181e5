/**
 * Takes HTTP/1.1 responses apart as their bytes come: RFC 9112.
 *
 * @module
 */
import {
  framingOf,
  isPersistent,
  parseHead,
  type ResponseHead,
} from "./response_head.ts";
import { HttpViolation } from "./violation.ts";

/** Bytes of a head at most. */
export const HEAD_MAX = 64 * 1024;
/** Bytes of the line with the length of a chunk at most. */
const CHUNK_LINE_MAX = 256;
/** Bytes of the trailer of a chunked body at most. */
const TRAILER_MAX = 16 * 1024;
/** Interim responses before the final one. */
const INTERIM_MAX = 16;

const LF = 0x0a;
const CR = 0x0d;

/** What a parser waits for. */
const STATE = {
  HEAD: 0,
  /** A body of a known length. */
  LENGTH: 1,
  CHUNK_LINE: 2,
  CHUNK_DATA: 3,
  /** The line end after a chunk. */
  CHUNK_END: 4,
  TRAILER: 5,
  UNTIL_CLOSE: 6,
  /** The response has ended, and no other one is awaited. */
  DONE: 7,
} as const;

/** Takes the parts of a response. */
export interface ResponseSink {
  /** The head of the final response. */
  head(head: ResponseHead): void;
  /** Some bytes of the body: those of a buffer from `start` to `end`. */
  body(bytes: Uint8Array, start: number, end: number): void;
  /** The response is complete; whether the connection can be used again. */
  ended(isReusable: boolean): void;
}

const LATIN1 = new TextDecoder("latin1");

/** Parses the responses of one connection, one after another. */
export class ResponseParser {
  readonly #sink: ResponseSink;
  #state: typeof STATE[keyof typeof STATE] = STATE.DONE;
  /** Bytes of the body or of the chunk that are still to come. */
  #left = 0;
  #isReusable = false;
  #interim = 0;
  #trailer = 0;

  /** Makes a parser that awaits nothing yet. */
  constructor(sink: ResponseSink) {
    this.#sink = sink;
  }

  /** Awaits the response to a GET. */
  begin(): void {
    this.#state = STATE.HEAD;
    this.#interim = 0;
  }

  /**
   * Takes what has come.
   *
   * @returns Up to where it was used. The rest is the start of a line, to be
   * handed over again with what follows it.
   * @throws {HttpViolation} If it is no response.
   */
  take(bytes: Uint8Array, from: number, to: number): number {
    let at = from;
    while (at < to) {
      const next = this.#step(bytes, at, to);
      if (next === at) break;
      at = next;
    }
    return at;
  }

  /**
   * The connection has ended.
   *
   * @returns Whether a response may end there.
   */
  closed(): boolean {
    if (this.#state !== STATE.UNTIL_CLOSE) return this.#state === STATE.DONE;
    this.#end();
    return true;
  }

  #step(bytes: Uint8Array, at: number, to: number): number {
    switch (this.#state) {
      case STATE.HEAD:
        return this.#head(bytes, at, to);
      case STATE.LENGTH:
      case STATE.CHUNK_DATA:
        return this.#data(bytes, at, Math.min(to, at + this.#left));
      case STATE.UNTIL_CLOSE:
        this.#sink.body(bytes, at, to);
        return to;
      case STATE.DONE:
        throw new HttpViolation("it sends more than one response to a request");
      default:
        return this.#line(bytes, at, to);
    }
  }

  #data(bytes: Uint8Array, at: number, end: number): number {
    this.#left -= end - at;
    this.#sink.body(bytes, at, end);
    if (this.#left > 0) return end;
    if (this.#state === STATE.LENGTH) this.#end();
    else this.#state = STATE.CHUNK_END;
    return end;
  }

  /** Looks for a whole head; the same position if it has not come yet. */
  #head(bytes: Uint8Array, at: number, to: number): number {
    let lf = at - 1;
    for (;;) {
      lf = bytes.indexOf(LF, lf + 1);
      if (lf < 0 || lf >= to || lf - at > HEAD_MAX) {
        if (to - at <= HEAD_MAX) return at;
        throw new HttpViolation(
          `it sends a head of more than ${HEAD_MAX} bytes`,
        );
      }
      if (lf === at || bytes[lf - 1] !== CR) {
        throw new HttpViolation("a line of its head does not end in CR LF");
      }
      if (lf === at + 1) throw new HttpViolation("it does not speak HTTP");
      if (lf >= at + 3 && bytes[lf - 2] === LF) break;
    }
    // The head without the end of its last line, and without the empty line.
    const head = parseHead(LATIN1.decode(bytes.subarray(at, lf - 3)));
    if (head.status < 200) {
      // RFC 9110, section 15.2: interim responses have no body.
      if (head.status === 101 || ++this.#interim > INTERIM_MAX) {
        throw new HttpViolation(`it answers with the status ${head.status}`);
      }
      return lf + 1;
    }
    this.#startBody(head);
    return lf + 1;
  }

  #startBody(head: ResponseHead): void {
    const framing = framingOf(head);
    this.#isReusable = isPersistent(head) && framing.kind !== "until close";
    this.#trailer = 0;
    this.#left = framing.kind === "length" ? framing.length : 0;
    this.#state = framing.kind === "length"
      ? STATE.LENGTH
      : framing.kind === "chunked"
      ? STATE.CHUNK_LINE
      : STATE.UNTIL_CLOSE;
    this.#sink.head(head);
    if (framing.kind === "length" && framing.length === 0) this.#end();
  }

  /** Takes a line of the framing of a chunked body: RFC 9112, section 7.1. */
  #line(bytes: Uint8Array, at: number, to: number): number {
    const lf = bytes.indexOf(LF, at);
    if (lf < 0 || lf >= to) {
      const max = this.#state === STATE.TRAILER ? TRAILER_MAX : CHUNK_LINE_MAX;
      if (to - at <= max) return at;
      throw new HttpViolation("a line of its chunked body is too long");
    }
    if (lf === at || bytes[lf - 1] !== CR) {
      throw new HttpViolation(
        "a line of its chunked body does not end in CR LF",
      );
    }
    const line = LATIN1.decode(bytes.subarray(at, lf - 1));
    if (this.#state === STATE.CHUNK_END) {
      if (line !== "") {
        throw new HttpViolation("a chunk is longer than it says");
      }
      this.#state = STATE.CHUNK_LINE;
    } else if (this.#state === STATE.CHUNK_LINE) {
      this.#chunk(line);
    } else if (line === "") {
      this.#end();
    } else if ((this.#trailer += line.length) > TRAILER_MAX) {
      throw new HttpViolation("the trailer of its body is too long");
    }
    return lf + 1;
  }

  #chunk(line: string): void {
    const match = /^([0-9A-Fa-f]{1,12})(?:[\t ]*;[\t\x20-\x7e\x80-\xff]*)?$/
      .exec(
        line,
      );
    if (match === null) {
      throw new HttpViolation("the length of a chunk is wrong");
    }
    this.#left = parseInt(match[1]!, 16);
    this.#state = this.#left === 0 ? STATE.TRAILER : STATE.CHUNK_DATA;
  }

  #end(): void {
    this.#state = STATE.DONE;
    this.#sink.ended(this.#isReusable);
  }
}
