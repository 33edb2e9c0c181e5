/**
 * A handler module for the tests: the look-up of any name awaits the
 * invalidation of that name before it is answered, and so waits for itself.
 */
import {
  ERRNO,
  OPCODES,
  type Reply,
  type Request,
  S_IF,
} from "../../src/protocol/mod.ts";
import type { HandlerContext, RequestHandler } from "../../mod.ts";

const ROOT = 1n;

/** Words of the options. */
export const AWAITING = {
  /** How many look-ups have begun to wait. */
  CALLED: 0,
  /** How many notifications are settled. */
  SETTLED: 1,
} as const;

/** Makes the handler; `options` are {@linkcode AWAITING} words. */
export default function makeHandler(
  options: unknown,
  { notifier }: HandlerContext,
): RequestHandler {
  const counts = options as Int32Array<SharedArrayBuffer>;
  const lookUp = async (request: Request, reply: Reply) => {
    const name = String(request.name());
    Atomics.add(counts, AWAITING.CALLED, 1);
    await notifier.invalidateEntry(ROOT, name).finally(() =>
      Atomics.add(counts, AWAITING.SETTLED, 1)
    );
    reply.error(ERRNO.ENOENT);
  };
  return {
    handle(request, reply) {
      if (request.opcode === OPCODES.LOOKUP.opcode) {
        return lookUp(request, reply);
      }
      if (request.opcode !== OPCODES.GETATTR.opcode) {
        return reply.error(ERRNO.ENOSYS);
      }
      const attr = { ino: ROOT, mode: S_IF.DIR | 0o755, nlink: 2 };
      reply.struct("fuse_attr_out", { attr });
    },
  };
}
