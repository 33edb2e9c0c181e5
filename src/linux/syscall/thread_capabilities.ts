/**
 * Effective capabilities of one thread: capset(2).
 *
 * @module
 */
import { libc } from "./libc.ts";

/** Bit numbers of capabilities(7), all below 32. */
const CAP = { FSETID: 4 } as const;

// struct __user_cap_header_struct { __u32 version; int pid; } and two of struct
// __user_cap_data_struct { __u32 effective, permitted, inheritable; }.
const VERSION_3 = 0x20080522;
const HEADER_WORDS = 2;
const DATA_WORDS = 6;

/** The capabilities that the calling thread had when this was made. */
export class ThreadCapabilities {
  readonly #header = new Uint32Array(new ArrayBuffer(4 * HEADER_WORDS));
  readonly #all = new Uint32Array(new ArrayBuffer(4 * DATA_WORDS));
  readonly #fewer = new Uint32Array(new ArrayBuffer(4 * DATA_WORDS));

  /** Notes the capabilities of the calling thread. */
  constructor() {
    this.#header[0] = VERSION_3;
    libc().capget(this.#header, this.#all);
  }

  /** Gives them back to the thread, after setfsuid(2) has taken some away. */
  restore(): void {
    libc().capset(this.#header, this.#all);
  }

  /** Calls a function without one of them. */
  without<T>(name: keyof typeof CAP, call: () => T): T {
    this.#fewer.set(this.#all);
    this.#fewer[0]! &= ~(1 << CAP[name]);
    libc().capset(this.#header, this.#fewer);
    try {
      return call();
    } finally {
      this.restore();
    }
  }
}
