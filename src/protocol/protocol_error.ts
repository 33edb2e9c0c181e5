/**
 * Messages that break the rules of the protocol.
 *
 * @module
 */
import { FUSE_KERNEL_MINOR_VERSION, FUSE_KERNEL_VERSION } from "./flags.ts";
import { ERRNO } from "../base/errno.ts";
import { opcodeName } from "./opcodes.ts";

/**
 * What is wrong with a message.
 *
 * @category Errors
 */
export type ProtocolErrorKind =
  /** The message is shorter than a header. */
  | "short header"
  /** The header's `len` is not the length of the message. */
  | "wrong length"
  /** The table has no such request or notification. */
  | "unknown opcode"
  /** The fixed struct is cut off. */
  | "short body"
  /** A name has no NUL before the end of the message. */
  | "missing NUL"
  /** A name is longer than FUSE_NAME_MAX. */
  | "long name"
  /** There are fewer bytes of data than the fixed struct says. */
  | "short data"
  /** There are fewer items than the fixed struct says. */
  | "short items"
  /** The extensions are longer than what follows the fixed struct. */
  | "long extensions"
  /** A record of the extensions is cut off. */
  | "bad extension"
  /** A reply's `error` is neither 0 nor a negated errno up to the limit. */
  | "bad error"
  /** A reply is longer than its structs, or than the request allows. */
  | "long body"
  /** A directory entry is malformed. */
  | "bad entry";

/**
 * A message that breaks the rules of the protocol. Validation returns it, so
 * that a server can answer with `errno` and continue; decoders of whole
 * messages throw it.
 *
 * @category Errors
 */
export class ProtocolError extends Error {
  /** What is wrong. */
  readonly kind: ProtocolErrorKind;
  /** The opcode on the wire; 0 if the message has no whole header. */
  readonly opcode: number;
  /** Bytes that the rule requires, or its limit where there are too many. */
  readonly expected: number;
  /** Bytes that the message has. */
  readonly received: number;
  /** The error to answer with: ENOSYS for an unknown opcode, else EINVAL. */
  readonly errno: number;
  /**
   * Whether the header is valid, so that a reply can be sent. If not, kernel
   * and server are out of step and the connection has to end.
   */
  readonly answerable: boolean;

  /** Describes what is wrong with a message. */
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
      return `Cannot read a message: expected a header of ${expected} bytes, received ${received}`;
    case "wrong length":
      return `Cannot read ${what}: its header says ${expected} bytes, received ${received}`;
    case "unknown opcode":
      return `Cannot read ${what}: FUSE ${FUSE_KERNEL_VERSION}.${FUSE_KERNEL_MINOR_VERSION} has no such request`;
    case "short body":
      return `Cannot read ${what}: expected at least ${expected} bytes, received ${received}`;
    case "missing NUL":
      return `Cannot read ${what}: a name has no NUL within ${received} bytes`;
    case "long name":
      return `Cannot read ${what}: a name has ${received} bytes, at most ${expected} are allowed`;
    case "short data":
      return `Cannot read ${what}: it should have ${expected} bytes of data, received ${received}`;
    case "short items":
      return `Cannot read ${what}: its items should have ${expected} bytes, received ${received}`;
    case "long extensions":
      return `Cannot read ${what}: its extensions should have ${expected} bytes, received ${received}`;
    case "bad extension":
      return `Cannot read ${what}: an extension should have ${expected} bytes, received ${received}`;
    case "bad error":
      return `Cannot read the reply to ${what}: error ${received} is not between -${expected} and 0`;
    case "long body":
      return `Cannot read the reply to ${what}: expected at most ${expected} bytes, received ${received}`;
    case "bad entry":
      return `Cannot read the reply to ${what}: an entry is malformed in ${received} bytes`;
  }
}
