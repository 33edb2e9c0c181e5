/**
 * What a connection's two sides agreed on, as far as it changes the layout of
 * messages.
 *
 * @module
 */
import { FUSE_KERNEL_MINOR_VERSION, FUSE_KERNEL_VERSION } from "./codec.ts";
import { INIT_FLAGS } from "./flags.ts";
import { sizeAt, sizeOf } from "./layout.ts";
import { type OpcodeRow, opcodeRow, OPCODES } from "./opcodes.ts";
import { FUSE_COMPAT_SETXATTR_IN_SIZE } from "./structs.ts";
import type { StructName } from "./types.ts";

/** Options of a {@linkcode ProtocolVersion}. */
export interface ProtocolVersionOptions {
  /** The minor version that both sides speak; 45 if left out. */
  readonly minor?: number;
  /** Whether FUSE_SETXATTR_EXT was negotiated; no if left out. */
  readonly setxattrExt?: boolean;
}

const OPCODE_MAX = 4096;
/** Least size of fuse_init_in, which is sent before anything is agreed on. */
const INIT_IN_SIZE_MIN = 8;

const INIT_EXT = 1 << INIT_FLAGS.INIT_EXT.bit;

/**
 * Bytes of fuse_init_in, which comes before anything is agreed on: 8 up to
 * 7.5, then 16; from 7.36 on 64 where FUSE_INIT_EXT says so.
 */
export function initInSize(
  major: number,
  minor: number,
  flags: number,
): number {
  if (major === FUSE_KERNEL_VERSION && minor < 36) {
    return sizeAt("fuse_init_in", minor);
  }
  return (flags & INIT_EXT) !== 0
    ? sizeOf("fuse_init_in")
    : sizeAt("fuse_init_in", 35);
}

/** The layout of messages on one connection. */
export class ProtocolVersion {
  /** The minor version that both sides speak. */
  readonly minor: number;
  /** Whether fuse_setxattr_in has its longer form. */
  readonly setxattrExt: boolean;
  readonly #bodySizes = new Int16Array(OPCODE_MAX + 1).fill(-1);
  readonly #plain = new Uint8Array(OPCODE_MAX + 1);

  /** Describes an agreement. */
  constructor(options: ProtocolVersionOptions = {}) {
    this.minor = options.minor ?? FUSE_KERNEL_MINOR_VERSION;
    this.setxattrExt = options.setxattrExt ?? false;
    for (let opcode = 0; opcode <= OPCODE_MAX; opcode++) {
      const row = opcodeRow(opcode);
      if (row === undefined) continue;
      const size = this.#sizeOfBody(row);
      const whole = row.in === undefined ? 0 : sizeOf(row.in);
      this.#bodySizes[opcode] = size;
      this.#plain[opcode] = Number(row.tail === undefined && size === whole);
    }
  }

  #sizeOfBody(row: OpcodeRow): number {
    if (row.in === undefined) return 0;
    return row.opcode === OPCODES.INIT.opcode
      ? INIT_IN_SIZE_MIN
      : this.size(row.in);
  }

  /** Bytes of a struct between these two sides. */
  size(name: StructName): number {
    if (name === "fuse_setxattr_in" && !this.setxattrExt) {
      return FUSE_COMPAT_SETXATTR_IN_SIZE;
    }
    return sizeAt(name, this.minor);
  }

  /**
   * Bytes of the fixed struct of a request, -1 for an unknown opcode; for INIT
   * the least that any kernel sends.
   */
  bodySize(opcode: number): number {
    return opcode <= OPCODE_MAX ? this.#bodySizes[opcode]! : -1;
  }

  /**
   * Whether a known request is its fixed struct in full and nothing behind it,
   * so that its length is all there is to check.
   */
  isPlain(opcode: number): boolean {
    return this.#plain[opcode] === 1;
  }
}

/** The newest layout, with no flag of INIT agreed on. */
export const NEWEST_VERSION: ProtocolVersion = new ProtocolVersion();

/** The layout before INIT is answered. */
export const VERSION_BEFORE_INIT: ProtocolVersion = new ProtocolVersion({
  minor: 35,
});
