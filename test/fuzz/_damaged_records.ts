/**
 * Damage to the bytes of TLS on their way from a server: RFC 8446, section 5.
 *
 * @module
 */
import { concat } from "../../src/protocol/bytes.ts";
import type { Random } from "../_random.ts";

/** What becomes of the bytes of one connection, from some byte on. */
export type Damage =
  /** Nothing. */
  | "none"
  /** The connection ends, without an end of TLS. */
  | "cut"
  /** Nothing more comes. */
  | "stall"
  | "flip"
  | "drop"
  | "repeat"
  | "insert";

const DAMAGES: readonly Damage[] = [
  ..."none none none cut cut cut cut".split(" ") as Damage[],
  ..."flip drop repeat insert".split(" ") as Damage[],
];

/** Bytes of a handshake, about. */
const HANDSHAKE_BYTES = 2000;
const BYTES_MAX = 300_000;
/** Bytes that are dropped, repeated or inserted at most. */
const PART_MAX = 500;
/** The head of a record, and where its length is. */
const HEAD_BYTES = 5;
const LENGTH_AT = 3;

/** Damages the bytes of one connection. */
export class RecordDamage {
  readonly #kind: Damage;
  readonly #random: Random;
  /** The byte at which it happens; the next start of a record, if aligned. */
  readonly #at: number;
  readonly #isAligned: boolean;
  #isDone = false;
  #seen = 0;
  #nextRecord = 0;
  #head: number[] = [];

  constructor(random: Random) {
    this.#random = random;
    // A stall takes long.
    this.#kind = random.oneIn(60) ? "stall" : random.pick(DAMAGES);
    const most = random.oneIn(4) ? HANDSHAKE_BYTES : BYTES_MAX;
    this.#at = random.below(most);
    this.#isAligned = random.oneIn(2);
  }

  /**
   * Takes what the server has sent.
   *
   * @returns What arrives, and whether more may follow; if not, whether the
   * connection ends.
   */
  pass(
    bytes: Uint8Array,
  ): { arrives: Uint8Array; goesOn: boolean; ends: boolean } {
    const at = this.#isDone || this.#kind === "none" ? -1 : this.#find(bytes);
    const all = { arrives: bytes, goesOn: true, ends: false };
    if (at < 0) return all;
    this.#isDone = true;
    const before = bytes.subarray(0, at);
    const rest = bytes.subarray(at);
    const count = 1 + this.#random.below(PART_MAX);
    switch (this.#kind) {
      case "cut":
        return { arrives: before, goesOn: false, ends: true };
      case "stall":
        return { arrives: before, goesOn: false, ends: false };
      case "flip": {
        const arrives = bytes.slice();
        arrives[at]! ^= 1 << this.#random.below(8);
        return { ...all, arrives };
      }
      case "drop":
        return { ...all, arrives: concat([before, rest.subarray(count)]) };
      case "repeat":
        return { ...all, arrives: concat([bytes, bytes.subarray(0, count)]) };
      default:
        return {
          ...all,
          arrives: concat([before, this.#random.bytes(count), rest]),
        };
    }
  }

  /** Where in these bytes the damage happens; -1 if it does not. */
  #find(bytes: Uint8Array): number {
    const first = this.#seen;
    this.#seen += bytes.length;
    if (!this.#isAligned) return this.#at < this.#seen ? this.#at - first : -1;
    for (let at = 0; at < bytes.length;) {
      if (this.#head.length === 0) {
        if (this.#nextRecord > first + at) {
          at = this.#nextRecord - first;
          continue;
        }
        if (this.#nextRecord >= this.#at) return at;
      }
      this.#head.push(bytes[at++]!);
      if (this.#head.length < HEAD_BYTES) continue;
      const [high, low] = this.#head.slice(LENGTH_AT) as [number, number];
      this.#nextRecord = first + at + (high << 8) + low;
      this.#head = [];
    }
    return -1;
  }
}
