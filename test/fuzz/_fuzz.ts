/**
 * Fuzzing by mutation: damaged golden messages go through all code that
 * receives messages, and invariants are checked.
 *
 * @module
 */
import {
  createMemoryDisk,
  MemoryBackend,
} from "../../src/backends/protocols/memory.ts";
import { BlockExport } from "../../src/export/block_export.ts";
import { ExportState } from "../../src/export/export_state.ts";
import {
  accessors,
  type AnyRequest,
  bytesOfName,
  contiguousExchange,
  decodeNotification,
  decodeReply,
  decodeRequest,
  encodeNotification,
  encodeReply,
  encodeRequest,
  type Exchange,
  formatTrace,
  formatTraceJson,
  type OpcodeName,
  opcodeName,
  type OpcodeRow,
  opcodeRow,
  OPCODES,
  ProtocolError,
  ProtocolVersion,
  separateExchange,
  traceNotification,
  traceReply,
  traceRequest,
} from "../../src/protocol/mod.ts";
import { viewOf } from "../../src/protocol/codec.ts";
import { direntSize } from "../../src/protocol/dirent.ts";
import type { Random } from "../_random.ts";
import { type GoldenMessage, parseGolden } from "../protocol/_golden.ts";
import { GOLDEN } from "../protocol/golden/mod.ts";
import { hex } from "../protocol/_hex.ts";
import { mutate } from "./_mutate.ts";

const OUT_HEADER = accessors("fuse_out_header");
const DISK_SIZE = 1 << 20;
const REPLY_SIZE = 8192;
/** Bytes around each piece of memory that must not change. */
const CANARY = 64;
const CANARY_BYTE = 0xa5;
const MESSAGES = Object.values(GOLDEN).flatMap(parseGolden);
const OPCODE_NAMES = Object.keys(OPCODES) as OpcodeName[];
const DIALECTS = [
  new ProtocolVersion(),
  new ProtocolVersion({ setxattrExt: true }),
  new ProtocolVersion({ minor: 8 }),
  new ProtocolVersion({ minor: 11 }),
];

/** A message that violates an invariant. */
export interface FuzzFailure {
  /** The golden message that was damaged. */
  readonly origin: string;
  /** What is wrong. */
  readonly error: unknown;
  /** A test that shows it. */
  readonly testCase: string;
}

/** Memory of the requested size, between bytes that must not change. */
class Guarded {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #all: Uint8Array<ArrayBuffer>;

  constructor(size: number) {
    this.#all = new Uint8Array(size + 2 * CANARY).fill(CANARY_BYTE);
    this.bytes = this.#all.subarray(CANARY, CANARY + size);
  }

  check(what: string): void {
    for (let i = 0; i < CANARY; i++) {
      const end = this.#all.length - 1 - i;
      if (this.#all[i] !== CANARY_BYTE || this.#all[end] !== CANARY_BYTE) {
        throw new Error(`Something was written outside of ${what}`);
      }
    }
  }
}

/** Damages golden messages and tests them. */
export class Fuzzer {
  /** Number of messages so far. */
  count = 0;
  readonly #random: Random;
  readonly #handler: BlockExport;
  readonly #reply = new Guarded(REPLY_SIZE);

  constructor(random: Random) {
    this.#random = random;
    const backend = new MemoryBackend(createMemoryDisk(DISK_SIZE));
    const state = ExportState.create({
      size: DISK_SIZE,
      mode: 0o600,
      uid: 0,
      gid: 0,
    });
    const rules = { writable: true, growable: false, allowOther: false };
    this.#handler = new BlockExport({ backend, state, rules });
  }

  /** Tests one more message; returns the failure, or `null`. */
  async next(): Promise<FuzzFailure | null> {
    this.count++;
    const random = this.#random;
    const golden = random.pick(MESSAGES);
    const bytes = mutate(golden.bytes, random);
    const protocolVersion = random.oneIn(3)
      ? random.pick(DIALECTS)
      : golden.protocolVersion;
    try {
      await this.#check(golden, bytes, protocolVersion);
      return null;
    } catch (error) {
      const origin = `${golden.name} ${golden.kind}: ${golden.cause}`;
      const { kind, request } = golden;
      return {
        origin,
        error,
        testCase: testOf(kind, bytes, protocolVersion, request),
      };
    }
  }

