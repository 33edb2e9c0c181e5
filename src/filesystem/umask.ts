import { accessors } from "../protocol/accessors.ts";
import { OPCODES } from "../protocol/opcodes.ts";
import type { Request } from "../protocol/request.ts";

const MKNOD_IN = accessors("fuse_mknod_in");
const MKDIR_IN = accessors("fuse_mkdir_in");
const CREATE_IN = accessors("fuse_create_in");

/** The umask that a request tells; 0 for those that make nothing. */
export function umaskOf({ opcode, body }: Request): number {
  switch (opcode) {
    case OPCODES.MKNOD.opcode:
      return MKNOD_IN.get.umask(body);
    case OPCODES.MKDIR.opcode:
      return MKDIR_IN.get.umask(body);
    case OPCODES.CREATE.opcode:
    case OPCODES.TMPFILE.opcode:
      return CREATE_IN.get.umask(body);
    default:
      return 0;
  }
}
