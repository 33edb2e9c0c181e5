import { opcodeName } from "../protocol/opcodes.ts";

/** Opcodes with a counter of their own: 1 to 63, which FUSE is far from. */
const OPCODES_MAX = 64;
/** Where requests of any other opcode are counted: no request has opcode 0. */
const UNKNOWN = 0;

/** Bytes of the counts of one queue: sixteen whole cache lines. */
export const OPCODE_COUNTS_SIZE: number = 2 * OPCODES_MAX * 8;

/**
 * What became of the requests of one opcode.
 *
 * @category Statistics
 */
export interface OpcodeTotals {
  /** The opcode's name in the protocol's table; else `unknown`. */
  readonly opcode: string;
  /** Requests taken from the kernel. */
  readonly requests: number;
  /** Requests answered with an error, INTERRUPTs left out. */
  readonly errors: number;
}

/** The requests and errors of one queue by opcode, in shared memory. */
export class OpcodeCounts {
  readonly #requests: Float64Array;
  readonly #errors: Float64Array;

  /** Wraps {@linkcode OPCODE_COUNTS_SIZE} bytes of a memory. */
  constructor(memory: SharedArrayBuffer, at: number) {
    this.#requests = new Float64Array(memory, at, OPCODES_MAX);
    this.#errors = new Float64Array(memory, at + OPCODES_MAX * 8, OPCODES_MAX);
  }

  /** Counts a request. */
  taken(opcode: number): void {
    this.#requests[opcode < OPCODES_MAX ? opcode : UNKNOWN]!++;
  }

  /** Counts an error. */
  failed(opcode: number): void {
    this.#errors[opcode < OPCODES_MAX ? opcode : UNKNOWN]!++;
  }

  /** The totals of every opcode that occurred, in the order of the numbers. */
  totals(): OpcodeTotals[] {
    const all: OpcodeTotals[] = [];
    for (let opcode = 0; opcode < OPCODES_MAX; opcode++) {
      const requests = this.#requests[opcode]!;
      const errors = this.#errors[opcode]!;
      if (requests === 0 && errors === 0) continue;
      all.push({ opcode: opcodeName(opcode) ?? "unknown", requests, errors });
    }
    return all;
  }
}
