/**
 * What a connection's two sides agreed on, as far as it changes the layout of
 * messages.
 *
 * @module
 */
import { FUSE_KERNEL_MINOR_VERSION } from "./codec.ts";
import { sizeAt } from "./layout.ts";
import { opcodeRow } from "./opcodes.ts";
import { FUSE_COMPAT_SETXATTR_IN_SIZE } from "./structs.ts";
import type { StructName } from "./types.ts";

/** Options of a {@linkcode Dialect}. */
export interface DialectOptions {
  /** The minor version that both sides speak; 45 if left out. */
  readonly minor?: number;
  /** Whether FUSE_SETXATTR_EXT was negotiated; no if left out. */
  readonly setxattrExt?: boolean;
}

const OPCODE_MAX = 4096;

/** The layout of messages on one connection. */
export class Dialect {
  /** The minor version that both sides speak. */
  readonly minor: number;
  /** Whether fuse_setxattr_in has its longer form. */
  readonly setxattrExt: boolean;
  readonly #bodySizes = new Int16Array(OPCODE_MAX + 1).fill(-1);

  /** Describes an agreement. */
  constructor(options: DialectOptions = {}) {
    this.minor = options.minor ?? FUSE_KERNEL_MINOR_VERSION;
    this.setxattrExt = options.setxattrExt ?? false;
    for (let opcode = 0; opcode <= OPCODE_MAX; opcode++) {
      const row = opcodeRow(opcode);
      if (row === undefined) continue;
      this.#bodySizes[opcode] = row.in === undefined ? 0 : this.size(row.in);
    }
  }

  /** Bytes of a struct between these two sides. */
  size(name: StructName): number {
    if (name === "fuse_setxattr_in" && !this.setxattrExt) {
      return FUSE_COMPAT_SETXATTR_IN_SIZE;
    }
    return sizeAt(name, this.minor);
  }

  /** Bytes of the fixed struct of a request, -1 for an unknown opcode. */
  bodySize(opcode: number): number {
    return opcode <= OPCODE_MAX ? this.#bodySizes[opcode]! : -1;
  }
}

/**
 * The layout before INIT is answered: fuse_init_in is as long as the kernel
 * makes it, at least its first 16 bytes.
 */
export const BEFORE_INIT: Dialect = new Dialect({ minor: 35 });
