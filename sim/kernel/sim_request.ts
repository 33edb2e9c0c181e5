import { accessors } from "../../src/protocol/accessors.ts";
import { FUSE_ROOT_ID } from "../../src/protocol/flags.ts";
import { sizeAt, sizeOf } from "../../src/protocol/layout.ts";
import {
  type OpcodeName,
  type OpcodeRow,
  OPCODES,
} from "../../src/protocol/opcodes.ts";
import type { MemoryEntry } from "../../src/queue/memory_channel.ts";
import type { SimAnswer, SimCall } from "./call.ts";

const IN_HEADER = accessors("fuse_in_header");
const SEPARATE_BODY_AT = accessors("fuse_uring_req_header").at.op_in;
const NO_BODY = new Uint8Array(0);

/** How far a request has come. */
export type RequestState =
  /** Its sender sleeps, or the background limit holds it back. */
  | "waiting"
  /** No queue has taken it. */
  | "pending"
  /** The server has taken it. */
  | "sent"
  /** It has ended. */
  | "finished";

/** A request on its way through the simulated kernel: `struct fuse_req`. */
export class SimRequest {
  /** The request. */
  readonly call: SimCall;
  /** The row of its opcode in the protocol's table. */
  readonly row: OpcodeRow;
  /** Bytes of the message. */
  readonly length: number;
  /** Bytes of the longest reply's body: `fuse_len_args()`. */
  readonly replySize: number;
  /** Bytes by which the body may be shorter: `out_argvar`. */
  readonly replySlack: number;
  /** Its id among the requests in flight; 0 until it is sent. */
  unique = 0n;
  /** The queue that took it; -1 until then. */
  queue = -1;
  /** How far it has come. */
  state: RequestState = "waiting";
  /** Whether it is not answered and ends when the server takes it. */
  endsWhenTaken = false;
  /** Whether the server has to receive INTERRUPT. */
  interrupted = false;
  /** When it was made, in microseconds of the kernel's clock. */
  created = 0;
  /** Resolves when it ends. */
  readonly answer: Promise<SimAnswer>;
  readonly #body: Uint8Array;
  #resolve: (answer: SimAnswer) => void;

  /**
   * Makes a request.
   *
   * @param call The request.
   * @param minor The negotiated minor version.
   */
  constructor(call: SimCall, minor: number) {
    const { row, fixed: most, structs } = shapeOf(call.opcode, minor);
    this.call = call;
    this.row = row;
    // An older kernel sends the first fields alone.
    this.#body = call.body?.subarray(0, most) ?? NO_BODY;
    this.length = IN_HEADER.size + this.#body.length +
      (call.tail?.length ?? 0);
    // A request for the size of a value is answered with the size alone.
    const asksSize = row.outTail === "value" && call.replyMax === undefined;
    const fixed = asksSize ? VALUE_SIZE_ANSWER : structs;
    const max = call.replyMax ?? 0;
    this.replySize = fixed + max;
    //= fs/fuse/inode.c fuse_new_init(): older servers send a shorter reply to
    //= INIT.
    this.replySlack = row.opcode === OPCODES.INIT.opcode ? fixed : max;
    const { promise, resolve } = Promise.withResolvers<SimAnswer>();
    this.answer = promise;
    this.#resolve = resolve;
  }

  /** The CPU that it is sent from. */
  get cpu(): number {
    return this.call.cpu ?? this.call.credentials?.pid ?? 0;
  }

  /** Whether the server must not reply. */
  get noReply(): boolean {
    return this.row.noReply === true;
  }

  /** Whether the server has to reply. */
  get needsReply(): boolean {
    return !this.row.noReply && !this.row.optionalReply;
  }

  /** Puts the message into an entry; returns whether it fits. */
  write(entry: MemoryEntry, contiguous: boolean): boolean {
    const { tail = NO_BODY, credentials } = this.call;
    const body = this.#body;
    const room = contiguous
      ? entry.incoming.length - IN_HEADER.size - body.length
      : entry.outgoing.length;
    if (tail.length > room) return false;
    const { header } = entry.request;
    IN_HEADER.set.len(header, 0, this.length);
    IN_HEADER.set.opcode(header, 0, this.row.opcode);
    IN_HEADER.set.unique(header, 0, this.unique);
    IN_HEADER.set.nodeid(header, 0, this.call.nodeid ?? FUSE_ROOT_ID);
    IN_HEADER.set.uid(header, 0, credentials?.uid ?? 0);
    IN_HEADER.set.gid(header, 0, credentials?.gid ?? 0);
    IN_HEADER.set.pid(header, 0, credentials?.pid ?? 0);
    IN_HEADER.set.total_extlen(header, 0, 0);
    IN_HEADER.set.padding(header, 0, 0);
    const bodyAt = contiguous ? IN_HEADER.size : SEPARATE_BODY_AT;
    entry.incoming.set(body, bodyAt);
    if (contiguous) entry.incoming.set(tail, bodyAt + body.length);
    else entry.outgoing.set(tail);
    return true;
  }

  /**
   * Ends the request; later calls have no effect.
   *
   * @param errno A positive error number, 0 for success.
   * @param body The reply's body, in memory that belongs to the queue.
   */
  end(errno: number, body: Uint8Array = NO_BODY): void {
    this.state = "finished";
    const { into } = this.call;
    const { length } = body;
    if (errno !== 0 || length === 0) body = NO_BODY;
    else if (into === undefined) body = body.slice();
    else {
      into.set(body);
      body = length === into.length ? into : into.subarray(0, length);
    }
    this.#resolve({ errno, body });
  }
}

/** The common properties of all requests of one opcode. */
export interface RequestShape {
  /** The opcode's row in the protocol's table. */
  readonly row: OpcodeRow;
  /** Bytes of the struct after its header. */
  readonly fixed: number;
  /** Bytes of the structs in its reply. */
  readonly structs: number;
}

/** Shapes that were computed, by minor version. */
const shapes: Map<OpcodeName, RequestShape>[] = [];

/** The shape of an opcode's requests in a minor version. */
export function shapeOf(opcode: OpcodeName, minor: number): RequestShape {
  const known = shapes[minor] ??= new Map();
  let shape = known.get(opcode);
  if (shape === undefined) {
    const row: OpcodeRow = OPCODES[opcode];
    let structs = 0;
    for (const name of row.out ?? []) structs += sizeAt(name, minor);
    const fixed = row.in === undefined ? 0 : sizeAt(row.in, minor);
    known.set(opcode, shape = { row, fixed, structs });
  }
  return shape;
}

/** Bytes of the reply to a request for the size of a value. */
export const VALUE_SIZE_ANSWER: number = sizeOf("fuse_getxattr_out");
