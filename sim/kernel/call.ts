import type { OpcodeName } from "../../src/protocol/opcodes.ts";
import type { Signals } from "./signals.ts";

/** Who asks. */
export interface Credentials {
  /** The user id. */
  readonly uid: number;
  /** The group id. */
  readonly gid: number;
  /** The thread id. */
  readonly pid: number;
}

/** One request, as the parts of the kernel ask for it: `struct fuse_args`. */
export interface SimCall {
  /** What is asked. */
  readonly opcode: OpcodeName;
  /** The fixed struct; none if left out. */
  readonly body?: Uint8Array;
  /** What follows the fixed struct: data or names. */
  readonly tail?: Uint8Array;
  /** Bytes that a reply's data or value may have; none if left out. */
  readonly replyMax?: number;
  /** Where the reply's body is copied to; a copy of its own if left out. */
  readonly into?: Uint8Array;
  /** The inode; the root if left out. */
  readonly nodeid?: bigint;
  /** Who asks; the kernel itself, all zero, if left out. */
  readonly credentials?: Credentials;
  /** Whether it counts against the limit of background requests. */
  readonly background?: boolean;
  /** What the process that sleeps for it may be told meanwhile. */
  readonly signals?: Signals | undefined;
  /** The CPU that it is sent from; the one of the process if left out. */
  readonly cpu?: number;
  /** Told when the sender need not sleep any more to send it. */
  readonly onAdmitted?: (() => void) | undefined;
  /** Whether it goes out even if the connection is congested. */
  readonly force?: boolean;
}

/** How a request ended. */
export interface SimAnswer {
  /** A positive error number, 0 for success. */
  readonly errno: number;
  /** The reply's body; empty on failure. */
  readonly body: Uint8Array;
}

/** Whoever takes requests: what a client needs of the kernel. */
export interface Caller {
  /** Sends a request; resolves when it ends, and never rejects. */
  call(call: SimCall): Promise<SimAnswer>;
}
