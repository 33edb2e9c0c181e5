import { errnoName } from "../../src/base/errno.ts";
import type { OpcodeName } from "../../src/protocol/opcodes.ts";

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

/** What a process is told while it waits for the server. */
export type Signal =
  /** A signal with a handler: the call goes on, the server is told. */
  | "interrupt"
  /** SIGKILL: what the server has not read yet is given up. */
  | "kill";

/** The signals of one process. */
export class Signals {
  #interrupted = false;
  #killed = false;
  readonly #waiting: Set<() => void> = new Set();

  /** Whether a signal came that was not dealt with. */
  get interrupted(): boolean {
    return this.#interrupted || this.#killed;
  }

  /** Whether the process is to die. */
  get killed(): boolean {
    return this.#killed;
  }

  /** Sends a signal to whatever the process waits for. */
  send(signal: Signal): void {
    if (signal === "kill") this.#killed = true;
    else this.#interrupted = true;
    for (const wake of [...this.#waiting]) wake();
    // The handler has run when the calls that it met come back.
    this.#interrupted = false;
  }

  /** Hears of each signal until {@linkcode Signals.forget}. */
  subscribe(wake: () => void): void {
    this.#waiting.add(wake);
  }

  /** Takes a {@linkcode Signals.watch} back. */
  unsubscribe(wake: () => void): void {
    this.#waiting.delete(wake);
  }
}

/** What a system call of a simulated client fails with. */
export class SimError extends Error {
  /** The positive error number. */
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
