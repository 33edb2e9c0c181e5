import { S_IF } from "../base/file_flags.ts";
import { declaresShared, type ModuleSpec } from "../base/import_factory.ts";
import { UserError } from "../base/user_error.ts";
import { planAutoUnmount, withAutoUnmount } from "./auto_unmount.ts";
import { closeOnAbort, orAbort } from "./abort_signal.ts";
import {
  checkHandlerOptions,
  type MountHandlerOptions,
} from "./handler_options.ts";
import { checkLimits } from "./limits.ts";
import { prepareMountpoint } from "./mountpoint.ts";
import { NO_PASSTHROUGH } from "./passthrough.ts";
import { Session } from "./session.ts";
import { checkSessionOptions } from "./session_options.ts";
import { noSplicing } from "./splicing.ts";
import { startServing } from "./start_serving.ts";

/**
 * Mounts a file system of your own: a handler that answers FUSE requests.
 *
 * @example Mount a file system until Ctrl-C
 * ```ts ignore
 * import { mountHandler } from "@mqfuse/mqfuse";
 * import { handler } from "./my_file_system.ts";
 *
 * const stop = new AbortController();
 * Deno.addSignalListener("SIGINT", () => stop.abort());
 * const session = await mountHandler({
 *   handler,
 *   mountpoint: "mnt",
 *   writable: true,
 *   signal: stop.signal,
 * });
 * await session.closed;
 * ```
 *
 * @throws {UserError} If it cannot be mounted; nothing stays mounted.
 * @category File systems
 */
export async function mountHandler(
  options: MountHandlerOptions,
): Promise<Session> {
  const checkedHandler = checkHandlerOptions(options);
  const { handler, root, name, permissions, wanted } = checkedHandler;
  const isModule = "module" in handler;
  const checked = checkSessionOptions(options, {
    allowOther: "off",
    here: isModule ? null : "a handler",
  });
  const { signal } = checked;
  signal?.throwIfAborted();
  const oneQueue = isModule
    ? await orAbort(whyOneQueue(handler, options.queues), signal)
    : null;
  const session = oneQueue === null ? checked : { ...checked, queues: 1 };
  const singleQueueReason = checked.queues > 1 ? oneQueue : null;
  checkLimits({
    workers: isModule ? session.queues : 0,
    queueMemory: session.queueMemory,
    maxPayload: wanted.maxWrite,
    direct: false,
  }, session.notice);
  const { autoUnmount = "off" } = options;
  const unmounts = planAutoUnmount(autoUnmount);
  using entry = prepareMountpoint(session);
  const started = await startServing({
    session: { ...session, mountpoint: entry.path },
    entry,
    name,
    rootMode: root === "file" ? S_IF.REG : S_IF.DIR,
    checksPermissions: permissions === "kernel",
    wanted,
    maxPayload: wanted.maxWrite,
    passthrough: NO_PASSTHROUGH,
    splicing: noSplicing(wanted.maxWrite),
    handler: isModule
      ? { spec: () => ({ kind: "module", ...handler }), singleQueueReason }
      : { handler: () => handler, singleQueueReason: null },
    release: () => Promise.resolve(),
  });
  for (const server of started.servers) server.serve();
  const parts = unmounts
    ? await withAutoUnmount(started, autoUnmount, session.notice)
    : started;
  return await closeOnAbort(new Session(parts), signal);
}

/**
 * Why one queue has to serve a handler module; `null` if several can.
 *
 * @throws {UserError} If more were requested, or the module cannot be imported.
 */
async function whyOneQueue(
  spec: ModuleSpec,
  queues: number | undefined,
): Promise<string | null> {
  if (await declaresShared(spec, "handler")) return null;
  if (queues === undefined || queues === 1) {
    return "the handler module does not declare itself shared";
  }
  throw new UserError(
    `Cannot serve the handler module ${spec.module} with ${queues} queues: each Worker would have a handler with a state of its own; use 1, or put "export const shared = true" into the module if its handlers are one file system`,
  );
}
