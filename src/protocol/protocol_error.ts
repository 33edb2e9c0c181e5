/**
 * What can be wrong with a message from the other side.
 *
 * @module
 */
import { ERRNO } from "../base/errno.ts";
import { opcodeName } from "./opcodes.ts";

/** The kinds of damage that validation tells apart. */
export type ProtocolErrorKind =
  /** Fewer bytes than a header has. */
  | "short header"
  /** The header's `len` is not the length of the message. */
  | "wrong length"
  /** No such request, or no such notification. */
  | "unknown opcode"
  /** The fixed struct is cut off. */
  | "short body"
  /** A name runs into the end of the message. */
  | "missing NUL"
  /** A name is longer than FUSE_NAME_MAX. */
  | "long name"
  /** Fewer bytes of data than the fixed struct says. */
  | "short data"
  /** Fewer items than the fixed struct says. */
  | "short items"
  /** The extensions would be longer than what lies behind the fixed struct. */
  | "long extensions"
  /** A record of the extensions does not hold what it says. */
  | "bad extension"
  /** A reply's `error` is neither 0 nor a negated errno that it may carry. */
  | "bad error"
  /** A reply has more than its structs, or than was asked for. */
  | "long body"
  /** An entry of a directory breaks the rules. */
  | "bad entry";

/**
 * A message that breaks the protocol's rules. Validation returns it rather
 * than throws it, so that a server can answer `errno` and go on; decoders of
 * whole messages throw it.
 */
export class ProtocolError extends Error {
  /** What is wrong. */
  readonly kind: ProtocolErrorKind;
  /** The opcode on the wire; 0 where the header was too short to tell. */
  readonly opcode: number;
  /** Bytes that the rule asks for; the limit where something is too long. */
  readonly expected: number;
  /** Bytes that were there. */
  readonly received: number;
  /** What to answer: ENOSYS for an unknown opcode, EINVAL otherwise. */
  readonly errno: number;
  /**
   * Whether the header can be trusted, so that an answer reaches its request.
   * Where it cannot, the kernel and the server have lost each other.
   */
  readonly answerable: boolean;

  /** Describes a message that was refused. */
  constructor(
    kind: ProtocolErrorKind,
    opcode: number,
    expected: number,
    received: number,
  ) {
    super(describe(kind, opcode, expected, received));
    this.name = "ProtocolError";
    this.kind = kind;
    this.opcode = opcode;
    this.expected = expected;
    this.received = received;
    this.errno = kind === "unknown opcode" ? ERRNO.ENOSYS : ERRNO.EINVAL;
    this.answerable = kind !== "short header" && kind !== "wrong length";
  }
}

function describe(
  kind: ProtocolErrorKind,
  opcode: number,
  expected: number,
  received: number,
): string {
  const what = opcodeName(opcode) ?? `opcode ${opcode}`;
  switch (kind) {
    case "short header":
      return `Cannot read message header: expected ${expected} bytes, received ${received}`;
    case "wrong length":
      return `Cannot read ${what}: its header says ${expected} bytes, received ${received}`;
    case "unknown opcode":
      return `Cannot read ${what}: no such request up to FUSE 7.45`;
    case "short body":
      return `Cannot read ${what}: expected at least ${expected} bytes, received ${received}`;
    case "missing NUL":
      return `Cannot read ${what}: a name of ${received} bytes lacks its NUL`;
    case "long name":
      return `Cannot read ${what}: a name has ${received} bytes, at most ${expected} are allowed`;
    case "short data":
      return `Cannot read ${what}: it announces ${expected} bytes of data, received ${received}`;
    case "short items":
      return `Cannot read ${what}: it announces ${expected} bytes of items, received ${received}`;
    case "long extensions":
      return `Cannot read ${what}: extensions take ${expected} bytes, received ${received}`;
    case "bad extension":
      return `Cannot read ${what}: an extension needs ${expected} bytes, received ${received}`;
    case "bad error":
      return `Cannot read the reply to ${what}: ${received} is no negated errno of at most ${expected}`;
    case "long body":
      return `Cannot read the reply to ${what}: expected at most ${expected} bytes, received ${received}`;
    case "bad entry":
      return `Cannot read the reply to ${what}: an entry needs ${expected} bytes, received ${received}`;
  }
}
