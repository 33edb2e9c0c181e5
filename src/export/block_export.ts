/**
 * The block export: a file system that is one plain file, backed by an image.
 * Its semantics are those of QEMU's FUSE export; docs/SEMANTICS.md lists each
 * difference.
 *
 * @module
 */
import { CountedFlush } from "../backends/counted_flush.ts";
import { ERRNO } from "../base/errno.ts";
import { S_IF } from "../base/file_flags.ts";
import type { InitFlagName } from "../protocol/flags.ts";
import type { WantedCapabilities } from "../protocol/init.ts";
import { OPCODES } from "../protocol/opcodes.ts";
import type { Reply } from "../protocol/reply.ts";
import type { Request } from "../protocol/request.ts";
import { replyAttributes, setAttributes } from "./attributes.ts";
import { writeHandle } from "./durable_write.ts";
import type {
  CountedContext,
  ExportContext,
  ExportRules,
} from "./export_context.ts";
import {
  flushHandle,
  openHandle,
  releaseHandle,
  syncHandle,
} from "./handle_requests.ts";
import { followImage } from "./image_size.ts";
import { allocateSpace, replyStatfs, seekSpace } from "./space.ts";
import { readImage } from "./transfer.ts";

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
  { growable, truncate, cache }: Pick<
    ExportRules,
    "growable" | "truncate" | "cache"
  >,
): WantedCapabilities {
  // Without HANDLE_KILLPRIV_V2: the kernel then clears set-id bits itself, by a
  // SETATTR of the mode, before it truncates, allocates or changes the owner.
  // With it, the export would have to clear them, but a FALLOCATE does not say
  // whether its process has CAP_FSETID.
  const flags: InitFlagName[] = [
    "ASYNC_READ",
    "ASYNC_DIO",
    "BIG_WRITES",
    "MAX_PAGES",
    "ABORT_ERROR",
    "INIT_EXT",
    "DIRECT_IO_ALLOW_MMAP",
  ];
  // O_TRUNC then comes with OPEN, which ignores it, but the kernel sets its own
  // size of the file to 0 until a program stats it. Without it, O_TRUNC is a
  // SETATTR of size 0, which can be refused before anything has changed.
  if (!growable && truncate === "as-qemu") flags.push("ATOMIC_O_TRUNC");
  if (cache === "reads") flags.push("AUTO_INVAL_DATA");
  if (cache === "writeback") flags.push("WRITEBACK_CACHE");
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
  /** It never uses a request after its answer; see `RequestHandler`. */
  readonly inPlace = true;
  /** Whether the backend has timers or promises that run between requests. */
  readonly background: boolean;
  readonly #context: CountedContext;
  /** The kernel's id of the image if it does the I/O by itself, else 0. */
  readonly #backingId: number;

  /** Makes the handler of one queue; all queues of an export share `state`. */
  constructor(context: ExportContext) {
    const { backend, rules } = context;
    this.background = backend.background ?? false;
    this.#backingId = rules.backingId ?? 0;
    this.#context = counted(context);
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
        return writeHandle(context, request, reply);
      case OPCODES.GETATTR.opcode:
        return replyAttributes(context, reply);
      case OPCODES.SETATTR.opcode:
        return setAttributes(context, request, reply);
      case OPCODES.OPEN.opcode:
        return openHandle(context, request, reply);
      case OPCODES.FSYNC.opcode:
        return syncHandle(context, request, reply);
      case OPCODES.FLUSH.opcode:
        return flushHandle(context, request, reply);
      case OPCODES.RELEASE.opcode:
        return releaseHandle(context, request, reply);
      case OPCODES.FALLOCATE.opcode:
        return allocateSpace(context, request, reply);
      case OPCODES.LSEEK.opcode:
        // The kernel does not write back before it asks, so that a copy would
        // skip as a hole what was written; without an answer all is data.
        return context.rules.cache === "writeback"
          ? reply.error(ERRNO.ENOSYS)
          : seekSpace(context, request, reply);
      case OPCODES.STATFS.opcode:
        return replyStatfs(context, reply);
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

/** Counts failed flushes, if the image's backends do not; fills in the rest. */
function counted(context: ExportContext): CountedContext {
  const { splicing, state } = context;
  const canSplice = context.backend.splice !== undefined;
  const spliceFrom = canSplice ? splicing?.from ?? Infinity : Infinity;
  if (context.syncErrors !== undefined) {
    return { ...context, spliceFrom, syncErrors: context.syncErrors };
  }
  const { syncErrors } = state;
  const backend = new CountedFlush(context.backend, syncErrors);
  return { ...context, backend, spliceFrom, syncErrors };
}

/** Whether the answer depends on the size, which passthrough may change. */
function dependsOnSize(opcode: number): boolean {
  return opcode === OPCODES.GETATTR.opcode ||
    opcode === OPCODES.SETATTR.opcode || opcode === OPCODES.STATFS.opcode ||
    opcode === OPCODES.FALLOCATE.opcode || opcode === OPCODES.LSEEK.opcode;
}
