/**
 * The negotiated version of the protocol, as far as it decides how long
 * structs are.
 *
 * @module
 */
import {
  FUSE_KERNEL_MINOR_VERSION,
  FUSE_KERNEL_VERSION,
  INIT_FLAGS,
} from "./flags.ts";
import { sizeAt, sizeOf } from "./layout.ts";
import { type OpcodeRow, OPCODES } from "./opcodes.ts";
import { FUSE_COMPAT_SETXATTR_IN_SIZE } from "./structs.ts";
import type { StructName } from "./types.ts";

/**
 * The options of a {@linkcode ProtocolVersion}.
 *
 * @category INIT
 */
export interface ProtocolVersionOptions {
  /** The negotiated minor version, 45 by default. */
  readonly minor?: number;
  /** Whether FUSE_SETXATTR_EXT was negotiated, false by default. */
  readonly setxattrExt?: boolean;
}

const OPCODE_MAX = Math.max(
  ...Object.values(OPCODES).map(({ opcode }) => opcode),
);
/** The shortest fuse_init_in: that of kernels before 7.6. */
const INIT_IN_SIZE_MIN = sizeAt("fuse_init_in", 0);
/** The minor version that introduced FUSE_INIT_EXT. */
const INIT_EXT_SINCE = INIT_FLAGS.INIT_EXT.since;
const INIT_EXT = 1 << INIT_FLAGS.INIT_EXT.bit;

/**
 * The size of fuse_init_in, which precedes negotiation: 8 bytes before 7.6,
 * then 16; 64 since 7.36 if FUSE_INIT_EXT is set.
 */
export function initInSize(
  major: number,
  minor: number,
  flags: number,
): number {
  if (major === FUSE_KERNEL_VERSION && minor < INIT_EXT_SINCE) {
    return sizeAt("fuse_init_in", minor);
  }
  return (flags & INIT_EXT) !== 0
    ? sizeOf("fuse_init_in")
    : sizeAt("fuse_init_in", INIT_EXT_SINCE - 1);
}

/**
 * The version of the protocol on one connection: the sizes of its structs.
 *
 * @category INIT
 */
export class ProtocolVersion {
  /** The newest version, without any flag of INIT. */
  static readonly NEWEST: ProtocolVersion = new ProtocolVersion();
  /** The version that holds until INIT is answered. */
  static readonly BEFORE_INIT: ProtocolVersion = new ProtocolVersion({
    minor: INIT_EXT_SINCE - 1,
  });

  /** The negotiated minor version. */
  readonly minor: number;
  /** Whether fuse_setxattr_in has its long form. */
  readonly setxattrExt: boolean;
  /** The size of the fixed struct by opcode, -1 for an unknown opcode. */
  readonly #bodySizes = new Int16Array(OPCODE_MAX + 1).fill(-1);
  /** 1 by opcode for what {@linkcode ProtocolVersion.isPlain} says. */
  readonly #plain = new Uint8Array(OPCODE_MAX + 1);

  /** Computes the sizes of a version. */
  constructor(options: ProtocolVersionOptions = {}) {
    this.minor = options.minor ?? FUSE_KERNEL_MINOR_VERSION;
    this.setxattrExt = options.setxattrExt ?? false;
    for (const row of Object.values<OpcodeRow>(OPCODES)) {
      const size = this.#sizeOfBody(row);
      const newest = row.in === undefined ? 0 : sizeOf(row.in);
      this.#bodySizes[row.opcode] = size;
      this.#plain[row.opcode] = Number(
        row.tail === undefined && size === newest,
      );
    }
  }

  #sizeOfBody(row: OpcodeRow): number {
    if (row.in === undefined) return 0;
    return row.opcode === OPCODES.INIT.opcode
      ? INIT_IN_SIZE_MIN
      : this.size(row.in);
  }

  /** The size of a struct in this version, in bytes. */
  size(name: StructName): number {
    if (name === "fuse_setxattr_in" && !this.setxattrExt) {
      return FUSE_COMPAT_SETXATTR_IN_SIZE;
    }
    return sizeAt(name, this.minor);
  }

  /**
   * The size of a request's fixed struct in bytes, -1 for an unknown opcode.
   * For INIT it is the least that any kernel sends.
   */
  bodySize(opcode: number): number {
    return opcode <= OPCODE_MAX ? this.#bodySizes[opcode]! : -1;
  }

  /**
   * Whether a request is its fixed struct in its newest form and nothing more,
   * so that validation has only its length to check.
   */
  isPlain(opcode: number): boolean {
    return this.#plain[opcode] === 1;
  }
}
