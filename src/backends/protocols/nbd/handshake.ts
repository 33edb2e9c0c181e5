/**
 * The handshake of NBD, fixed newstyle, without I/O of its own: it says what is
 * to be sent and received.
 *
 * @module
 */
import { UserError } from "../../../base/user_error.ts";
import { SIZE_MAX } from "../../size.ts";
import {
  BASE_ALLOCATION,
  EXPORT_FLAG,
  HANDSHAKE,
  INFO,
  LIMIT,
  MAGIC,
  OPTION,
  OPTION_ERROR,
  REPLY,
  REPLY_ERROR,
} from "./constants.ts";

/** What an export is, as its server says. Plain data; bytes. */
export interface NbdExport {
  readonly size: number;
  /** Bits of `EXPORT_FLAG`. */
  readonly flags: number;
  /** Requests start and end at multiples of it. */
  readonly minBlock: number;
  /** The size that it prefers. */
  readonly preferredBlock: number;
  /** The largest READ and WRITE. */
  readonly maxPayload: number;
  /** Whether replies are structured. */
  readonly structured: boolean;
  /** The id of `base:allocation`; `null` if it is not there. */
  readonly allocationId: number | null;
}

/** What the handshake waits for: bytes to receive, or to have been sent. */
export type Exchange =
  | { readonly receive: number }
  | { readonly send: Uint8Array<ArrayBuffer> };

/** A handshake in steps; `next()` takes the bytes that were received. */
export type Handshake<T> = Generator<Exchange, T, Uint8Array<ArrayBuffer>>;

/** The server does not have the export; it may tell which it has. */
export class UnknownExportError extends UserError {
  override name = "UnknownExportError";

  constructor(uri: string, why: string) {
    super(`Cannot open ${uri}: ${why}; check the name after the last '/'`);
  }
}

const ENCODER = new TextEncoder();

/**
 * Begins: both sides tell their flags.
 *
 * @param name The URI, in errors.
 * @throws {UserError} If it is no server that this client can use.
 */
export function* greet(name: string): Handshake<void> {
  const greeting = viewOf(yield { receive: 18 });
  const isNbd = greeting.getBigUint64(0) === MAGIC.INIT;
  if (!isNbd || greeting.getBigUint64(8) !== MAGIC.OPTION) {
    throw failure(
      name,
      isNbd
        ? "its server only knows the old handshake; use a newer one"
        : "what answers there is no NBD server; check host and port",
    );
  }
  const flags = greeting.getUint16(16);
  if ((flags & HANDSHAKE.FIXED_NEWSTYLE) === 0) {
    throw failure(name, "its server has no fixed newstyle; use a newer one");
  }
  const reply = new DataView(new ArrayBuffer(4));
  reply.setUint32(0, flags & (HANDSHAKE.FIXED_NEWSTYLE | HANDSHAKE.NO_ZEROES));
  yield { send: new Uint8Array(reply.buffer) };
}

/**
 * Asks for TLS, whose handshake follows. What was said before it is not protected,
 * so a refusal is an error: nothing goes on without TLS.
 *
 * @param name The URI, in errors.
 * @throws {UserError} If the server has no TLS.
 */
export function* startTls(name: string): Handshake<void> {
  yield option(OPTION.STARTTLS);
  const isStarted = yield* isAcknowledged(OPTION.STARTTLS, name);
  if (isStarted) return;
  throw failure(
    name,
    "its server offers no TLS; set it up there, or write nbd: for a connection that everybody on the way can read and change",
  );
}

/**
 * Negotiates what is possible, and enters the transmission phase.
 *
 * @param name The URI, in errors.
 * @param exportName The name of the export.
 * @throws {UserError} If there is no such export, or this client cannot use it.
 */
