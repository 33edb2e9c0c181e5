import type { WantedCapabilities } from "../protocol/init.ts";
import { S_IF } from "../base/file_flags.ts";
import type { RequestHandler } from "../queue/serve.ts";
import type { AllowOther } from "../linux/mount/mount_by_fusermount.ts";
import type { ModuleSpec } from "./import_factory.ts";
import { checkQueues } from "./queue_count.ts";
import { prepareMountpoint } from "./mountpoint.ts";
import { Session } from "./session.ts";
import type { SessionListener } from "./session_listener.ts";
import { startServing } from "./start_serving.ts";

/** What the root of a mount is. */
export type RootKind = "file" | "directory";

/** Options of {@linkcode mountHandler}. */
export interface MountHandlerOptions extends SessionListener {
  /**
   * Answers the requests: an object, on the calling thread by one queue; or a
   * module whose default export makes one, in each Worker anew.
   */
  readonly handler: RequestHandler | ModuleSpec;
  /** An existing directory, or plain file, to mount on. */
  readonly mountpoint: string;
  /** What the root is; a directory if left out. */
  readonly root?: RootKind;
  /** What the mount's device is called in /proc/mounts; `mqfuse`. */
  readonly name?: string;
  /** How many queues serve a module; by default the CPUs, at most 4. */
  readonly queues?: number;
  /** Whether the kernel is to refuse every change; no if left out. */
  readonly readOnly?: boolean;
  /**
   * Whether other users may come in: `on`, `off`, or `auto` for `on` where this
   * user may let them; `off`. The kernel checks their permissions.
   */
  readonly allowOther?: AllowOther;
  /** What to ask of the kernel in INIT, besides what is always asked. */
  readonly wanted?: Partial<WantedCapabilities>;
  /** Hears of what was put right on the way, such as a stale mount. */
  readonly notice?: (text: string) => void;
}

const DEFAULT_CAPABILITIES: WantedCapabilities = {
  flags: ["ASYNC_READ", "BIG_WRITES", "MAX_PAGES", "PARALLEL_DIROPS"],
  maxWrite: 128 * 1024,
  maxBackground: 64,
  congestionThreshold: 48,
};

/**
 * Mounts a file system of your own: a handler that answers FUSE requests.
 *
 * @throws {UserError} With one sentence that says what could not be done and why;
 * nothing stays mounted.
 */
export async function mountHandler(
  options: MountHandlerOptions,
): Promise<Session> {
  const { handler, readOnly = false, allowOther = "off" } = options;
  const here = !("module" in handler);
  const queues = checkQueues(options.queues, here ? "a handler" : null);
  const { notice = () => {} } = options;
  const mountpoint = prepareMountpoint(options.mountpoint, notice);
  const wanted = {
    ...DEFAULT_CAPABILITIES,
    ...options.wanted,
    flags: [...DEFAULT_CAPABILITIES.flags, ...options.wanted?.flags ?? []],
  };
  const parts = await startServing({
    mount: {
      mountpoint,
      source: options.name ?? "mqfuse",
      rootMode: options.root === "file" ? S_IF.REG : S_IF.DIR,
      readOnly,
      allowOther,
      maxRead: wanted.maxWrite,
    },
    wanted,
    maxPayload: wanted.maxWrite,
    handler: here
      ? { handler: () => handler }
      : { spec: () => ({ kind: "module", ...handler }), queues },
    listener: options,
    release: () => Promise.resolve(),
  });
  return new Session(parts);
}
