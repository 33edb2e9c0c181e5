/**
 * A handler module for tests: a directory in which the look-up of most names
 * throws what the name says. `fine` is a file.
 *
 * @module
 */
import type { RequestHandler } from "../../mod.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { S_IF } from "../../src/base/file_flags.ts";
import { OPCODES } from "../../src/protocol/mod.ts";

function systemError(code: string, errno: number): Error {
  return Object.assign(new Error(`${code}: no`), { code, errno });
}

/** What each look-up throws, and what the client is told. */
export const THROWN: Record<string, () => unknown> = {
  "Not a directory": () => new Deno.errors.NotADirectory("of Deno"),
  "Permission denied": () => new Deno.errors.NotCapable("of Deno"),
  "Read-only file system": () => systemError("EROFS", -30),
  "No such file or directory": () => ({ errno: -2 }),
  "Interrupted system call": () => AbortSignal.abort().reason,
  "Device or resource busy": () =>
    new Error("wrapped", { cause: new Deno.errors.Busy("inside") }),
};

/** What is a defect: the client is told EIO, and it is reported. */
export const DEFECTS: Record<string, () => unknown> = {
  "x is not a function": () => new TypeError("x is not a function"),
  "an absurd number": () => Object.assign(new Error("absurd"), { errno: 5000 }),
  "a text": () => "no error at all",
  "nothing": () => undefined,
};

function attributes(nodeid: bigint) {
  return nodeid === 1n
    ? { ino: 1n, mode: S_IF.DIR | 0o755, nlink: 2 }
    : { ino: nodeid, mode: S_IF.REG | 0o644, nlink: 1 };
}

/** Makes the handler. Names that end with `later` throw in a promise. */
export default function makeHandler(): RequestHandler {
  return {
    handle(request, reply) {
      switch (request.opcode) {
        case OPCODES.GETATTR.opcode:
          return reply.struct("fuse_attr_out", {
            attr: attributes(request.nodeid),
          });
        case OPCODES.LOOKUP.opcode: {
          const name = String(request.name());
          const [what, later] = name.split(" later");
          const thrown = THROWN[what!] ?? DEFECTS[what!];
          if (thrown === undefined) {
            const nodeid = 2n;
            const attr = attributes(nodeid);
            return reply.struct("fuse_entry_out", { nodeid, attr });
          }
          if (later === undefined) throw thrown();
          return new Promise((_, reject) =>
            setTimeout(() => reject(thrown()), 5)
          );
        }
        case OPCODES.FORGET.opcode:
          return reply.none();
        default:
          return reply.error(ERRNO.ENOSYS);
      }
    },
  };
}
