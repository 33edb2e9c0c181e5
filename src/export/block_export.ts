/**
 * The block export: a file system that is one plain file, backed by an image.
 * Its semantics are those of QEMU's FUSE export; docs/SEMANTICS.md lists each
 * difference.
 *
 * @module
 */
import { accessors } from "../protocol/accessors.ts";
import { ERRNO } from "../base/errno.ts";
import { Completion, type Step } from "../event/completion.ts";
import { FOPEN } from "../protocol/flags.ts";
import { S_IF } from "../base/file_flags.ts";
import type { InitFlagName } from "../protocol/flags.ts";
import type { WantedCapabilities } from "../protocol/init.ts";
import { OPCODES } from "../protocol/opcodes.ts";
import type { Reply } from "../protocol/reply.ts";
import type { Request } from "../protocol/request.ts";
import { replyAttributes, setAttributes } from "./attributes.ts";
import type { ExportContext, ExportRules } from "./export_context.ts";
import { followImage } from "./image_size.ts";
import { replyResult } from "./reply_result.ts";
import { allocateSpace, replyStatfs, seekSpace } from "./space.ts";
import { readImage, writeImage } from "./transfer.ts";

const OPEN_OUT = accessors("fuse_open_out");

/**
 * Largest READ or WRITE in bytes: the kernel's default limit.
 *
 * @category Exporting an image
 */
export const MAX_PAYLOAD: number = 1 << 20;

/**
 * The file type of an export, for mount(2)'s `rootmode`.
 *
 * @category Exporting an image
 */
export const EXPORT_ROOT_MODE: number = S_IF.REG;

/**
 * The capabilities that an export wants in INIT.
 *
 * @category Exporting an image
 */
export function exportCapabilities(
  { growable }: Pick<ExportRules, "growable">,
): WantedCapabilities {
  const flags: InitFlagName[] = [
    "ASYNC_READ",
    "ASYNC_DIO",
    "BIG_WRITES",
    "MAX_PAGES",
    "ABORT_ERROR",
    "INIT_EXT",
    "DIRECT_IO_ALLOW_MMAP",
  ];
  // O_TRUNC then comes with OPEN, which ignores it. Otherwise the kernel would
  // send a SETATTR of size 0, which wipes the image.
  if (!growable) flags.push("ATOMIC_O_TRUNC");
  return {
    flags,
    maxWrite: MAX_PAYLOAD,
    maxBackground: 65535,
    congestionThreshold: 49151,
  };
}

/**
 * Answers the requests to one exported image.
 *
 * @category Exporting an image
 */
export class BlockExport {
  /** Whether the backend has timers or promises that run between requests. */
  readonly background: boolean;
  readonly #context: ExportContext;
  /** The kernel's id of the image if it does the I/O by itself, else 0. */
  readonly #backingId: number;

  /** Makes the handler of one queue; all queues of an export share `state`. */
  constructor(context: ExportContext) {
    const { backend, rules } = context;
    this.background = backend.background ?? false;
    this.#backingId = rules.backingId ?? 0;
    this.#context = context;
  }

  /** Answers one request; see `RequestHandler`. */
  handle(request: Request, reply: Reply): void | PromiseLike<unknown> {
    return this.#backingId !== 0 && dependsOnSize(request.opcode)
      ? followImage(this.#context).then(() => this.#answer(request, reply))
      : this.#answer(request, reply);
  }

  #answer(request: Request, reply: Reply): void | PromiseLike<unknown> {
    const context = this.#context;
    switch (request.opcode) {
      case OPCODES.READ.opcode:
        return readImage(context, request, reply);
      case OPCODES.WRITE.opcode:
        return writeImage(context, request, reply);
      case OPCODES.GETATTR.opcode:
        return replyAttributes(context, reply);
      case OPCODES.SETATTR.opcode:
        return setAttributes(context, request, reply);
      case OPCODES.OPEN.opcode:
        return replyOpen(reply, this.#backingId);
      case OPCODES.FSYNC.opcode:
      case OPCODES.FLUSH.opcode:
        return flushImage(context, reply);
      case OPCODES.FALLOCATE.opcode:
        return allocateSpace(context, request, reply);
      case OPCODES.LSEEK.opcode:
        return seekSpace(context, request, reply);
      case OPCODES.STATFS.opcode:
        return replyStatfs(context, reply);
      case OPCODES.RELEASE.opcode:
      case OPCODES.DESTROY.opcode:
        return reply.ok();
      case OPCODES.FORGET.opcode:
      case OPCODES.BATCH_FORGET.opcode:
      case OPCODES.NOTIFY_REPLY.opcode:
        return reply.none();
      case OPCODES.LOOKUP.opcode:
        return reply.error(ERRNO.ENOENT);
      default:
        // After ENOSYS the kernel does not send this opcode again.
        return reply.error(ERRNO.ENOSYS);
    }
  }
}

/** Whether the answer depends on the size, which passthrough may change. */
function dependsOnSize(opcode: number): boolean {
  return opcode === OPCODES.GETATTR.opcode ||
    opcode === OPCODES.SETATTR.opcode || opcode === OPCODES.STATFS.opcode ||
    opcode === OPCODES.FALLOCATE.opcode || opcode === OPCODES.LSEEK.opcode;
}

function replyOpen(reply: Reply, backingId: number): void {
  const body = reply.zeroed(OPEN_OUT.size);
  // With DIRECT_IO too, the kernel would still send reads and writes here.
  const flags = backingId === 0
    ? FOPEN.DIRECT_IO | FOPEN.PARALLEL_DIRECT_WRITES
    : FOPEN.PASSTHROUGH;
  OPEN_OUT.set.open_flags(body, 0, flags);
  OPEN_OUT.set.backing_id(body, 0, backingId);
  reply.ok(OPEN_OUT.size);
}

function flushImage(
  context: ExportContext,
  reply: Reply,
): void | PromiseLike<unknown> {
  const { backend, rules, state } = context;
  if (!rules.writable) return reply.ok();
  state.stampWrites();
  const result = backend.flush();
  return typeof result === "number"
    ? replyResult(reply, result)
    : Completion.of(result).after(REPLY_FLUSH, reply);
}

const REPLY_FLUSH: Step<number, void, Reply> = {
  run: (result, reply) => replyResult(reply, result),
};
