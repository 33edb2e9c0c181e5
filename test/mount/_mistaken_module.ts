/**
 * A file system of mistakes: the directory `right` and a file `right`, and one
 * file or directory for each mistake of `test/queue/mistakes.ts`, by its number.
 *
 * @module
 */
import { S_IF } from "../../src/base/file_flags.ts";
import { ERRNO } from "../../src/base/errno.ts";
import { FOPEN } from "../../src/protocol/flags.ts";
import { opcodeName, OPCODES } from "../../src/protocol/opcodes.ts";
import type { Reply } from "../../src/protocol/reply.ts";
import type { Request } from "../../src/protocol/request.ts";
import type { RequestHandler } from "../../src/queue/request_handler.ts";
import { MISTAKEN_VALUES } from "../queue/mistaken_values.ts";
import { MISTAKEN_CONTENTS } from "../queue/mistaken_contents.ts";
import type { Mistake } from "../queue/mistake.ts";
import { MISTAKES, UNCAUGHT } from "../queue/mistakes.ts";

/** The mistakes, by number. */
export const ALL: readonly Mistake[] = [
  ...MISTAKES,
  ...UNCAUGHT,
  ...MISTAKEN_CONTENTS,
  ...MISTAKEN_VALUES,
];

const ROOT = 1n;
/** The file that is always right. */
const RIGHT = 2n;
/** The node of the first mistake. */
const FIRST = 10n;
/** Every byte of the right file. */
const BYTE = 0x52;

/** Makes the handler. */
export default function make(): RequestHandler {
  // Late answers come while no request waits.
  return { background: true, handle };
}

function handle(
  request: Request,
  reply: Reply,
): void | PromiseLike<unknown> {
  const name = opcodeName(request.opcode)!;
  const mistake = mistakeOf(request);
  if (mistake !== undefined && (mistake.request?.[0] ?? "READ") === name) {
    return mistake.handle(request, reply);
  }
  switch (name) {
    case "LOOKUP":
      return lookUp(request, reply);
    case "GETATTR":
      return reply.struct("fuse_attr_out", { attr: attr(request.nodeid) });
    case "OPEN":
    case "OPENDIR":
      return reply.struct("fuse_open_out", { open_flags: FOPEN.DIRECT_IO });
    case "READ":
      reply.data.fill(BYTE, 0, 512);
      return reply.ok(512);
    case "READDIR":
    case "RELEASE":
    case "RELEASEDIR":
    case "FLUSH":
    case "DESTROY":
      return reply.ok();
    case "FORGET":
    case "BATCH_FORGET":
    case "INTERRUPT":
      return reply.none();
    default:
      return reply.error(ERRNO.ENOSYS);
  }
}

/** Names are looked up and made in the root; everything else has a node. */
function mistakeOf(request: Request): Mistake | undefined {
  const { opcode, nodeid } = request;
  const isNamed = opcode === OPCODES.LOOKUP.opcode ||
    opcode === OPCODES.MKDIR.opcode;
  const number = isNamed ? Number(request.name()) : Number(nodeid - FIRST);
  return ALL[number];
}

function lookUp(request: Request, reply: Reply): void {
  const name = request.name();
  const number = Number(name);
  const isMade = ALL[number]?.request?.[0] === "MKDIR";
  if (name !== "right" && (ALL[number] === undefined || isMade)) {
    return reply.error(ERRNO.ENOENT);
  }
  const nodeid = name === "right" ? RIGHT : FIRST + BigInt(number);
  reply.struct("fuse_entry_out", { nodeid, attr: attr(nodeid) });
}

function attr(nodeid: bigint) {
  return { ino: nodeid, mode: modeOf(nodeid), nlink: 1, size: 4096n };
}

function modeOf(nodeid: bigint): number {
  if (nodeid === ROOT) return S_IF.DIR | 0o755;
  switch (ALL[Number(nodeid - FIRST)]?.request?.[0]) {
    case "READDIR":
      return S_IF.DIR | 0o755;
    case "READLINK":
      return S_IF.LNK | 0o777;
    default:
      return S_IF.REG | 0o644;
  }
}