export function* enterExport(
  name: string,
  exportName: string,
): Handshake<NbdExport> {
  yield option(OPTION.STRUCTURED_REPLY);
  const structured = yield* isAcknowledged(OPTION.STRUCTURED_REPLY, name);
  const allocationId = structured
    ? yield* askAllocation(name, exportName)
    : null;
  const bytes = ENCODER.encode(exportName);
  const data = new DataView(new ArrayBuffer(4 + bytes.length + 4));
  data.setUint32(0, bytes.length);
  new Uint8Array(data.buffer).set(bytes, 4);
  data.setUint16(4 + bytes.length, 1);
  data.setUint16(6 + bytes.length, INFO.BLOCK_SIZE);
  yield option(OPTION.GO, new Uint8Array(data.buffer));
  let size: bigint | null = null;
  let flags = 0;
  let blocks = { minBlock: 1, preferredBlock: 4096, maxPayload: LIMIT.PAYLOAD };
  yield* eachReply(OPTION.GO, name, (type, payload) => {
    if (type !== REPLY.INFO || payload.byteLength < 2) return;
    const info = payload.getUint16(0);
    if (info === INFO.EXPORT && payload.byteLength >= 12) {
      size = payload.getBigUint64(2);
      flags = payload.getUint16(10);
    } else if (info === INFO.BLOCK_SIZE && payload.byteLength >= 14) {
      blocks = {
        minBlock: payload.getUint32(2),
        preferredBlock: payload.getUint32(6),
        maxPayload: payload.getUint32(10),
      };
    }
  });
  if (size === null) throw failure(name, "its server does not tell its size");
  if (size > BigInt(SIZE_MAX)) {
    throw failure(name, "it is larger than 8 PiB (2^53 - 1 bytes)");
  }
  if ((flags & EXPORT_FLAG.HAS_FLAGS) === 0) flags = 0;
  return {
    size: Number(size),
    flags,
    ...checkedBlocks(blocks, name),
    structured,
    allocationId,
  };
}

/**
 * Asks for the names of the exports. Further options may follow.
 *
 * @param name The URI, in errors.
 * @returns `null` if the server does not tell them.
 */
export function* listExports(name: string): Handshake<string[] | null> {
  yield option(OPTION.LIST);
  const names: string[] = [];
  const isTold = yield* eachReply(OPTION.LIST, name, (type, payload) => {
    if (type !== REPLY.SERVER || payload.byteLength < 4) return;
    const length = Math.min(payload.getUint32(0), payload.byteLength - 4);
    const bytes = new Uint8Array(
      payload.buffer,
      payload.byteOffset + 4,
      length,
    );
    names.push(new TextDecoder().decode(bytes));
  }, true);
  return isTold ? names : null;
}

function* askAllocation(
  name: string,
  exportName: string,
): Handshake<number | null> {
  const bytes = ENCODER.encode(exportName);
  const query = ENCODER.encode(BASE_ALLOCATION);
  const length = 4 + bytes.length + 4 + 4 + query.length;
  const data = new DataView(new ArrayBuffer(length));
  const all = new Uint8Array(data.buffer);
  data.setUint32(0, bytes.length);
  all.set(bytes, 4);
  data.setUint32(4 + bytes.length, 1);
  data.setUint32(8 + bytes.length, query.length);
  all.set(query, 12 + bytes.length);
  yield option(OPTION.SET_META_CONTEXT, all);
  let id: number | null = null;
  yield* eachReply(OPTION.SET_META_CONTEXT, name, (type, payload) => {
    const isContext = type === REPLY.META_CONTEXT && payload.byteLength > 4;
    if (!isContext) return;
    const { buffer, byteOffset, byteLength } = payload;
    const text = new Uint8Array(buffer, byteOffset + 4, byteLength - 4);
    if (new TextDecoder().decode(text) === BASE_ALLOCATION) {
      id = payload.getUint32(0);
    }
  }, true);
  return id;
}

/** Whether an option without further replies is acknowledged. */
function* isAcknowledged(code: number, name: string): Handshake<boolean> {
  return yield* eachReply(code, name, () => {}, true);
}

/**
 * Receives the replies to an option up to the last one.
 *
 * @param mayFail Whether an error is an answer.
 * @returns Whether the option was acknowledged.
 */
