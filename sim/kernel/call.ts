import { errnoName } from "../../src/base/errno.ts";
import type { OpcodeName } from "../../src/protocol/opcodes.ts";

/**
 * The ids of a process.
 *
 * @category Kernel
 */
export interface Credentials {
  /** The user id. */
  readonly uid: number;
  /** The group id. */
  readonly gid: number;
  /** The thread id. */
  readonly pid: number;
}

/**
 * A request, as the parts of the kernel pass it on: `struct fuse_args`.
 *
 * @category Kernel
 */
export interface SimCall {
  /** The operation. */
  readonly opcode: OpcodeName;
  /** The fixed-size struct; none if left out. */
  readonly body?: Uint8Array;
  /** The bytes after the struct: data or names. */
  readonly tail?: Uint8Array;
  /** The largest size of a reply's data or value in bytes; none if left out. */
  readonly replyMax?: number;
  /** The memory for the reply's body; newly allocated if left out. */
  readonly into?: Uint8Array;
  /** The inode; the root if left out. */
  readonly nodeid?: bigint;
  /** The ids of the process; all zero, for the kernel itself, if left out. */
  readonly credentials?: Credentials;
  /** Whether the limit on background requests applies. */
  readonly background?: boolean;
  /** Signals of the process that waits for the reply. */
  readonly signals?: Signals | undefined;
  /** The CPU that sends it; derived from the process id if left out. */
  readonly cpu?: number;
  /** Called when the request is sent, so that its sender may continue. */
  readonly onAdmitted?: (() => void) | undefined;
  /** Whether it is sent even before INIT or beyond the background limit. */
  readonly force?: boolean;
}

/**
 * How a request ended.
 *
 * @category Kernel
 */
export interface SimAnswer {
  /** A positive error number, 0 for success. */
  readonly errno: number;
  /** The reply's body; empty on failure. */
  readonly body: Uint8Array;
}

/**
 * Sends requests: what a client needs of the kernel.
 *
 * @category Kernel
 */
export interface Caller {
  /** Sends a request; resolves when it ends and never rejects. */
  call(call: SimCall): Promise<SimAnswer>;
}

/**
 * A signal that a process can get while it waits for the server.
 *
 * @category Kernel
 */
export type Signal =
  /**
   * A signal with a handler: the call continues, and the server receives
   * INTERRUPT.
   */
  | "interrupt"
  /** SIGKILL: requests that the server has not read are withdrawn. */
  | "kill";

/**
 * Delivers the signals of one process.
 *
 * @category Kernel
 */
export class Signals {
  #interrupted = false;
  #killed = false;
  readonly #waiting: Set<() => void> = new Set();

  /** Whether a signal is pending. */
  get interrupted(): boolean {
    return this.#interrupted || this.#killed;
  }

  /** Whether the process has been killed. */
  get killed(): boolean {
    return this.#killed;
  }

  /** Sends a signal to every call of the process that waits. */
  send(signal: Signal): void {
    if (signal === "kill") this.#killed = true;
    else this.#interrupted = true;
    for (const wake of [...this.#waiting]) wake();
    // The handler has run by the time the interrupted calls return.
    this.#interrupted = false;
  }

  /** Calls back on each signal until {@linkcode Signals.unsubscribe}. */
  subscribe(wake: () => void): void {
    this.#waiting.add(wake);
  }

  /** Ends a subscription. */
  unsubscribe(wake: () => void): void {
    this.#waiting.delete(wake);
  }
}

/**
 * The error of a system call in the simulator.
 *
 * @category Kernel
 */
export class SimError extends Error {
  /** The error number, positive. */
  readonly errno: number;

  /**
   * Makes the error of a system call.
   *
   * @param call The call, `pread` for instance.
   * @param errno A positive error number.
   */
  constructor(call: string, errno: number) {
    super(`Cannot ${call}: ${errnoName(errno)}`);
    this.name = "SimError";
    this.errno = errno;
  }
}
