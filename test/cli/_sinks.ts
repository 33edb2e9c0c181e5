/**
 * Captures the output of a program.
 *
 * @module
 */
import type { Sinks } from "../../src/cli/output/output.ts";

/** Streams that keep what is written to them. */
export class KeptSinks implements Sinks {
  /** All that was written to standard output. */
  out = "";
  /** All that was written to standard error. */
  err = "";
  readonly stdout = {
    writeSync: (bytes: Uint8Array) => this.#keep("out", bytes),
  };
  readonly stderr = {
    writeSync: (bytes: Uint8Array) => this.#keep("err", bytes),
  };
  readonly #most: number;

  /** Makes streams that accept a limited number of bytes at once. */
  constructor(most: number = Infinity) {
    this.#most = most;
  }

  #keep(name: "out" | "err", bytes: Uint8Array): number {
    const taken = bytes.subarray(0, this.#most);
    this[name] += new TextDecoder().decode(taken);
    return taken.byteLength;
  }
}
