/**
 * The wire log: messages byte by byte, as text. One line per message:
 *
 * ```text
 * q2 <- 500000000f000000f401000000000000... @1789000000123456 # a note
 * ```
 *
 * - `q` and the number of the queue;
 * - the direction: `<-` from the kernel, `->` to the kernel;
 * - the whole message in lower-case hexadecimal, two digits per byte;
 * - optionally `@` and when it passed, in microseconds since 1970;
 * - optionally `#` and a note.
 *
 * Empty lines and lines that start with `#` are ignored. Messages are in the
 * order in which they were sent, so INIT is first, and each request precedes
 * its reply.
 *
 * @module
 */
import { accessors } from "./accessors.ts";
import { viewOf } from "./codec.ts";
import { ProtocolVersion } from "./protocol_version.ts";
import { contiguousExchange } from "./exchange.ts";
import { initFlag } from "./init.ts";
import { OPCODES } from "./opcodes.ts";
import {
  traceNotification,
  type TraceRecord,
  traceReplyBody,
  traceRequest,
} from "./trace_record.ts";
import { formatTrace } from "./trace.ts";

const OUT_HEADER = accessors("fuse_out_header");
const LINE = /^q(\d+) (<-|->) ([0-9a-f]*)(?:\s+@(\d+))?(?:\s+#\s?(.*))?$/;

/**
 * One message of a wire log, byte by byte.
 *
 * @category Traces and wire logs
 */
export interface WireMessage {
  /** The number of the queue that carried it. */
  readonly queue: number;
  /** `<-` from the kernel, `->` to the kernel. */
  readonly direction: "<-" | "->";
  /** The whole message. */
  readonly bytes: Uint8Array;
  /** When it passed, in microseconds since 1970. */
  readonly at?: number;
  /** A note on it. */
  readonly note?: string;
}

/**
 * Formats a message as one line of a wire log.
 *
 * @category Traces and wire logs
 */
export function formatWireLine(message: WireMessage): string {
  const digits = message.bytes.toHex();
  const note = message.note === undefined ? "" : ` # ${message.note}`;
  const at = message.at === undefined ? "" : ` @${Math.round(message.at)}`;
  return `q${message.queue} ${message.direction} ${digits}${at}${note}`;
}

/**
 * Parses a line of a wire log.
 *
 * @category Traces and wire logs
 * @returns The message, `null` for a line to be ignored.
 * @throws {SyntaxError} If the line does not have the form of a message.
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
  const [, queue, direction, digits, at, note] = match;
  const bytes = Uint8Array.fromHex(digits!);
  return {
    queue: Number(queue),
    direction: direction as WireMessage["direction"],
    bytes,
    ...(at === undefined ? {} : { at: Number(at) }),
    ...(note === undefined ? {} : { note }),
  };
}

/**
 * Decodes the messages of a connection in their order: it matches replies with
 * requests, and follows the negotiated version.
 *
 * @category Traces and wire logs
 */
export class WireDecoder {
  readonly #requests: Map<bigint, TraceRecord> = new Map();
  #protocolVersion: ProtocolVersion = ProtocolVersion.BEFORE_INIT;

  /** The version negotiated by the messages so far. */
  get protocolVersion(): ProtocolVersion {
    return this.#protocolVersion;
  }

  /**
   * Decodes the next message.
   *
   * @returns Its trace record; a sentence if it breaks the rules of the
   * protocol.
   */
  decode(message: WireMessage): TraceRecord | string {
    return message.direction === "<-"
      ? this.#request(message)
      : this.#reply(message);
  }

  #request({ queue, bytes }: WireMessage): TraceRecord | string {
    const { request } = contiguousExchange(bytes, new Uint8Array(0));
    const error = request.validate(bytes.length, this.#protocolVersion);
    if (error !== null) return error.message;
    const record = traceRequest(queue, request);
    // A log may contain several connections, one after another.
    if (record.opcode === OPCODES.INIT.opcode) {
      this.#protocolVersion = ProtocolVersion.BEFORE_INIT;
    }
    this.#requests.set(record.unique, record);
    return record;
  }

  #reply({ queue, bytes }: WireMessage): TraceRecord | string {
    if (bytes.length < OUT_HEADER.size) {
      return `Cannot read reply: expected at least ${OUT_HEADER.size} bytes, received ${bytes.length}`;
    }
    const view = viewOf(bytes);
    const unique = OUT_HEADER.get.unique(view);
    if (unique === 0n) return traceNotification(queue, bytes);
    const request = this.#requests.get(unique);
    if (request === undefined) {
      return `Cannot read reply: no request 0x${
        unique.toString(16)
      } came before`;
    }
    this.#requests.delete(unique);
    const errno = -OUT_HEADER.get.error(view);
    const body = bytes.subarray(OUT_HEADER.size);
    const record = traceReplyBody(
      { ...request, queue },
      errno,
      body,
      this.#protocolVersion,
    );
    if (request.opcode === OPCODES.INIT.opcode && errno === 0) {
      this.#protocolVersion = negotiatedVersion(request, record);
    }
    return record;
  }
}

/** The version that INIT and its reply negotiated. */
function negotiatedVersion(
  request: TraceRecord,
  reply: TraceRecord,
): ProtocolVersion {
  const offered = Number(request.fields.minor);
  const replied = Number(reply.fields.minor);
  const flags = BigInt(Number(reply.fields.flags ?? 0));
  return new ProtocolVersion({
    minor: Math.min(offered, replied),
    setxattrExt: (flags & initFlag("SETXATTR_EXT")) !== 0n,
  });
}

/**
 * A message of a wire log, and what it means.
 *
 * @category Traces and wire logs
 */
export interface WireEntry {
  /** The message. */
  readonly message: WireMessage;
  /** Its trace record; a sentence if it breaks the rules of the protocol. */
  readonly decoded: TraceRecord | string;
}

/**
 * Decodes a wire log.
 *
 * @category Traces and wire logs
 * @param lines The log's lines, without their ends.
 * @throws {SyntaxError} If a line does not have the form of a message; the error
 * has its number.
 */
export function* wireEntries(lines: Iterable<string>): Generator<WireEntry> {
  const decoder = new WireDecoder();
  let number = 0;
  for (const line of lines) {
    number++;
    const message = parseNumbered(line, number);
    if (message !== null) yield { message, decoded: decoder.decode(message) };
  }
}

/**
 * Formats a wire log as a trace: one line per message. The line of a message that
 * breaks the rules of the protocol starts with `!`.
 *
 * @category Traces and wire logs
 * @example Decode a log
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
 * @param format Formats one message, {@linkcode formatTrace} by default.
 * @throws {SyntaxError} If a line does not have the form of a message; the error
 * has its number.
 */
export function* decodeWireLog(
  lines: Iterable<string>,
  format: (record: TraceRecord) => string = formatTrace,
): Generator<string> {
  for (const { message, decoded } of wireEntries(lines)) {
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