  /** Tests one message. */
  async try(
    kind: GoldenMessage["kind"],
    bytes: Uint8Array<ArrayBuffer>,
    protocolVersion: ProtocolVersion,
    request?: Uint8Array,
  ): Promise<void> {
    await this.#check(
      { kind, request } as GoldenMessage,
      bytes,
      protocolVersion,
    );
  }

  async #check(
    { kind, request }: GoldenMessage,
    bytes: Uint8Array<ArrayBuffer>,
    protocolVersion: ProtocolVersion,
  ): Promise<void> {
    switch (kind) {
      case "request":
        checkDecode(bytes, protocolVersion);
        if (bytes.length >= 40) await this.#serve(bytes, protocolVersion);
        break;
      case "reply":
        checkReply(bytes, request!, protocolVersion, this.#random);
        break;
      case "notification":
        checkNotification(bytes);
    }
  }

  /** Serves the message, in one piece and in two. */
  async #serve(
    bytes: Uint8Array,
    protocolVersion: ProtocolVersion,
  ): Promise<void> {
    const incoming = new Guarded(bytes.length);
    incoming.bytes.set(bytes);
    const outgoing = this.#reply;
    const joined = contiguousExchange(incoming.bytes, outgoing.bytes);
    const kept = await this.#dispatch(joined, bytes.length, protocolVersion);
    incoming.check("a request");
    outgoing.check("a reply");
    if (!kept) return;
    if (hex(incoming.bytes) !== hex(bytes)) {
      throw new Error("The request was changed");
    }
    await this.#serveApart(bytes, protocolVersion);
  }

  async #serveApart(
    bytes: Uint8Array,
    protocolVersion: ProtocolVersion,
  ): Promise<void> {
    const size = protocolVersion.bodySize(viewOf(bytes).getUint32(4, true));
    if (size > 128) return;
    const headers = new Guarded(288);
    const payload = this.#reply;
    headers.bytes.fill(0);
    headers.bytes.set(bytes.subarray(0, 40));
    headers.bytes.set(bytes.subarray(40, 40 + size), 128);
    payload.bytes.set(bytes.subarray(40 + size, 40 + size + REPLY_SIZE));
    if (bytes.length - 40 - size > REPLY_SIZE) return;
    const apart = separateExchange(headers.bytes, payload.bytes);
    await this.#dispatch(apart, bytes.length, protocolVersion);
    headers.check("headers");
    payload.check("a payload");
  }

  /** Acts as a queue and the serve loop; whether the request was valid. */
  async #dispatch(
    { request, reply }: Exchange,
    length: number,
    protocolVersion: ProtocolVersion,
  ): Promise<boolean> {
    reply.reset();
    const error = request.validate(length, protocolVersion);
    if (error !== null) {
      if (!error.answerable) return false;
      reply.error(error.errno);
      checkAnswer({ request, reply }, null);
      return false;
    }
    const { opcode, unique } = request;
    const size = askedSize(request.body, opcode);
    for (const index of [0, 1, 2]) {
      request.nameBytes(index);
      request.value(index);
    }
    const asked = traceRequest(0, request);
    formatTrace(asked);
    formatTraceJson(asked);
    await this.#handler.handle(request, reply);
    checkAnswer({ request, reply }, { opcode, unique, size, protocolVersion });
    formatTrace(traceReply(asked, reply, protocolVersion));
    return true;
  }
}

interface Question {
  readonly opcode: number;
  readonly unique: bigint;
  readonly size: number;
  readonly protocolVersion: ProtocolVersion;
}

/** Bytes that a READ or a similar request wants. */
function askedSize(body: DataView, opcode: number): number {
  switch (opcodeRow(opcode)?.in) {
    case "fuse_read_in":
      return body.getUint32(16, true);
    case "fuse_getxattr_in":
      return body.getUint32(0, true);
    case "fuse_ioctl_in":
      return body.getUint32(28, true);
    default:
      return 0;
  }
}

