/**
 * The wire log: messages byte for byte, as text. One message a line:
 *
 * ```text
 * q2 <- 500000000f000000f401000000000000...  # a note
 * ```
 *
 * - the queue, `q` and its number;
 * - the direction, `<-` from the kernel or `->` to it;
 * - the whole message in hexadecimal, two digits a byte, in lower case;
 * - a note behind `#`, if there is one.
 *
 * Empty lines and lines that start with `#` say nothing. Lines are in the
 * order in which the messages passed, so that the request of each reply, and
 * INIT, come before it.
 *
 * @module
 */
import { accessors } from "./accessors.ts";
import { viewOf } from "./codec.ts";
import { ProtocolVersion } from "./protocol_version.ts";
import { contiguousExchange } from "./exchange.ts";
import { initFlag } from "./init.ts";
import { opcodeName, OPCODES } from "./opcodes.ts";
import {
  traceNotification,
  type TraceRecord,
  traceReplyBody,
  traceRequest,
} from "./trace_record.ts";
import { formatTrace } from "./trace.ts";

const OUT_HEADER = accessors("fuse_out_header");
const LINE = /^q(\d+) (<-|->) ([0-9a-f]*)(?:\s+#\s?(.*))?$/;

/** One message, byte for byte. Plain data: Workers send it on. */
export interface WireMessage {
  /** The queue that it passed. */
  readonly queue: number;
  /** `<-` from the kernel, `->` to it. */
  readonly direction: "<-" | "->";
  /** The whole message. */
  readonly bytes: Uint8Array;
  /** What to say about it. */
  readonly note?: string;
}

/** Prints a message as one line of a wire log. */
export function formatWireLine(message: WireMessage): string {
  const digits = Array.from(
    message.bytes,
    (byte) => byte.toString(16).padStart(2, "0"),
  ).join("");
  const note = message.note === undefined ? "" : ` # ${message.note}`;
  return `q${message.queue} ${message.direction} ${digits}${note}`;
}

/**
 * Reads a line of a wire log.
 *
 * @returns The message, `null` where the line says nothing.
 * @throws {SyntaxError} If the line is no such line.
 */
export function parseWireLine(line: string): WireMessage | null {
  const text = line.trimEnd();
  if (text === "" || text.startsWith("#")) return null;
  const match = LINE.exec(text);
  if (match === null || match[3]!.length % 2 !== 0) {
    throw new SyntaxError(
      `Cannot read wire log: no message in "${text.slice(0, 60)}"`,
    );
  }
  const [, queue, direction, digits, note] = match;
  const bytes = new Uint8Array(digits!.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = parseInt(digits!.slice(2 * i, 2 * i + 2), 16);
  }
  return {
    queue: Number(queue),
    direction: direction as WireMessage["direction"],
    bytes,
    ...(note === undefined ? {} : { note }),
  };
}

/** Follows a connection message by message, and knows what each one is. */
export class WireDecoder {
  readonly #asked: Map<bigint, TraceRecord> = new Map();
  #protocolVersion: ProtocolVersion = ProtocolVersion.BEFORE_INIT;

  /** What the two sides agreed on, as far as the messages told. */
  get protocolVersion(): ProtocolVersion {
    return this.#protocolVersion;
  }

  /**
   * Takes the next message.
   *
   * @returns What it says; a sentence if it breaks the protocol's rules.
   */
  decode(message: WireMessage): TraceRecord | string {
    return message.direction === "<-"
      ? this.#request(message)
      : this.#answer(message);
  }

  #request({ queue, bytes }: WireMessage): TraceRecord | string {
    const { request } = contiguousExchange(bytes, new Uint8Array(0));
    const error = request.validate(bytes.length, this.#protocolVersion);
    if (error !== null) return error.message;
    const record = traceRequest(queue, request);
    // A log may hold one connection after another.
    if (record.opcode === OPCODES.INIT.opcode) {
      this.#protocolVersion = ProtocolVersion.BEFORE_INIT;
    }
    this.#asked.set(record.unique, record);
    return record;
  }

  #answer({ queue, bytes }: WireMessage): TraceRecord | string {
    if (bytes.length < OUT_HEADER.size) {
      return `Cannot read reply: expected at least ${OUT_HEADER.size} bytes, received ${bytes.length}`;
    }
    const view = viewOf(bytes);
    const unique = OUT_HEADER.get.unique(view);
    if (unique === 0n) return traceNotification(queue, bytes);
    const asked = this.#asked.get(unique);
    if (asked === undefined) {
      return `Cannot read reply: no request 0x${
        unique.toString(16)
      } came before`;
    }
    this.#asked.delete(unique);
    const errno = -OUT_HEADER.get.error(view);
    const body = bytes.subarray(OUT_HEADER.size);
    const record = traceReplyBody(
      { ...asked, queue },
      errno,
      body,
      this.#protocolVersion,
    );
    if (asked.opcode === OPCODES.INIT.opcode && errno === 0) {
      this.#protocolVersion = dialectAfter(asked, record);
    }
    return record;
  }
}

/** What INIT and its reply agreed on. */
function dialectAfter(
  asked: TraceRecord,
  answer: TraceRecord,
): ProtocolVersion {
  const offered = Number(asked.fields.minor);
  const taken = Number(answer.fields.minor);
  const flags = BigInt(Number(answer.fields.flags ?? 0));
  return new ProtocolVersion({
    minor: Math.min(offered, taken),
    setxattrExt: (flags & initFlag("SETXATTR_EXT")) !== 0n,
  });
}

/**
 * Prints a wire log as a trace: one line a message, and a line that starts
 * with `!` for each one that breaks the protocol's rules.
 *
 * @example Read a log
 * ```ts
 * import {
 *   decodeWireLog,
 *   encodeRequest,
 *   formatWireLine,
 * } from "@mqfuse/mqfuse/protocol";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = encodeRequest("READ", {
 *   header: { unique: 500n, nodeid: 1n },
 *   body: { offset: 4096n, size: 4096 },
 * });
 * const line = formatWireLine({ queue: 2, direction: "<-", bytes });
 * assertEquals([...decodeWireLog([line])], [
 *   "q2 <- 0x1f4 READ fh=0 offset=4096 size=4096",
 * ]);
 * ```
 *
 * @param lines The log's lines, without their ends.
 * @param format Prints one message; {@linkcode formatTrace} if left out.
 * @throws {SyntaxError} If a line is no line of a wire log; its number is in
 * the message.
 */
export function* decodeWireLog(
  lines: Iterable<string>,
  format: (record: TraceRecord) => string = formatTrace,
): Generator<string> {
  const decoder = new WireDecoder();
  let number = 0;
  for (const line of lines) {
    number++;
    const message = parseNumbered(line, number);
    if (message === null) continue;
    const decoded = decoder.decode(message);
    const text = typeof decoded === "string"
      ? `! q${message.queue} ${message.direction} ${decoded}`
      : format(decoded);
    yield message.note === undefined ? text : `${text} # ${message.note}`;
  }
}

function parseNumbered(line: string, number: number): WireMessage | null {
  try {
    return parseWireLine(line);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new SyntaxError(`${error.message} (line ${number})`);
  }
}

/** What a message of a wire log is, for headings: `READ`, `reply to READ`. */
export function wireMessageName(record: TraceRecord): string {
  if (record.notification !== undefined) {
    return `notification ${record.notification}`;
  }
  const name = opcodeName(record.opcode) ?? `opcode ${record.opcode}`;
  return record.direction === "<-" ? name : `reply to ${name}`;
}
