import type { WantedCapabilities } from "../protocol/init.ts";
import { S_IF } from "../base/file_flags.ts";
import type { RequestHandler } from "../queue/serve.ts";
import { closeOnAbort } from "./abort_signal.ts";
import type { ModuleSpec } from "../base/import_factory.ts";
import { prepareMountpoint } from "./mountpoint.ts";
import { NO_PASSTHROUGH } from "./passthrough.ts";
import { Session } from "./session.ts";
import { checkSessionOptions, type SessionOptions } from "./session_options.ts";
import { startServing } from "./start_serving.ts";

/**
 * The type of a mount's root.
 *
 * @category File systems
 */
export type RootKind = "file" | "directory";

/**
 * Options of {@linkcode mountHandler}.
 *
 * @category File systems
 */
export interface MountHandlerOptions extends SessionOptions {
  /**
   * Answers requests: an object, which one queue serves on the calling thread;
   * or a module whose default export makes one in each Worker.
   */
  readonly handler: RequestHandler | ModuleSpec;
  /** The type of the root; a directory if left out. */
  readonly root?: RootKind;
  /** Device name of the mount in /proc/mounts; `mqfuse` if left out. */
  readonly name?: string;
  /** Capabilities to request in INIT, besides the usual ones. */
  readonly wanted?: Partial<WantedCapabilities>;
}

const USUAL_CAPABILITIES: WantedCapabilities = {
  flags: ["ASYNC_READ", "BIG_WRITES", "MAX_PAGES", "PARALLEL_DIROPS"],
  maxWrite: 128 * 1024,
  maxBackground: 64,
  congestionThreshold: 48,
};

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
  const { handler } = options;
  const isModule = "module" in handler;
  const session = checkSessionOptions(options, {
    allowOther: "off",
    here: isModule ? null : "a handler",
  });
  session.signal?.throwIfAborted();
  const mountpoint = prepareMountpoint(session.mountpoint, session.notice);
  const wanted = {
    ...USUAL_CAPABILITIES,
    ...options.wanted,
    flags: [...USUAL_CAPABILITIES.flags, ...options.wanted?.flags ?? []],
  };
  const parts = await startServing({
    session: { ...session, mountpoint },
    name: options.name ?? "mqfuse",
    rootMode: options.root === "file" ? S_IF.REG : S_IF.DIR,
    wanted,
    maxPayload: wanted.maxWrite,
    passthrough: NO_PASSTHROUGH,
    handler: isModule
      ? { spec: () => ({ kind: "module", ...handler }) }
      : { handler: () => handler, singleQueueReason: null },
    release: () => Promise.resolve(),
  });
  return await closeOnAbort(new Session(parts), session.signal);
}