/** Whether the kernel would accept a reply. */
function checkAnswer(
  { reply, request }: Exchange,
  question: Question | null,
): void {
  if (!reply.filled) throw new Error("The request was not answered");
  const row: OpcodeRow | undefined = question === null
    ? undefined
    : opcodeRow(question.opcode);
  if (reply.length === 0) {
    if (row?.noReply || row?.optionalReply) return;
    throw new Error("The request was left without an answer");
  }
  const bytes = reply.copy();
  if (question === null) {
    const { len, unique } = {
      len: OUT_HEADER.get.len(viewOf(bytes)),
      unique: OUT_HEADER.get.unique(viewOf(bytes)),
    };
    if (len !== bytes.length || unique !== request.unique) {
      throw new Error("The refusal has a bad header");
    }
    return;
  }
  const name = opcodeName(question.opcode)!;
  if (row?.noReply) throw new Error(`${name} was answered`);
  const { size, protocolVersion } = question;
  const decoded = decodeReply(name, bytes, { size, protocolVersion });
  if (decoded.header.unique !== question.unique) {
    throw new Error(`${name} was answered with another id`);
  }
}

/** Decodes a request, if that is possible, and encodes it again. */
function checkDecode(
  bytes: Uint8Array<ArrayBuffer>,
  protocolVersion: ProtocolVersion,
): void {
  const exact = new Guarded(bytes.length);
  exact.bytes.set(bytes);
  let decoded;
  try {
    decoded = decodeRequest(exact.bytes, protocolVersion);
  } catch (error) {
    if (error instanceof ProtocolError) return;
    throw error;
  }
  checkCounts(decoded);
  const again = encodeRequest(decoded.name, decoded, protocolVersion);
  // Padding of extensions may have any content; the rest must be equal.
  if (decoded.header.total_extlen === 0 && hex(again) !== hex(bytes)) {
    throw new Error("It encodes to something else");
  }
  const twice = decodeRequest(again, protocolVersion);
  const third = encodeRequest(twice.name, twice, protocolVersion);
  if (hex(third) !== hex(again)) throw new Error("It does not encode back");
  exact.check("a message");
}

/** Whether a message has the length that its fixed struct announces. */
function checkCounts({ name, body, data, items }: AnyRequest): void {
  const { size, in_size: inSize, count } = body as Record<string, number>;
  const row: OpcodeRow = OPCODES[name];
  const announced = row.tail === "items"
    ? count
    : row.tail === "data" || row.tail === "name value"
    ? inSize ?? size
    : 0;
  const held = row.tail === "items" ? items.length : data.length;
  if (held !== announced) throw new Error(`It holds ${held} of ${announced}`);
}

function checkReply(
  bytes: Uint8Array<ArrayBuffer>,
  request: Uint8Array,
  protocolVersion: ProtocolVersion,
  random: Random,
): void {
  const asked = opcodeName(viewOf(request).getUint32(4, true))!;
  const name = random.oneIn(4) ? random.pick(OPCODE_NAMES) : asked;
  const size = random.below(300);
  try {
    const decoded = decodeReply(name, bytes, { size, protocolVersion });
    const again = encodeReply(name, decoded, protocolVersion);
    const plus = name === "READDIRPLUS";
    const listed = decoded.entries.reduce(
      (sum, entry) => sum + direntSize(bytesOfName(entry.name).length, plus),
      0,
    );
    if (listed > decoded.data.length) throw new Error("It lists too much");
    if (hex(again) !== hex(bytes) && name !== "INIT") {
      throw new Error("It does not encode back");
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
}

function checkNotification(bytes: Uint8Array<ArrayBuffer>): void {
  if (bytes.length >= 16) formatTrace(traceNotification(0, bytes));
  try {
    const decoded = decodeNotification(bytes);
    const again = encodeNotification(decoded.notification, decoded);
    if (hex(again) !== hex(bytes)) throw new Error("It does not encode back");
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
}

/** A test that shows a failure, ready for `regressions_test.ts`. */
function testOf(
  kind: GoldenMessage["kind"],
  bytes: Uint8Array,
  { minor, setxattrExt }: ProtocolVersion,
  request?: Uint8Array,
): string {
  return [
    `Deno.test("a damaged ${kind} does no harm: ${
      hex(bytes.subarray(0, 8))
    }", () =>`,
    `  survives({`,
    `    kind: "${kind}",`,
    `    bytes: "${hex(bytes)}",`,
    ...(request === undefined ? [] : [`    request: "${hex(request)}",`]),
    `    minor: ${minor},`,
    `    setxattrExt: ${setxattrExt},`,
    `  }));`,
  ].join("\n");
}
