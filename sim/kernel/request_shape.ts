import { sizeAt, sizeOf } from "../../src/protocol/layout.ts";
import {
  type OpcodeName,
  type OpcodeRow,
  OPCODES,
} from "../../src/protocol/opcodes.ts";

/** What is the same for all requests of one opcode. */
export interface RequestShape {
  /** The opcode's row in the table. */
  readonly row: OpcodeRow;
  /** Bytes of the structs in a reply to it. */
  readonly structs: number;
}

/** The shapes that were asked for, by minor version. */
const shapes: Map<OpcodeName, RequestShape>[] = [];

/** The shape of an opcode's requests where a minor version is spoken. */
export function shapeOf(opcode: OpcodeName, minor: number): RequestShape {
  const known = shapes[minor] ??= new Map();
  let shape = known.get(opcode);
  if (shape === undefined) {
    const row: OpcodeRow = OPCODES[opcode];
    let structs = 0;
    for (const name of row.out ?? []) structs += sizeAt(name, minor);
    known.set(opcode, shape = { row, structs });
  }
  return shape;
}

/** Bytes of the answer to whoever asks for the size of a value alone. */
export const VALUE_SIZE_ANSWER: number = sizeOf("fuse_getxattr_out");
