import { S_IF } from "../base/file_flags.ts";
import { UserError } from "../base/user_error.ts";
import { FILE_SYSTEM_FLAGS } from "../filesystem/init_flags.ts";
import { checkCacheOptions } from "../filesystem/options.ts";
import { hasCapSysAdmin } from "../linux/syscall/process.ts";
import { closeDescriptor } from "../linux/syscall/descriptor.ts";
import { type DirectWrites, openRoot } from "../mirror/tree.ts";
import type { InitFlagName } from "../protocol/flags.ts";
import { isNegotiated } from "../protocol/init.ts";
import { closeOnAbort } from "./abort_signal.ts";
import {
  type AutoUnmount,
  planAutoUnmount,
  withAutoUnmount,
} from "./auto_unmount.ts";
import { checkChoice } from "./check_value.ts";
import { checkHandlerOptions } from "./handler_options.ts";
import { checkLimits } from "./limits.ts";
import type { MirrorCache, MirrorSpec } from "./mirror_handler.ts";
import { prepareMountpoint } from "./mountpoint.ts";
import {
  NO_PASSTHROUGH,
  type PassthroughChoice,
  PASSTHROUGHS,
} from "./passthrough.ts";
import { Session } from "./session.ts";
import { checkSessionOptions, type SessionOptions } from "./session_options.ts";
import { noSplicing } from "./splicing.ts";
import { type MountedFacts, startServing } from "./start_serving.ts";

/**
 * Options of {@linkcode mountMirror}.
 *
 * @category Mounting
 */
export interface MirrorMountOptions
  extends Omit<SessionOptions, "mountpoint" | "queues">, MirrorCache {
  /** Device name of the mount in /proc/mounts; the directory if left out. */
  readonly name?: string;
  /** As `MountHandlerOptions.wanted` has it; 1 MiB if left out. */
  readonly maxWrite?: number;
  /**
   * Whether the kernel reads and writes the files by itself, which needs
   * CAP_SYS_ADMIN, Linux 6.9, and a file system that is not stacked on another:
   * `auto`, which is used if left out, where it can.
   */
  readonly passthrough?: PassthroughChoice;
  /** Who serves what programs open for direct writes; `auto` if left out. */
  readonly directWrites?: DirectWrites;
  /** Whether the mount ends even if this program is killed; `auto`. */
  readonly autoUnmount?: AutoUnmount;
}

/** Choices of {@linkcode MirrorMountOptions.directWrites}. */
export const DIRECT_WRITES: readonly DirectWrites[] = ["auto", "kernel"];

const MAX_WRITE = 1024 * 1024;
/**
 * The kernel checks the access control lists of the host's files, and leaves the
 * umask to the server, which a default list replaces.
 */
const FLAGS: readonly InitFlagName[] = [
  ...FILE_SYSTEM_FLAGS,
  "POSIX_ACL",
  "DONT_MASK",
  "HANDLE_KILLPRIV_V2",
];
/** The mount is stacked on a file system that is not stacked itself. */
const STACK_DEPTH = 1;

/**
 * Mounts a directory of this machine elsewhere, as `mirror()` shows it. A Worker
 * serves it, so that the calling thread may use the mount.
 *
 * @example Mount a directory until Ctrl-C
 * ```ts ignore
 * import { mountMirror } from "@mqfuse/mqfuse/fs";
 *
 * const stop = new AbortController();
 * Deno.addSignalListener("SIGINT", () => stop.abort());
 * const session = await mountMirror("/srv/data", "mnt", {
 *   signal: stop.signal,
 * });
 * await session.closed;
 * ```
 *
 * @param path The directory.
 * @param mountpoint Where to mount it: a directory.
 * @throws {UserError} If it cannot be mounted; nothing stays mounted.
 * @category Mounting
 */
export async function mountMirror(
  path: string,
  mountpoint: string,
  options: MirrorMountOptions = {},
): Promise<Session> {
  const { attrSeconds, entrySeconds, negativeSeconds, cache } = options;
  const caching = given({ attrSeconds, entrySeconds, negativeSeconds, cache });
  checkCacheOptions(caching);
  const passthrough = mayPassThrough(options.passthrough ?? "auto");
  const { directWrites = "auto" } = options;
  checkChoice(directWrites, DIRECT_WRITES, "directWrites");
  const { autoUnmount = "auto" } = options;
  const unmounts = planAutoUnmount(autoUnmount);
  const { name, wanted } = checkHandlerOptions({
    mountpoint,
    handler: { module: "mirror" },
    name: options.name ?? path,
    wanted: {
      flags: passthrough ? [...FLAGS, "PASSTHROUGH"] : FLAGS,
      maxWrite: options.maxWrite ?? MAX_WRITE,
      ...passthrough ? { maxStackDepth: STACK_DEPTH } : {},
    },
  });
  const session = checkSessionOptions(
    { writable: true, ...options, mountpoint, queues: 1 },
    { allowOther: "off", here: null },
  );
  const { signal } = session;
  signal?.throwIfAborted();
  checkLimits({
    workers: 1,
    queueMemory: session.queueMemory,
    maxPayload: wanted.maxWrite,
    direct: false,
  }, session.notice);
  // First, because the mount may cover the directory.
  const root = openRoot(path);
  let isTaken = false;
  const spec = ({ negotiated }: MountedFacts): MirrorSpec => {
    isTaken = true;
    const isOn = isNegotiated(negotiated, "PASSTHROUGH");
    const passes = { passthrough: isOn, directWrites };
    return { kind: "mirror", root, cache: caching, ...passes };
  };
  try {
    using entry = prepareMountpoint(session);
    const parts = await startServing({
      session: { ...session, mountpoint: entry.path },
      entry,
      name,
      rootMode: S_IF.DIR,
      wanted,
      maxPayload: wanted.maxWrite,
      passthrough: NO_PASSTHROUGH,
      splicing: noSplicing(wanted.maxWrite),
      handler: { spec, singleQueueReason: null },
      release: () => Promise.resolve(),
    });
    for (const server of parts.servers) server.serve();
    const isOn = isNegotiated(parts.negotiated, "PASSTHROUGH");
    if (options.passthrough === "on" && !isOn) {
      await new Session(parts).close();
      throw noPassthrough("this kernel does not offer it");
    }
    const kept = unmounts
      ? await withAutoUnmount(parts, autoUnmount, session.notice)
      : parts;
    const passed = { kind: isOn ? "on" : "off", reason: null } as const;
    const opened = new Session({ ...kept, passthrough: passed });
    return await closeOnAbort(opened, signal);
  } finally {
    if (!isTaken) closeDescriptor(root);
  }
}

/** The options that are given. */
function given<T extends object>(options: T): MirrorCache {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  );
}

function mayPassThrough(choice: PassthroughChoice): boolean {
  checkChoice(choice, PASSTHROUGHS, "passthrough");
  if (choice === "off") return false;
  if (hasCapSysAdmin()) return true;
  if (choice === "auto") return false;
  throw noPassthrough("it needs CAP_SYS_ADMIN");
}

function noPassthrough(reason: string): UserError {
  return new UserError(
    `Cannot use passthrough: ${reason}; set passthrough to auto or off`,
  );
}