function* eachReply(
  code: number,
  name: string,
  take: (type: number, payload: DataView<ArrayBuffer>) => void,
  mayFail: boolean = false,
): Handshake<boolean> {
  for (let replies = 0; replies < LIMIT.OPTION_REPLIES; replies++) {
    const header = viewOf(yield { receive: 20 });
    const isReply = header.getBigUint64(0) === MAGIC.OPTION_REPLY &&
      header.getUint32(8) === code;
    const length = header.getUint32(16);
    if (!isReply || length > LIMIT.OPTION_REPLY) {
      throw failure(name, "its server breaks the protocol in the handshake");
    }
    const type = header.getUint32(12);
    const payload = length === 0
      ? new Uint8Array(0)
      : yield { receive: length };
    if (type === REPLY.ACK) return true;
    if ((type & REPLY_ERROR) === 0) {
      take(type, viewOf(payload));
      continue;
    }
    if (mayFail && type !== OPTION_ERROR.TLS_REQUIRED) return false;
    const why = explain(type, payload);
    if (type === OPTION_ERROR.UNKNOWN) throw new UnknownExportError(name, why);
    throw failure(name, why);
  }
  throw failure(name, "its server answers without end");
}

/** Why an option failed, and what to do. */
function explain(type: number, payload: Uint8Array): string {
  // The server's own words; control characters could change the terminal.
  const said = new TextDecoder().decode(payload.subarray(0, 200))
    .replaceAll(/[^\x20-\x7e]/g, "?");
  const words = said === "" ? "" : ` ("${said}")`;
  switch (type) {
    case OPTION_ERROR.UNKNOWN:
      return `its server has no such export${words}`;
    case OPTION_ERROR.TLS_REQUIRED:
      return `its server requires TLS${words}; write nbds: instead of nbd:`;
    case OPTION_ERROR.POLICY:
      return `its server refuses it${words}; ask who runs it`;
    case OPTION_ERROR.SHUTDOWN:
      return `its server is ending${words}; try again later`;
    case OPTION_ERROR.BLOCK_SIZE_REQUIRED:
      return `its server wants block sizes that this client has offered to keep${words}; report this`;
    case OPTION_ERROR.UNSUPPORTED:
      return `its server does not know NBD_OPT_GO${words}; use a newer one`;
    default:
      return `its server refuses it with error ${
        type - REPLY_ERROR
      }${words}; look at its messages`;
  }
}

function checkedBlocks<
  B extends Pick<NbdExport, "minBlock" | "preferredBlock" | "maxPayload">,
>(blocks: B, name: string): B {
  const { minBlock, preferredBlock, maxPayload } = blocks;
  const isPower = (value: number) => Number.isInteger(Math.log2(value));
  const isRight = isPower(minBlock) && minBlock <= 65_536 &&
    isPower(preferredBlock) && preferredBlock >= minBlock &&
    maxPayload >= minBlock && maxPayload % minBlock === 0;
  if (isRight) {
    return { ...blocks, maxPayload: Math.min(maxPayload, LIMIT.PAYLOAD) };
  }
  // 2^32 - 1: no limit.
  if (maxPayload === 0xffff_ffff && isPower(minBlock)) {
    return { ...blocks, maxPayload: LIMIT.PAYLOAD };
  }
  throw failure(name, "its server gives block sizes that make no sense");
}

/** The message of an option. */
export function option(
  code: number,
  data: Uint8Array = new Uint8Array(0),
): Exchange {
  const bytes = new Uint8Array(16 + data.length);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, MAGIC.OPTION);
  view.setUint32(8, code);
  view.setUint32(12, data.length);
  bytes.set(data, 16);
  return { send: bytes };
}

function viewOf(bytes: Uint8Array<ArrayBuffer>): DataView<ArrayBuffer> {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function failure(name: string, why: string): UserError {
  return new UserError(`Cannot open ${name}: ${why}`);
}
